import { type Cause, type Event, type EventType, newEvent, previousAttributes } from "../objects/event.ts";
import { newThinEvent, relate, type ThinEvent } from "../objects/thin_event.ts";
import { StripeError } from "../wire/errors.ts";
import type { Account, OfCustomer } from "./account.ts";

/**
 * Something that happens to an account. All that it changes and every event it causes bear the same second, as Stripe's
 * do.
 */
export class Change {
  readonly events: Event[] = [];
  readonly thinEvents: ThinEvent[] = [];

  constructor(readonly account: Account, readonly cause: Cause, readonly now = account.now()) {}

  /** The same change at another second. */
  at(now: number): Change {
    return now === this.now ? this : Object.assign(new Change(this.account, this.cause, now), {
      events: this.events,
      thinEvents: this.thinEvents,
    });
  }

  /**
   * The same change at the time in which the object lives, which is that of its test clock if it has one. Throws the 429
   * that Stripe answers while the clock is being advanced.
   */
  of(object: OfCustomer): Change {
    const clock = this.account.clockOf(object);
    if (!clock) return this;
    if (clock.status === "advancing") throw advancementUnderway(clock.id);
    return this.at(clock.frozen_time);
  }

  /** Notes an event about the object as it is now; `before` is its former state, where the event is an update. */
  emit(type: EventType, object: object, before?: object) {
    const data = before ? { object, previous_attributes: previousAttributes(before, object) } : { object };
    this.events.push(newEvent(this.now, type, data, this.cause));
  }

  /** Notes an event that exists as a thin event only. `related` is the object it is about, if there is one. */
  emitThin(type: string, related: object | null, data: object) {
    this.thinEvents.push(newThinEvent(this.now, type, { related: related && relate(related), data }));
  }
}

function advancementUnderway(clock: string): StripeError {
  const message = `Test clock advancement underway - cannot perform modifications: ${clock}`;
  return new StripeError(429, "invalid_request_error", message);
}

/** What Stripe does by itself, or what a person does on its pages. */
export const noCause: Cause = { id: null, idempotency_key: null };

/**
 * Carries out a change, then publishes its events: whoever receives one finds at least that state when asking back.
 * Events of a change that fails are published too, since a refused payment is also news.
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
