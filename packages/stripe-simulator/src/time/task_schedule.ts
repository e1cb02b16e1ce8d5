import TinyQueue from "tinyqueue";
import type { Account } from "../account/account.ts";
import { noCause, perform } from "../account/change.ts";
import { nextTask } from "../behaviour/scheduled_tasks.ts";

/** Which time counts for an object: a test clock's id, or null for real time. */
export type ClockId = string | null;

interface Entry {
  at: number;
  /** Entries of one second keep the order in which they were made. */
  sequence: number;
  object: object & { id: string };
}

/**
 * Everything that is to happen in an account without a request, in the order of time. An object is scheduled whenever
 * it is stored, which replaces what was scheduled for its former state.
 */
export class TaskSchedule {
  readonly #account: Account;
  readonly #queues = new Map<ClockId, TinyQueue<Entry>>();
  readonly #current = new Map<string, Entry>();
  #sequence = 0;

  constructor(account: Account) {
    this.#account = account;
  }

  /** Schedules the next task of an object. A task that is overdue runs at the present second. */
  add(object: object & { id: string }) {
    this.#current.delete(keyOf(object));
    const task = nextTask(this.#account, object);
    if (!task) return;
    const clock = this.#account.clockOf(object);
    const now = clock?.frozen_time ?? this.#account.now();
    const entry: Entry = { at: Math.max(task.at, now), sequence: this.#sequence++, object };
    this.#current.set(keyOf(object), entry);
    this.#queueOf(clock?.id ?? null).push(entry);
  }

  /**
   * Runs what is due by that second, in the order of time. After each task the generator yields the task's second, so
   * that the caller can pause between two tasks.
   */
  *run(clock: ClockId, until: number): Generator<number> {
    for (let entry = this.#take(clock, until); entry; entry = this.#take(clock, until)) {
      const { object, at } = entry;
      const task = nextTask(this.#account, object);
      if (task && task.at <= at) perform(this.#account, noCause, (change) => task.run(change.at(at)));
      else this.add(object);
      yield at;
    }
  }

  #take(clock: ClockId, until: number): Entry | undefined {
    const queue = this.#queueOf(clock);
    while ((queue.peek()?.at ?? Infinity) <= until) {
      const entry = queue.pop();
      if (!entry || this.#current.get(keyOf(entry.object)) !== entry) continue;
      this.#current.delete(keyOf(entry.object));
      return entry;
    }
  }

  #queueOf(clock: ClockId): TinyQueue<Entry> {
    const queue = this.#queues.get(clock) ??
      new TinyQueue<Entry>([], (a, b) => a.at - b.at || a.sequence - b.sequence);
    this.#queues.set(clock, queue);
    return queue;
  }
}

/** Callers choose some ids. A meter event and an idempotency key can have the same, hence the type in the key. */
const keyOf = (object: object & { id: string }) => `${Reflect.get(object, "object")} ${object.id}`;
