/** How long and how large a run of the benchmarks is. */
export interface Extent {
  /** Slices of each contender. */
  turns: number;
  sliceMs: number;
  /** How often a slice that others disturb is measured, and how long to wait for a quiet moment before each. */
  attempts: number;
  quietMs: number;
  /** Webhooks before the memory of the server is read. */
  webhooksForMemory: number;
  /** Sizes of the history of use, in events. */
  histories: number[];
  /** The burst. */
  burst: { events: number; seconds: number };
  starts: number;
}

export const EXTENTS: Record<"short" | "usual" | "full", Extent> = {
  /** To see whether the instruments work: its figures mean little. */
  short: {
    turns: 2,
    sliceMs: 700,
    attempts: 1,
    quietMs: 0,
    webhooksForMemory: 2_000,
    histories: [10_000, 50_000],
    burst: { events: 1_000, seconds: 4 },
    starts: 2,
  },
  usual: {
    turns: 5,
    sliceMs: 2_000,
    attempts: 3,
    quietMs: 2_000,
    webhooksForMemory: 10_000,
    histories: [10_000, 100_000, 1_000_000],
    burst: { events: 5_000, seconds: 10 },
    starts: 5,
  },
  full: {
    turns: 9,
    sliceMs: 3_000,
    attempts: 4,
    quietMs: 10_000,
    webhooksForMemory: 100_000,
    histories: [10_000, 1_000_000, 10_000_000],
    burst: { events: 5_000, seconds: 10 },
    starts: 9,
  },
};
