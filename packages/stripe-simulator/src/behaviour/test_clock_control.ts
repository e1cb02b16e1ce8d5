import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import type { Customer } from "../objects/customer.ts";
import type { Recurring } from "../objects/price.ts";
import type { Deleted } from "../objects/stored_object.ts";
import { hasEnded, type Subscription } from "../objects/subscription.ts";
import { advancing, arrived, type TestClock } from "../objects/test_clock.ts";
import { invalidRequest } from "../wire/errors.ts";
import { deleteCustomer } from "./customer_deletion.ts";
import { addIntervals } from "./subscriptions/billing_periods.ts";

const twoYears: Recurring = {
  interval: "year",
  interval_count: 1,
  meter: null,
  trial_period_days: null,
  usage_type: "licensed",
};

/** Attaches a customer and all its objects to a clock. This cannot be undone. */
export function attachToClock({ account }: Change, customer: Customer, clock: TestClock) {
  const onClock = { test_clock: clock.id };
  account.customers.put({ ...customer, ...onClock });
  for (const object of account.subscriptions.of(customer.id)) {
    account.subscriptions.put({ ...object, ...onClock });
  }
  for (const object of account.invoices.of(customer.id)) account.invoices.put({ ...object, ...onClock });
  for (const object of account.subscriptionSchedules.of(customer.id)) {
    account.subscriptionSchedules.put({ ...object, ...onClock });
  }
  for (const session of account.checkoutSessions.oldestFirst()) {
    if (session.customer === customer.id) account.checkoutSessions.put(session);
  }
  for (const object of account.invoiceItems.of(customer.id)) {
    account.invoiceItems.put({ ...object, ...onClock });
  }
}

/**
 * Starts to advance a clock. It is ready again when everything due until then is done. Throws a 400 for a time that
 * is not ahead or is too far ahead, and a 429 while the clock is advancing.
 */
export function advanceClock(change: Change, clock: TestClock, target: number): TestClock {
  change.of({ test_clock: clock.id });
  if (target <= clock.frozen_time) {
    throw invalidRequest(
      "The frozen time you are advancing to must be after the clock's current frozen time.",
      {
        param: "frozen_time",
      },
    );
  }
  const furthest = furthestAdvance(change.account, clock);
  if (target > furthest) throw tooFar(clock, furthest);
  const moving = change.account.testClocks.put(advancing(clock, target));
  change.emit("test_helpers.test_clock.advancing", moving);
  return moving;
}

/** Ends an advance: the clock is ready at its target time. */
export function finishAdvance(change: Change, clock: TestClock) {
  const ready = change.account.testClocks.put(arrived(clock));
  change.emit("test_helpers.test_clock.ready", ready);
}

/** Deletes a clock and all customers on it. */
export function deleteClock(change: Change, clock: TestClock): Deleted {
  const { account } = change;
  const there = change.of({ test_clock: clock.id });
  for (const customer of account.customers.oldestFirst()) {
    if (customer.test_clock === clock.id) deleteCustomer(there, customer);
  }
  account.testClocks.remove(clock.id);
  change.emit("test_helpers.test_clock.deleted", clock);
  return { id: clock.id, object: "test_helpers.test_clock", deleted: true };
}

function furthestAdvance(account: Account, clock: TestClock): number {
  const live = account.subscriptions.oldestFirst().filter((subscription) =>
    subscription.test_clock === clock.id && !hasEnded(subscription)
  );
  const recurrings = live.flatMap(recurringsOf);
  const reach = (recurring: Recurring) => addIntervals(clock.frozen_time, recurring, 2);
  return recurrings.reduce((least, recurring) => Math.min(least, reach(recurring)), reach(twoYears));
}

function recurringsOf({ items }: Subscription): Recurring[] {
  return items.data.flatMap(({ price }) => price.recurring ?? []);
}

function tooFar(clock: TestClock, furthest: number) {
  const message =
    `The frozen time of this clock is ${describe(clock.frozen_time)}. You can only advance it up to ` +
    `${
      describe(furthest)
    }. You can only advance a test clock up to two intervals from the current frozen time at a ` +
    "time, based on the shortest subscription interval in the test clock.";
  return invalidRequest(message, { param: "frozen_time" });
}

/** `1732320000 (2024-11-23 00:00:00 UTC)` */
function describe(seconds: number): string {
  const text = new Date(seconds * 1000).toISOString();
  return `${seconds} (${text.slice(0, 10)} ${text.slice(11, 19)} UTC)`;
}
