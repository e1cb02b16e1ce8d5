import type { Account } from "../account/account.ts";
import { noCause, perform } from "../account/change.ts";
import { finishAdvance } from "../behaviour/test_clock_control.ts";
import type { Event } from "../objects/event.ts";
import type { TestClock } from "../objects/test_clock.ts";
import type { ThinEvent } from "../objects/thin_event.ts";
import { EventRetention } from "./event_retention.ts";
import { type ClockId, TaskSchedule } from "./task_schedule.ts";

/** How often tasks in real time are looked for, in milliseconds. */
const checkInterval = 1_000;
/** How long tasks on a test clock run before requests and webhooks get a turn, in milliseconds. */
const longestTurn = 10;

/**
 * Runs an account's scheduled tasks: those in real time every second, those on a test clock when the clock is advanced.
 * Create it after the account's state is loaded.
 */
export class Timekeeper {
  readonly #account: Account;
  readonly #log: (line: string) => void;
  readonly #schedule: TaskSchedule;
  readonly #retention: EventRetention;
  readonly #advancing = new Map<string, Promise<void>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #isStopped = false;

  constructor(account: Account, log: (line: string) => void) {
    this.#account = account;
    this.#log = log;
    this.#schedule = new TaskSchedule(account);
    this.#retention = new EventRetention(account);
    for (const [, collection] of account.collections()) {
      for (const object of collection.oldestFirst()) this.#register(object);
    }
    account.onPut = (object) => this.#register(object);
    this.#timer = setInterval(() => this.runDueTasks(), checkInterval);
  }

  /** Runs the tasks that are due in real time. */
  runDueTasks() {
    const now = this.#account.now();
    try {
      for (const _ of this.#schedule.run(null, now));
    } catch (error) {
      this.#log(`error in the simulator: ${error instanceof Error ? error.stack : error}`);
    }
    this.#retention.removeOld(null, now);
  }

  /** Waits until no test clock is advancing. False when that takes longer than `timeout` milliseconds. */
  async idle(timeout: number): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeout);
    const ready = Promise.all(this.#advancing.values()).then(() => true);
    const isIdle = await Promise.race([ready, late]);
    clearTimeout(timer);
    return isIdle;
  }

  /** Stops at once. A clock that is advancing continues when the state is loaded again. */
  async stop() {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await Promise.all(this.#advancing.values());
  }

  #register(object: object & { id: string }) {
    const kind: unknown = Reflect.get(object, "object");
    if (kind === "event" || kind === "v2.core.event") this.#retention.add(object as Event | ThinEvent);
    else this.#schedule.add(object);
    if (kind === "test_helpers.test_clock") this.#startAdvance(object as TestClock);
  }

  #startAdvance(clock: TestClock) {
    const target = clock.status_details.advancing?.target_frozen_time;
    if (target === undefined || this.#advancing.has(clock.id)) return;
    const advance = this.#advance(clock, target).finally(() => this.#advancing.delete(clock.id));
    this.#advancing.set(clock.id, advance);
  }

  async #advance(clock: TestClock, target: number) {
    await nextTurn();
    try {
      const isDone = await this.#runTasks(clock.id, target);
      if (isDone) perform(this.#account, noCause, (change) => finishAdvance(change, clock));
    } catch (error) {
      this.#log(`error in the simulator: ${error instanceof Error ? error.stack : error}`);
      this.#account.testClocks.put({ ...clock, status: "internal_failure", status_details: {} });
    }
  }

  /** Runs the tasks of a clock until that second. False when the simulator was stopped before the end. */
  async #runTasks(clock: ClockId, until: number): Promise<boolean> {
    let turnEndsAt = performance.now() + longestTurn;
    for (const second of this.#schedule.run(clock, until)) {
      if (this.#isStopped) return false;
      if (performance.now() < turnEndsAt) continue;
      this.#retention.removeOld(clock, second);
      await nextTurn();
      turnEndsAt = performance.now() + longestTurn;
    }
    this.#retention.removeOld(clock, until);
    return !this.#isStopped;
  }
}

/** Lets requests, webhooks and timers run. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
