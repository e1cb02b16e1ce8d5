import { type Cause, type Event, type EventType, newEvent, previousAttributes } from "../objects/event.ts";
import { newThinEvent, relate, type ThinEvent } from "../objects/thin_event.ts";
import type { Account } from "./account.ts";

/**
 * Something that happens to an account. All that it changes and every event it causes bear the same second, as Stripe's
 * do.
 */
export class Change {
  readonly now: number;
  readonly events: Event[] = [];
  readonly thinEvents: ThinEvent[] = [];

  constructor(readonly account: Account, readonly cause: Cause) {
    this.now = account.now();
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
