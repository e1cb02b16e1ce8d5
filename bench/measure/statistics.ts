/** The value that the share `q` of all values does not exceed, by the nearest-rank method; NaN when there are none. */
export function quantile(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? NaN;
}

/** The middle value, or the mean of the two middle ones; NaN when there are none. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length === 0
    ? NaN
    : Number.isInteger(middle)
    ? (sorted[middle - 1] + sorted[middle]) / 2
    : sorted[Math.floor(middle)];
}

/** What several measurements of the same thing gave. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spread(values: number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Latencies in milliseconds. */
export interface Latencies {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export function latencies(milliseconds: number[]): Latencies {
  return {
    p50: quantile(milliseconds, 0.5),
    p95: quantile(milliseconds, 0.95),
    p99: quantile(milliseconds, 0.99),
    max: quantile(milliseconds, 1),
  };
}

/**
 * Values of two contenders that were measured in the same turns, as one ratio for each turn: what disturbs a turn then
 * disturbs both. Throws when the turns do not pair up.
 */
export function ratios(values: number[], base: number[]): number[] {
  if (values.length !== base.length) {
    throw new Error(`${values.length} turns cannot be compared with ${base.length}`);
  }
  return values.map((value, turn) => value / base[turn]);
}
