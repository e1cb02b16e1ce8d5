import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

export type TestClock = Stored<Stripe.TestHelpers.TestClock>;

const week = 7 * 86_400;

/**
 * Creates a clock that is frozen at `frozenTime` until it is advanced. `created` is real time. Both are Unix seconds.
 */
export function newTestClock(
  created: number,
  fields: { frozenTime: number; name: string | null },
): TestClock {
  return {
    id: newId("clock"),
    object: "test_helpers.test_clock",
    created,
    deletes_after: created + week,
    frozen_time: fields.frozenTime,
    livemode: false,
    name: fields.name,
    status: "ready",
    status_details: {},
  };
}

/** Returns the clock while it is advancing to the target time. */
export function advancing(clock: TestClock, target: number): TestClock {
  return { ...clock, status: "advancing", status_details: { advancing: { target_frozen_time: target } } };
}

/** Returns the clock after it has reached its target time. */
export function arrived(clock: TestClock): TestClock {
  const target = clock.status_details.advancing?.target_frozen_time ?? clock.frozen_time;
  return { ...clock, frozen_time: target, status: "ready", status_details: {} };
}
