import assert from "node:assert/strict";
import { LIMITS, takeTurns } from "./turns.ts";

const quiet = { foreign: 0, steal: 0 };

Deno.test("takeTurns() measures each contender once a turn, in an order that rotates", async () => {
  const order: string[] = [];
  const taken = await takeTurns({
    contenders: ["a", "b", "c"],
    turns: 3,
    attempts: 5,
    measure: (name) => Promise.resolve({ at: order.push(name), disturbance: quiet }),
  });
  assert.equal(order.join(""), "abcbcacab");
  assert.deepEqual([...taken.values()].map((slices) => slices.map(({ turn }) => turn)), [
    [0, 1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ]);
});

for (const kind of ["foreign", "steal"] as const) {
  Deno.test(`takeTurns() repeats a slice with too much ${kind}, and keeps the first quiet one`, async () => {
    let calls = 0;
    const taken = await takeTurns({
      contenders: ["a"],
      turns: 1,
      attempts: 5,
      measure: () => {
        calls++;
        const disturbance = calls < 3 ? { ...quiet, [kind]: LIMITS[kind] + 0.01 } : quiet;
        return Promise.resolve({ calls, disturbance });
      },
    });
    const [{ attempts, disturbed, slice }] = taken.get("a")!;
    assert.deepEqual([calls, attempts, disturbed, slice.calls], [3, 3, false, 3]);
  });
}

Deno.test("takeTurns() gives up after the last attempt, and says that the slice is disturbed", async () => {
  let calls = 0;
  const taken = await takeTurns({
    contenders: ["a"],
    turns: 1,
    attempts: 3,
    measure: () => Promise.resolve({ calls: ++calls, disturbance: { foreign: 0, steal: 1 } }),
  });
  assert.deepEqual([calls, taken.get("a")![0].attempts, taken.get("a")![0].disturbed], [3, 3, true]);
});
