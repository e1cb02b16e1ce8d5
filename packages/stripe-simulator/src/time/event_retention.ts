import type { Account } from "../account/account.ts";
import type { Event } from "../objects/event.ts";
import type { ThinEvent } from "../objects/thin_event.ts";
import type { ClockId } from "./task_schedule.ts";

/** How long events can be retrieved (https://docs.stripe.com/api/events). */
const retentionSeconds = 30 * 86_400;

/** Removes events that are older than 30 days by the clock on which they happened. */
export class EventRetention {
  readonly #account: Account;
  readonly #byClock = new Map<ClockId, Set<string>>();

  constructor(account: Account) {
    this.#account = account;
  }

  add(event: Event | ThinEvent) {
    const clock = this.#clockOf(event);
    const ids = this.#byClock.get(clock) ?? new Set();
    this.#byClock.set(clock, ids.add(event.id));
  }

  /** Removes the old events of a clock with their deliveries. Events with a pending delivery stay. */
  removeOld(clock: ClockId, now: number) {
    const ids = this.#byClock.get(clock) ?? new Set();
    for (const id of ids) {
      const event = this.#find(id);
      if (event && secondOf(event) > now - retentionSeconds) return;
      if (event && this.#hasPendingDelivery(id)) continue;
      ids.delete(id);
      this.#remove(id);
    }
  }

  /** A thin event happened on the clock of its snapshot event. */
  #clockOf(event: Event | ThinEvent): ClockId {
    const snapshot = "data" in event && event.object === "event"
      ? event
      : this.#account.events.find("snapshot_event" in event ? event.snapshot_event ?? "" : "");
    return snapshot ? this.#account.clockOf(snapshot.data.object)?.id ?? null : null;
  }

  #find(id: string): Event | ThinEvent | undefined {
    return this.#account.events.find(id) ?? this.#account.thinEvents.find(id);
  }

  #hasPendingDelivery(event: string): boolean {
    return this.#account.deliveries.of(event).some(({ status }) => status === "pending");
  }

  #remove(id: string) {
    this.#account.events.remove(id);
    this.#account.thinEvents.remove(id);
    for (const delivery of this.#account.deliveries.of(id)) this.#account.deliveries.remove(delivery.id);
  }
}

function secondOf({ created }: Event | ThinEvent): number {
  return typeof created === "number" ? created : Date.parse(created) / 1000;
}
