import type { Account } from "../account/account.ts";
import type { Faults } from "../control/faults.ts";
import { type Attempt, type Delivery, deliveryId, newDelivery } from "../objects/delivery.ts";
import type { Event } from "../objects/event.ts";
import type { WebhookEndpoint } from "../objects/webhook_endpoint.ts";
import { signatureHeader } from "./signature.ts";

export interface CourierOptions {
  faults: Faults;
  log: (line: string) => void;
  /** Waits before the second, third, … attempt, in milliseconds. After the last one the delivery is given up. */
  retryDelays: readonly number[];
  /** How long an endpoint may take to answer, in milliseconds. */
  timeout: number;
}

/** Stripe retries for days with growing pauses; here the pauses are short, since someone is waiting. */
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

/**
 * Brings events to webhook endpoints. First attempts reach an endpoint one after the other in the order of the events;
 * a failed one does not hold up those behind it and is repeated later, so that an endpoint must cope with any order.
 */
export class Courier {
  readonly #account: Account;
  readonly #options: CourierOptions;
  readonly #queues = new Map<string, Promise<void>>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #onIdle: (() => void)[] = [];

  constructor(account: Account, options: CourierOptions) {
    this.#account = account;
    this.#options = options;
  }

  /** Sends an event to the endpoints that listen to it. */
  dispatch(event: Event, endpoints: WebhookEndpoint[]) {
    for (const endpoint of endpoints) this.#dispatchTo(endpoint, event);
  }

  /** Takes up the deliveries that a former run left undone. */
  resume() {
    for (const delivery of this.#account.deliveries.oldestFirst()) {
      if (delivery.status === "pending") this.#enqueue(delivery);
    }
  }

  /** Waits until nothing is on its way and no retry is due. False when that takes longer than `timeout` milliseconds. */
  async idle(timeout: number): Promise<boolean> {
    if (this.#isIdle()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeout);
    this.#onIdle.push(() => resolve(true));
    const isIdle = await promise;
    clearTimeout(timer);
    return isIdle;
  }

  /** Breaks off what is on its way; it stays pending. */
  async stop() {
    this.#stopping.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#tasks);
  }

  #dispatchTo(endpoint: WebhookEndpoint, event: Event) {
    const { faults } = this.#options;
    const delivery = this.#account.deliveries.put(newDelivery(event.id, endpoint.id));
    if (faults.take("drop_delivery", event.type)) {
      this.#account.deliveries.put({ ...delivery, status: "lost" });
      return;
    }
    const delay = faults.take("delay_delivery", event.type);
    if (delay) this.#later(delay.ms, delivery.id);
    else this.#enqueue(delivery);
    if (faults.take("duplicate_delivery", event.type)) this.#enqueue(delivery);
  }

  #enqueue(delivery: Delivery) {
    const tail = this.#queues.get(delivery.endpoint) ?? Promise.resolve();
    const next = tail.then(() => this.#attempt(delivery.id));
    this.#queues.set(delivery.endpoint, next);
    this.#track(next);
  }

  #later(ms: number, id: string) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#track(this.#attempt(id));
    }, ms);
    this.#timers.add(timer);
  }

  #track(task: Promise<void>) {
    this.#tasks.add(task);
    task.finally(() => {
      this.#tasks.delete(task);
      if (this.#isIdle()) { for (const tell of this.#onIdle.splice(0)) tell(); }
    });
  }

  #isIdle(): boolean {
    return this.#tasks.size === 0 && this.#timers.size === 0;
  }

  async #attempt(id: string) {
    const { deliveries, events, webhookEndpoints } = this.#account;
    const before = deliveries.find(id);
    const event = before && events.find(before.event);
    if (!event || this.#stopping.signal.aborted) return;
    const endpoint = webhookEndpoints.find(before.endpoint);
    if (endpoint?.status !== "enabled") {
      deliveries.put({ ...before, status: "failed" });
      return;
    }
    const attempt = await this.#post(event, endpoint);
    if (this.#stopping.signal.aborted) return;
    this.#record(id, event, endpoint, attempt);
  }

  async #post(event: Event, endpoint: WebhookEndpoint): Promise<Attempt> {
    const at = this.#account.now();
    if (this.#options.faults.take("fail_delivery", event.type)) {
      return { at, status: null, error: "fault asked for" };
    }
    const body = JSON.stringify({ ...event, api_version: endpoint.api_version }, null, 2);
    try {
      const response = await fetch(endpoint.url, {
        method: "POST",
        headers: {
          "accept": "*/*; q=0.5, application/xml",
          "cache-control": "no-cache",
          "content-type": "application/json; charset=utf-8",
          "stripe-signature": signatureHeader(body, endpoint.secret, Math.floor(Date.now() / 1000)),
          "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        },
        body,
        redirect: "manual",
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(this.#options.timeout)]),
      });
      await response.body?.cancel();
      return { at, status: response.status, error: null };
    } catch (error) {
      return { at, status: null, error: error instanceof Error ? error.message : String(error) };
    }
  }

  #record(id: string, event: Event, endpoint: WebhookEndpoint, attempt: Attempt) {
    const { deliveries } = this.#account;
    const before = deliveries.find(id);
    if (!before) return;
    const attempts = [...before.attempts, attempt];
    if (attempt.status !== null && attempt.status >= 200 && attempt.status < 300) {
      deliveries.put({ ...before, attempts, status: "delivered" });
      if (before.status !== "delivered") this.#countDown(event.id);
      return;
    }
    if (before.status === "delivered") {
      deliveries.put({ ...before, attempts });
      return;
    }
    const delay = this.#options.retryDelays[attempts.length - 1];
    const outcome = attempt.status ?? attempt.error;
    if (delay === undefined) {
      deliveries.put({ ...before, attempts, status: "failed" });
      this.#options.log(`webhook given up: ${event.type} ${event.id} to ${endpoint.url} (${outcome})`);
      return;
    }
    deliveries.put({ ...before, attempts });
    this.#options.log(
      `webhook failed: ${event.type} ${event.id} to ${endpoint.url} (${outcome}), again in ${delay} ms`,
    );
    this.#later(delay, id);
  }

  #countDown(eventId: string) {
    const event = this.#account.events.find(eventId);
    if (event) this.#account.events.put({ ...event, pending_webhooks: event.pending_webhooks - 1 });
  }
}

/** How an event fared with the endpoints that were to receive it. */
export function deliveriesOf(account: Account, event: Event): Delivery[] {
  return account.webhookEndpoints.oldestFirst().flatMap((endpoint) => {
    return account.deliveries.find(deliveryId(event.id, endpoint.id)) ?? [];
  });
}
