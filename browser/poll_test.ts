import assert from "node:assert/strict";
import { BACK_OFF_MS, pollUntilSettled } from "./poll.ts";

function setUp(settledAfter: number) {
  const waits: number[] = [];
  let attempts = 0;
  return {
    waits,
    attempt: () => Promise.resolve(++attempts >= settledAfter),
    wait: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
}

Deno.test("pollUntilSettled() stops at the first settled try", async () => {
  const { waits, attempt, wait } = setUp(3);
  assert.equal(await pollUntilSettled(attempt, [0, 10, 20, 40], wait), true);
  assert.deepEqual(waits, [0, 10, 20]);
});

Deno.test("pollUntilSettled() gives up after the last delay", async () => {
  const { waits, attempt, wait } = setUp(Infinity);
  assert.equal(await pollUntilSettled(attempt, [0, 10, 20], wait), false);
  assert.deepEqual(waits, [0, 10, 20]);
});

Deno.test("the back-off asks at once, never more often than before, and ends within about a minute", () => {
  assert.equal(BACK_OFF_MS[0], 0);
  assert.deepEqual(BACK_OFF_MS, BACK_OFF_MS.toSorted((a, b) => a - b));
  const total = BACK_OFF_MS.reduce((sum, ms) => sum + ms);
  assert.ok(total >= 45_000 && total <= 75_000, `${total} ms`);
});
