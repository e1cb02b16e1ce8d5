import type { Account } from "../account/account.ts";
import { noCause, perform } from "../account/change.ts";
import { arrive } from "../behaviour/test_clock_control.ts";
import type { Event } from "../objects/event.ts";
import type { TestClock } from "../objects/test_clock.ts";
import type { ThinEvent } from "../objects/thin_event.ts";
import { TaskSchedule, type Time } from "./task_schedule.ts";
import { EventRetention } from "./event_retention.ts";

/** How often work that is due in real time is looked for, in milliseconds. */
const lookEvery = 1_000;
/** How long simulated time may pass without a break for requests and webhooks, in milliseconds. */
const withoutBreak = 10;

/**
 * Lets time pass in an account: does what is due in real time, and takes test clocks to where they were sent. Make it
 * once the account's state is loaded.
 */
export class Timekeeper {
  readonly #account: Account;
  readonly #log: (line: string) => void;
  readonly #calendar: TaskSchedule;
  readonly #history: EventRetention;
  readonly #journeys = new Map<string, Promise<void>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #isStopped = false;

  constructor(account: Account, log: (line: string) => void) {
    this.#account = account;
    this.#log = log;
    this.#calendar = new TaskSchedule(account);
    this.#history = new EventRetention(account);
    for (const [, collection] of account.collections()) {
      for (const object of collection.oldestFirst()) this.#see(object);
    }
    account.onPut = (object) => this.#see(object);
    this.#timer = setInterval(() => this.settle(), lookEvery);
  }

  /** Does what is due in real time by now. */
  settle() {
    const now = this.#account.now();
    try {
      for (const _ of this.#calendar.work(null, now));
    } catch (error) {
      this.#log(`fault in the simulator: ${error instanceof Error ? error.stack : error}`);
    }
    this.#history.forget(null, now);
  }

  /** Waits until every test clock has arrived; false when that takes longer than `timeout` milliseconds. */
  async idle(timeout: number): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeout);
    const arrived = Promise.all(this.#journeys.values()).then(() => true);
    const isIdle = await Promise.race([arrived, late]);
    clearTimeout(timer);
    return isIdle;
  }

  /** Stops where it is: a clock that is on its way goes on when the state is loaded again. */
  async stop() {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await Promise.all(this.#journeys.values());
  }

  #see(object: object & { id: string }) {
    const kind: unknown = Reflect.get(object, "object");
    if (kind === "event" || kind === "v2.core.event") this.#history.note(object as Event | ThinEvent);
    else this.#calendar.note(object);
    if (kind === "test_helpers.test_clock") this.#follow(object as TestClock);
  }

  #follow(clock: TestClock) {
    const target = clock.status_details.advancing?.target_frozen_time;
    if (target === undefined || this.#journeys.has(clock.id)) return;
    const journey = this.#travel(clock, target).finally(() => this.#journeys.delete(clock.id));
    this.#journeys.set(clock.id, journey);
  }

  async #travel(clock: TestClock, target: number) {
    await aBreak();
    try {
      const hasArrived = await this.#pass(clock.id, target);
      if (hasArrived) perform(this.#account, noCause, (change) => arrive(change, clock));
    } catch (error) {
      this.#log(`fault in the simulator: ${error instanceof Error ? error.stack : error}`);
      this.#account.testClocks.put({ ...clock, status: "internal_failure", status_details: {} });
    }
  }

  /** Lets simulated time pass, with breaks. False when it was stopped on the way. */
  async #pass(time: Time, until: number): Promise<boolean> {
    let breakAt = performance.now() + withoutBreak;
    for (const second of this.#calendar.work(time, until)) {
      if (this.#isStopped) return false;
      if (performance.now() < breakAt) continue;
      this.#history.forget(time, second);
      await aBreak();
      breakAt = performance.now() + withoutBreak;
    }
    this.#history.forget(time, until);
    return !this.#isStopped;
  }
}

/** Lets requests, webhooks and timers have their turn. */
function aBreak(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
