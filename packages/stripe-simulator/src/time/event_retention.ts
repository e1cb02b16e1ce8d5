import type { Account } from "../account/account.ts";
import type { Event } from "../objects/event.ts";
import type { ThinEvent } from "../objects/thin_event.ts";
import type { Time } from "./task_schedule.ts";

/** Events can be read for so long (https://docs.stripe.com/api/events). */
const keptSeconds = 30 * 86_400;

/** Which events happened by whose time, so that the old ones can be forgotten. */
export class EventRetention {
  readonly #account: Account;
  readonly #byTime = new Map<Time, Set<string>>();

  constructor(account: Account) {
    this.#account = account;
  }

  note(event: Event | ThinEvent) {
    const time = this.#timeOf(event);
    const ids = this.#byTime.get(time) ?? new Set();
    this.#byTime.set(time, ids.add(event.id));
  }

  /** Forgets the events of more than 30 days ago, except those that are still to be delivered. */
  forget(time: Time, now: number) {
    const ids = this.#byTime.get(time) ?? new Set();
    for (const id of ids) {
      const event = this.#find(id);
      if (event && secondOf(event) > now - keptSeconds) return;
      if (event && this.#isOnItsWay(id)) continue;
      ids.delete(id);
      this.#remove(id);
    }
  }

  #timeOf(event: Event | ThinEvent): Time {
    const told = "data" in event && event.object === "event"
      ? event
      : this.#account.events.find("snapshot_event" in event ? event.snapshot_event ?? "" : "");
    return told ? this.#account.clockOf(told.data.object)?.id ?? null : null;
  }

  #find(id: string): Event | ThinEvent | undefined {
    return this.#account.events.find(id) ?? this.#account.thinEvents.find(id);
  }

  #isOnItsWay(event: string): boolean {
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
