/** What attackers press, and how honest people fare meanwhile. Everything is bounded and stays on this machine. */
import assert from "node:assert/strict";
import { quantile } from "./sockets.ts";

/** How one kind of honest request went. */
export interface Figures {
  asked: number;
  served: number;
  /** Milliseconds. */
  p50: number;
  p95: number;
  slowest: number;
}

/** Makes `count` requests one after the other and counts those that are answered as wanted. */
export async function ask(count: number, request: () => Promise<boolean>, pauseMs = 20): Promise<Figures> {
  const times: number[] = [];
  let served = 0;
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    if (await request().catch(() => false)) served++;
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return figuresOf(count, served, times);
}

export function figuresOf(asked: number, served: number, times: number[]): Figures {
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    asked,
    served,
    p50: round(quantile(times, 0.5)),
    p95: round(quantile(times, 0.95)),
    slowest: round(Math.max(...times)),
  };
}

/** Prints figures, for docs/security.md. */
export function report(attack: string, figures: Record<string, unknown>): void {
  console.log(`${attack}: ${JSON.stringify(figures)}`);
}

/** Keeps `width` works under way until stop() is called; at most `most` in all. */
export function press(width: number, most: number, work: (n: number) => Promise<unknown>) {
  let isPressing = true;
  let done = 0;
  let begun = 0;
  const workers = Array.from({ length: width }, async () => {
    while (isPressing && begun < most) {
      await work(begun++).catch(() => {});
      done++;
    }
  });
  return {
    get done() {
      return done;
    },
    async stop(): Promise<number> {
      isPressing = false;
      await Promise.all(workers);
      return done;
    },
  };
}

/** A browser waits for twenty seconds. How much sooner the answers came, report() says: a slow machine fails no test. */
const PATIENCE_MS = 10_000;

/** Everybody was served, and nearly everybody well before a browser gives up. */
export function assertServed(figures: Figures, message: string): void {
  assert.equal(figures.served, figures.asked, `${message}: ${JSON.stringify(figures)}`);
  assert.ok(figures.p95 < PATIENCE_MS, `${message}: ${JSON.stringify(figures)}`);
}
