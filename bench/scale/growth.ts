/** Whether a cost grows that should not. */
import type { Expectation } from "./probes.ts";

/** One call at one size. */
export interface Reading {
  communities: number;
  /** ms, the median of some calls; as long as it was let run when it was cancelled. */
  milliseconds: number;
  /** Pages of 8 kB that were read or found in memory; null when it was cancelled. */
  buffers: number | null;
  rows: number;
  /** Tables that it holds exclusively until it ends, so that nobody can read them. */
  exclusive: string[];
}

/** A tree that is one level deeper costs a few pages more; that is no growth. */
const FEW_PAGES = 40;
/** Time is noisy where pages are not. */
const FEW_MS = 20;

/** What is wrong, in a sentence; null when the cost is as expected. */
export function growthFault(expect: Expectation, readings: Reading[]): string | null {
  const cancelled = readings.find(({ buffers }) => buffers === null);
  if (cancelled) {
    return `cancelled after ${Math.round(cancelled.milliseconds)} ms at ${cancelled.communities} communities`;
  }
  const [first, last] = [readings[0], readings.at(-1)!];
  const [before, after] = [first.buffers!, last.buffers!];
  if (expect === "flat") {
    if (after > before * 1.5 + FEW_PAGES) return `${before} → ${after} buffers`;
    if (last.milliseconds > first.milliseconds * 3 + FEW_MS) {
      return `${first.milliseconds.toFixed(1)} → ${last.milliseconds.toFixed(1)} ms`;
    }
    return null;
  }
  const each = after / last.communities;
  return each > expect.whole ? `${each.toFixed(2)} buffers a community instead of ${expect.whole}` : null;
}
