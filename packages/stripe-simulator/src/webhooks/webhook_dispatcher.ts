import type { Account } from "../account/account.ts";
import type { Faults } from "../faults/faults.ts";
import { type Attempt, type Delivery, newDelivery } from "../objects/delivery.ts";
import { buildRequest, type DeliveryRequest } from "./delivery_request.ts";
import { sendDelivery } from "./send_delivery.ts";
import { type Cancel, Timers } from "./timers.ts";

export interface DispatcherOptions {
  faults: Faults;
  log: (line: string) => void;
  /** Delays before the second, third, … attempt, in milliseconds. After the last one the delivery fails. */
  retryDelays: readonly number[];
  /** How long to wait for a response, in milliseconds. */
  timeout: number;
}

/**
 * Stripe retries for up to three days with growing delays (https://docs.stripe.com/webhooks#automatic-retries). These
 * delays are shorter, for use by a person.
 */
export const defaultRetryDelays: readonly number[] = [
  500,
  1_000,
  2_000,
  4_000,
  8_000,
  15_000,
  30_000,
  ...Array(30).fill(60_000),
];

/** A delivery that waits until later ones were sent. */
interface Held {
  delivery: Delivery;
  places: number;
  cancel: Cancel;
}

/**
 * Sends events to webhook endpoints and event destinations. The first attempts reach a recipient one by one in the
 * order of the events. A failed attempt does not delay later events and is repeated later, so a recipient must handle
 * any order.
 */
export class WebhookDispatcher {
  readonly #account: Account;
  readonly #options: DispatcherOptions;
  readonly #queues = new Map<string, Promise<void>>();
  readonly #timers = new Timers();
  readonly #tasks = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #held: Held[] = [];
  #onIdle: (() => void)[] = [];

  constructor(account: Account, options: DispatcherOptions) {
    this.#account = account;
    this.#options = { ...options };
  }

  /** Sends an event to these recipients. */
  dispatch(event: { id: string; type: string }, recipients: string[]) {
    for (const recipient of recipients) this.#dispatchTo(recipient, event);
  }

  /** Sends an event to a recipient again, whether it was delivered or not. */
  resend(event: string, recipient: string) {
    const { deliveries } = this.#account;
    const fresh = newDelivery(event, recipient);
    this.#enqueue(deliveries.find(fresh.id) ?? deliveries.put(fresh));
  }

  /** Starts the pending deliveries of the account again. Timers of the former state are dropped. */
  resume() {
    this.#timers.clear();
    this.#held = [];
    for (const delivery of this.#account.deliveries.oldestFirst()) {
      if (delivery.status === "pending") this.#enqueue(delivery);
    }
  }

  /** Moves time forward for waiting deliveries: retries that are due by then are made now. */
  advance(milliseconds: number) {
    this.#timers.advance(milliseconds);
    this.#notifyIfIdle();
  }

  /** Changes the retry delays and the timeout of later attempts. */
  configure(options: Partial<Pick<DispatcherOptions, "retryDelays" | "timeout">>) {
    Object.assign(this.#options, options);
  }

  get options(): Pick<DispatcherOptions, "retryDelays" | "timeout"> {
    const { retryDelays, timeout } = this.#options;
    return { retryDelays, timeout };
  }

  /**
   * Waits until no delivery is running and no retry is scheduled. False when that takes longer than `timeout`
   * milliseconds.
   */
  async idle(timeout: number): Promise<boolean> {
    if (this.#isIdle()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeout);
    this.#onIdle.push(() => resolve(true));
    const isIdle = await promise;
    clearTimeout(timer);
    return isIdle;
  }

  /** Aborts running deliveries. They stay pending. */
  async stop() {
    this.#stopping.abort();
    this.#timers.clear();
    await Promise.all(this.#tasks);
  }

  #dispatchTo(recipient: string, event: { id: string; type: string }) {
    const { faults } = this.#options;
    const delivery = this.#account.deliveries.put(newDelivery(event.id, recipient));
    if (faults.take("drop_delivery", event.type)) {
      this.#account.deliveries.put({ ...delivery, status: "lost" });
      return;
    }
    const delay = faults.take("delay_delivery", event.type);
    const reorder = faults.take("reorder_delivery", event.type);
    if (delay) this.#later(delay.ms, delivery.id);
    else if (reorder) this.#hold(delivery, reorder.places, reorder.ms);
    else this.#enqueueInOrder(delivery);
    if (faults.take("duplicate_delivery", event.type)) this.#enqueueInOrder(delivery);
  }

  /** Queues a delivery and counts it for the deliveries that are held back. */
  #enqueueInOrder(delivery: Delivery) {
    this.#enqueue(delivery);
    for (const held of this.#held.filter(({ delivery: { endpoint } }) => endpoint === delivery.endpoint)) {
      held.places -= 1;
      if (held.places === 0) this.#release(held);
    }
  }

  #hold(delivery: Delivery, places: number, ms: number) {
    const cancel = this.#timers.after(ms, () => this.#release(held));
    const held: Held = { delivery, places, cancel };
    this.#held.push(held);
  }

