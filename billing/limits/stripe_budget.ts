import { AsyncLocalStorage } from "node:async_hooks";

/** Who Stripe is called for. */
export type Share = "people" | "webhooks";

export interface BudgetOptions {
  /** Calls a second of this process. */
  perSecond: number;
  /** Stands for the clock in tests; in milliseconds. */
  now?: () => number;
}

/** Of each second's calls, what is kept for a share when the other wants them all. */
const KEPT: Record<Share, number> = { people: 0.4, webhooks: 0.4 };

interface Caller {
  share: Share;
  /** Whose call it is, such as a community. */
  owner: string;
}

const current = new AsyncLocalStorage<Caller>();
const background: Caller = { share: "webhooks", owner: "" };

/**
 * Calls to Stripe a second, below what Stripe allows an account (https://docs.stripe.com/rate-limits): beyond it Stripe refuses
 * the calls of everybody. Calls over the budget wait. Of what the budget allows, webhooks and people each keep a share, so that
 * a flood of one does not stop the other; what one does not use the other may. Within a share the owners take turns, so that one
 * owner's calls, however many, delay another's by one.
 */
export function stripeBudget({ perSecond, now = () => performance.now() }: BudgetOptions) {
  const waiting: Record<Share, FairQueue> = { people: new FairQueue(), webhooks: new FairQueue() };
  let tokens = perSecond;
  let refilled = now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;

  function refill(): void {
    const time = now();
    tokens = Math.min(perSecond, tokens + (time - refilled) * perSecond / 1000);
    refilled = time;
  }

  /** The share whose turn it is: of ten calls four are each one's own, and the other two go to whoever has more waiting. */
  function next(): Share | undefined {
    if (waiting.people.size === 0) return waiting.webhooks.size === 0 ? undefined : "webhooks";
    if (waiting.webhooks.size === 0) return "people";
    const place = turn++ % 10 / 10;
    if (place < KEPT.people) return "people";
    if (place < KEPT.people + KEPT.webhooks) return "webhooks";
    return waiting.people.size > waiting.webhooks.size ? "people" : "webhooks";
  }

  function dispatch(): void {
    refill();
    while (tokens >= 1) {
      const share = next();
      if (share === undefined) return;
      tokens--;
      waiting[share].take()!();
    }
    if (timer === undefined && waiting.people.size + waiting.webhooks.size > 0) {
      timer = setTimeout(() => {
        timer = undefined;
        dispatch();
      }, Math.ceil((1 - tokens) * 1000 / perSecond));
    }
  }

  /** Resolves when a call may be made. Rejects with the signal's reason when that is aborted first. */
  function admit({ share, owner }: Caller, signal?: AbortSignal | null): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const start = () => {
      signal?.removeEventListener("abort", leave);
      resolve();
    };
    const leave = () => {
      waiting[share].remove(owner, start);
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", leave, { once: true });
    waiting[share].add(owner, start);
    dispatch();
    return promise;
  }

  return {
    /** Runs `work`; the calls to Stripe in it count for `share`, and for the owner. Calls outside count for webhooks. */
    as: <T>(share: Share, owner: string, work: () => Promise<T>): Promise<T> =>
      current.run({ share, owner }, work),

    /** `fetch` within the budget, for Stripe's HTTP client. */
    fetch: async (
      ...[input, init]: Parameters<typeof fetch>
    ): Promise<Awaited<ReturnType<typeof fetch>>> => {
      await admit(current.getStore() ?? background, init?.signal);
      return await fetch(input, init);
    },
  };
}

/** Works that wait, of which one of each owner is taken in turn. */
class FairQueue {
  /** In the order of the owners' turns. */
  readonly #byOwner = new Map<string, (() => void)[]>();
  size = 0;

  add(owner: string, start: () => void): void {
    this.size++;
    const queue = this.#byOwner.get(owner);
    if (queue) queue.push(start);
    else this.#byOwner.set(owner, [start]);
  }

  take(): (() => void) | undefined {
    const [first] = this.#byOwner;
    if (!first) return undefined;
    const [owner, queue] = first;
    this.size--;
    const start = queue.shift();
    this.#byOwner.delete(owner);
    if (queue.length > 0) this.#byOwner.set(owner, queue);
    return start;
  }

  remove(owner: string, start: () => void): void {
    const queue = this.#byOwner.get(owner);
    const place = queue?.indexOf(start) ?? -1;
    if (!queue || place < 0) return;
    this.size--;
    queue.splice(place, 1);
    if (queue.length === 0) this.#byOwner.delete(owner);
  }
}

export type StripeBudget = ReturnType<typeof stripeBudget>;

/** Calls a second: four fifths of Stripe's limits, 100 for live and 25 for test keys. */
export const stripeCallsPerSecond = (secretKey: string): number => /^\wk_live_/.test(secretKey) ? 80 : 20;
