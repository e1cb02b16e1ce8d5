import type { Database } from "../db/database.ts";
import type { IncomingEvent } from "./read_event.ts";
import { type RecordedEvent, recordEvents } from "./record_events.ts";

/** The most events in a call: at some point a larger one saves nothing, and all of it waits for its slowest part. */
const MOST_EVENTS = 64;
/** While Postgres works on one call, this process reads the events of the next. */
const CALLS_AT_ONCE = 2;
/** A call that takes this long waits for something, such as a lock. What waits behind it does not have to. */
const SLOW_MS = 100;
/** The most calls under way, well below the connections of the pool. */
const MOST_CALLS = 4;

interface Waiting {
  event: IncomingEvent;
  resolve(recorded: RecordedEvent): void;
  reject(error: unknown): void;
}

type Record = (events: IncomingEvent[]) => Promise<RecordedEvent[]>;

/**
 * Records events in as few database calls as they arrive: the first two at once and alone; what arrives while two calls are
 * under way goes into the next one, together. So Postgres flushes its log once for all of them, and an event waits for one call
 * at most before its own.
 *
 * A call holds at most one event of each customer and object, as `billing.process_events` demands. When a call fails, each of its
 * events is recorded by itself: one that fails harms no other.
 */
export class EventBatches {
  readonly #record: Record;
  readonly #waiting: Waiting[] = [];
  /** The customers and objects of the calls under way. */
  readonly #busy = new Set<string>();
  #calls = 0;
  #slowCalls = 0;

  /** `record` is what recordEvents() does with `db`; tests give another one. */
  constructor(db: Database, record: Record = (events) => recordEvents(db, events)) {
    this.#record = record;
  }

  /** Records one event. Resolves when it is durable. Throws like recordEvents(). */
  record(event: IncomingEvent): Promise<RecordedEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<RecordedEvent>();
    this.#waiting.push({ event, resolve, reject });
    this.#next();
    return promise;
  }

  /** Begins a call with what waits, unless two are under way that are not slow. */
  #next(): void {
    if (this.#calls - this.#slowCalls >= CALLS_AT_ONCE || this.#calls === MOST_CALLS) return;
    const batch = this.#take();
    if (batch.length > 0) this.#call(batch);
  }

  #take(): Waiting[] {
    const batch: Waiting[] = [];
    for (let place = 0; place < this.#waiting.length && batch.length < MOST_EVENTS;) {
      const keys = keysOf(this.#waiting[place].event);
      if (keys.some((key) => this.#busy.has(key))) {
        place++;
      } else {
        for (const key of keys) this.#busy.add(key);
        batch.push(...this.#waiting.splice(place, 1));
      }
    }
    return batch;
  }

  async #call(batch: Waiting[]): Promise<void> {
    this.#calls++;
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      this.#slowCalls++;
      this.#next();
    }, SLOW_MS);
    try {
      const recorded = await this.#record(batch.map(({ event }) => event));
      for (const [place, { resolve }] of batch.entries()) resolve(recorded[place]);
    } catch (error) {
      if (batch.length === 1) batch[0].reject(error);
      else await Promise.all(batch.map((one) => this.#callAlone(one)));
    } finally {
      clearTimeout(timer);
      this.#calls--;
      if (isSlow) this.#slowCalls--;
      for (const { event } of batch) for (const key of keysOf(event)) this.#busy.delete(key);
      this.#next();
    }
  }

  async #callAlone({ event, resolve, reject }: Waiting): Promise<void> {
    try {
      const [recorded] = await this.#record([event]);
      resolve(recorded);
    } catch (error) {
      reject(error);
    }
  }
}

/** What two events of one call must not have in common. The same event may be delivered twice at once. */
function keysOf({ id, customer_id, object_id }: IncomingEvent): string[] {
  return [id, customer_id, object_id].filter((key) => key !== null);
}
