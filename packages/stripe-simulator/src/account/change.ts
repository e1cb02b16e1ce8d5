import { type Cause, type Event, type EventType, newEvent, previousAttributes } from "../objects/event.ts";
import { newThinEvent, relate, type ThinEvent } from "../objects/thin_event.ts";
import { StripeError } from "../wire/errors.ts";
import type { Account, ClockOwned } from "./account.ts";

/** One change of an account. All objects and events of a change have the same second, as in Stripe. */
export class Change {
  readonly events: Event[] = [];
  readonly thinEvents: ThinEvent[] = [];

  constructor(readonly account: Account, readonly cause: Cause, readonly now = account.now()) {}

  /** Returns the same change at another time. */
  at(now: number): Change {
    return now === this.now ? this : Object.assign(new Change(this.account, this.cause, now), {
      events: this.events,
      thinEvents: this.thinEvents,
    });
  }

  /**
   * Returns the same change at the time of the object's clock. Throws the 429 that Stripe answers while the clock is
   * advancing.
   */
  of(object: ClockOwned): Change {
    const clock = this.account.clockOf(object);
    if (!clock) return this;
    if (clock.status === "advancing") throw advancementUnderway(clock.id);
    return this.at(clock.frozen_time);
  }

  /** Adds an event with the object's present state. `before` is the former state when the event is an update. */
  emit(type: EventType, object: object, before?: object) {
    const data = before ? { object, previous_attributes: previousAttributes(before, object) } : { object };
    const { account: { defaultVersion: version } } = this;
    const isOfCheckout = this.cause.id === null && !type.startsWith("customer.subscription.");
    const cause = isOfCheckout ? noCause : this.cause;
    this.events.push(newEvent(this.now, { type, data, cause, version }));
  }

  /** Adds an event that exists only as a thin event. `related` is the object it is about, if any. */
  emitThin(type: string, related: object | null, data: object) {
    this.thinEvents.push(newThinEvent(this.now, type, { related: related && relate(related), data }));
  }
}

function advancementUnderway(clock: string): StripeError {
  const message = `Test clock advancement underway - cannot perform modifications: ${clock}`;
  return new StripeError(429, "invalid_request_error", message);
}

/** The cause of events without an API request: scheduled tasks and actions on Stripe's pages. */
export const noCause: Cause = { id: null, idempotency_key: null };

/**
 * The cause of what a person does in Checkout. There is no request of the account's, but the events of the
 * subscription name an idempotency key of Stripe's own.
 */
export function checkoutCause(): Cause {
  return { id: null, idempotency_key: crypto.randomUUID() };
}

/**
 * Runs a change, then publishes its events, so that a recipient who queries the API finds at least the state in the
 * event. Events of a change that fails are published too, because a declined payment has events.
 */
export function perform<Result>(account: Account, cause: Cause, work: (change: Change) => Result): Result {
  const change = new Change(account, cause);
  try {
    return work(change);
  } finally {
    for (const event of change.events) account.publish(event);
    for (const event of change.thinEvents) account.publishThin(event);
  }
}
