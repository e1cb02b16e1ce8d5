import TinyQueue from "tinyqueue";
import type { Account } from "../account/account.ts";
import { noCause, perform } from "../account/change.ts";
import { nextTask } from "../behaviour/scheduled_tasks.ts";

/** By whose time something is due: a test clock's id, or null for real time. */
export type Time = string | null;

interface Entry {
  at: number;
  /** Entries of one second keep the order in which they were made. */
  place: number;
  object: object & { id: string };
}

/**
 * Everything in an account that is to happen by itself, by its time. An object is noted whenever it is put; what was
 * noted about its former state is then void.
 */
export class TaskSchedule {
  readonly #account: Account;
  readonly #queues = new Map<Time, TinyQueue<Entry>>();
  readonly #current = new Map<string, Entry>();
  #places = 0;

  constructor(account: Account) {
    this.#account = account;
  }

  /** Notes what an object is to do next. What is overdue is done now: nothing happens in the past. */
  note(object: object & { id: string }) {
    this.#current.delete(nameOf(object));
    const duty = nextTask(this.#account, object);
    if (!duty) return;
    const clock = this.#account.clockOf(object);
    const now = clock?.frozen_time ?? this.#account.now();
    const entry: Entry = { at: Math.max(duty.at, now), place: this.#places++, object };
    this.#current.set(nameOf(object), entry);
    this.#queueOf(clock?.id ?? null).push(entry);
  }

  /**
   * Carries out what is due by that second, in the order of time. Between two pieces of work the caller may pause: it is
   * told what second it is.
   */
  *work(time: Time, until: number): Generator<number> {
    for (let entry = this.#take(time, until); entry; entry = this.#take(time, until)) {
      const { object, at } = entry;
      const duty = nextTask(this.#account, object);
      if (duty && duty.at <= at) perform(this.#account, noCause, (change) => duty.carryOut(change.at(at)));
      else this.note(object);
      yield at;
    }
  }

  #take(time: Time, until: number): Entry | undefined {
    const queue = this.#queueOf(time);
    while ((queue.peek()?.at ?? Infinity) <= until) {
      const entry = queue.pop();
      if (!entry || this.#current.get(nameOf(entry.object)) !== entry) continue;
      this.#current.delete(nameOf(entry.object));
      return entry;
    }
  }

  #queueOf(time: Time): TinyQueue<Entry> {
    const queue = this.#queues.get(time) ??
      new TinyQueue<Entry>([], (a, b) => a.at - b.at || a.place - b.place);
    this.#queues.set(time, queue);
    return queue;
  }
}

/** Callers choose some ids themselves, and may give one to a usage event and to the request that brings it. */
const nameOf = (object: object & { id: string }) => `${Reflect.get(object, "object")} ${object.id}`;