  #release(held: Held) {
    held.cancel();
    this.#held = this.#held.filter((other) => other !== held);
    this.#enqueue(held.delivery);
  }

  #enqueue(delivery: Delivery) {
    const tail = this.#queues.get(delivery.endpoint) ?? Promise.resolve();
    const next = tail.then(() => this.#attempt(delivery.id));
    this.#queues.set(delivery.endpoint, next);
    this.#track(next);
  }

  #later(ms: number, id: string) {
    this.#timers.after(ms, () => this.#track(this.#attempt(id)));
  }

  #track(task: Promise<void>) {
    this.#tasks.add(task);
    task.finally(() => {
      this.#tasks.delete(task);
      this.#notifyIfIdle();
    });
  }

  #isIdle(): boolean {
    return this.#tasks.size === 0 && this.#timers.isEmpty;
  }

  #notifyIfIdle() {
    if (!this.#isIdle()) return;
    for (const notify of this.#onIdle.splice(0)) notify();
  }

  async #attempt(id: string) {
    const { deliveries } = this.#account;
    const before = deliveries.find(id);
    if (!before || this.#stopping.signal.aborted) return;
    const request = buildRequest(this.#account, before);
    if (!request) {
      deliveries.put({ ...before, status: "failed" });
      return;
    }
    const attempt = await this.#sendDelivery(request);
    if (this.#stopping.signal.aborted) return;
    this.#record(id, request, attempt);
  }

  async #sendDelivery(request: DeliveryRequest): Promise<Attempt> {
    const at = this.#account.now();
    const fault = this.#options.faults.take("fail_delivery", request.type);
    if (fault && !fault.reached) return { at, status: null, error: "simulated fault" };
    const timeout = AbortSignal.timeout(this.#options.timeout);
    const outcome = await sendDelivery(request, AbortSignal.any([this.#stopping.signal, timeout]));
    return { at, ...(fault ? { status: null, error: "simulated loss of the response" } : outcome) };
  }

  #record(id: string, request: DeliveryRequest, attempt: Attempt) {
    const { deliveries } = this.#account;
    const before = deliveries.find(id);
    if (!before) return;
    const attempts = [...before.attempts, attempt];
    if (attempt.status !== null && attempt.status >= 200 && attempt.status < 300) {
      deliveries.put({ ...before, attempts, status: "delivered" });
      if (before.status !== "delivered") this.#decrementPending(before.event);
      return;
    }
    if (before.status === "delivered") {
      deliveries.put({ ...before, attempts });
      return;
    }
    const delay = this.#options.retryDelays[attempts.length - 1];
    const what = `${request.type} ${before.event} to ${request.url} (${attempt.status ?? attempt.error})`;
    if (delay === undefined) {
      deliveries.put({ ...before, attempts, status: "failed" });
      this.#options.log(`webhook failed for good: ${what}`);
      return;
    }
    deliveries.put({ ...before, attempts });
    this.#options.log(`webhook failed: ${what}, next attempt in ${delay} ms`);
    this.#later(delay, id);
  }

  #decrementPending(eventId: string) {
    const event = this.#account.events.find(eventId);
    if (event) this.#account.events.put({ ...event, pending_webhooks: event.pending_webhooks - 1 });
  }
}
