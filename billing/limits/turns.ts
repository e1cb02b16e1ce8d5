import { tooMany } from "./rates.ts";

export interface TurnOptions {
  /** Works under way at once. */
  max: number;
  /** Of one owner. */
  maxEach: number;
  /** Works of one owner that wait. */
  maxWaiting: number;
  /** How long one waits at most. */
  waitMs: number;
}

interface Waiter {
  start(): void;
  owner: string;
}

/**
 * Lets works take turns: a bounded number at once, and among those that wait one of each owner in turn. However many works one
 * owner brings, another waits for one of them at most. A work that would wait for too long, or behind too many of its owner, is
 * refused with `too_many_requests`.
 */
export function turns({ max, maxEach, maxWaiting, waitMs }: TurnOptions) {
  /** Waiting works by owner; the order of the owners is the order of their turns. */
  const waiting = new Map<string, Waiter[]>();
  const running = new Map<string, number>();
  let total = 0;

  const isFree = (owner: string) => total < max && (running.get(owner) ?? 0) < maxEach;

  function begin(owner: string): void {
    total++;
    running.set(owner, (running.get(owner) ?? 0) + 1);
  }

  function end(owner: string): void {
    total--;
    const left = running.get(owner)! - 1;
    if (left === 0) running.delete(owner);
    else running.set(owner, left);
    for (const next of [...waiting.keys()]) {
      if (total >= max) return;
      if (isFree(next)) startNext(next);
    }
  }

  function startNext(owner: string): void {
    const queue = waiting.get(owner)!;
    const waiter = queue.shift()!;
    // Behind the others, for its next one.
    waiting.delete(owner);
    if (queue.length > 0) waiting.set(owner, queue);
    begin(owner);
    waiter.start();
  }

  function wait(owner: string): Promise<void> {
    const queue = waiting.get(owner) ?? [];
    if (queue.length >= maxWaiting) throw tooMany("Too many of these are under way.", 5);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = {
      owner,
      start() {
        clearTimeout(timer);
        resolve();
      },
    };
    const timer = setTimeout(() => {
      const place = queue.indexOf(waiter);
      if (place >= 0) queue.splice(place, 1);
      if (queue.length === 0 && waiting.get(owner) === queue) waiting.delete(owner);
      reject(tooMany("Too many of these are under way.", 5));
    }, waitMs);
    queue.push(waiter);
    waiting.set(owner, queue);
    return promise;
  }

  return {
    /** The result of `work`, once it is the owner's turn. Throws `too_many_requests`, and what the work throws. */
    async run<T>(owner: string, work: () => Promise<T>): Promise<T> {
      if (isFree(owner) && !waiting.has(owner)) begin(owner);
      else await wait(owner);
      try {
        return await work();
      } finally {
        end(owner);
      }
    },
  };
}
