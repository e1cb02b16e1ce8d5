import assert from "node:assert/strict";
import { latencies, median, quantile, ratios, spread } from "./statistics.ts";

Deno.test("quantile() takes the nearest rank, whatever the order of the values", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual([0, 0.01, 0.5, 0.99, 0.995, 1].map((q) => quantile(values, q)), [1, 1, 50, 99, 100, 100]);
  assert.equal(quantile([7], 0.5), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

Deno.test("quantile() sorts numbers as numbers and leaves its argument as it is", () => {
  const values = [10, 9, 100];
  assert.equal(quantile(values, 0.5), 10);
  assert.deepEqual(values, [10, 9, 100]);
});

Deno.test("median() of an even number of values is between the middle two", () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 3, 2]), median([5])], [2, 2.5, 5]);
  assert.ok(Number.isNaN(median([])));
});

Deno.test("spread() and latencies() name median and extremes", () => {
  assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.deepEqual(latencies([4, 2, 1, 3]), { p50: 2, p95: 4, p99: 4, max: 4 });
});

Deno.test("ratios() pairs what was measured in the same turn, and refuses turns that do not pair up", () => {
  assert.deepEqual(ratios([10, 30], [20, 10]), [0.5, 3]);
  assert.throws(() => ratios([1, 2], [1]), /2 turns cannot be compared with 1/);
});
