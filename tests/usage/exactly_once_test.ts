import assert from "node:assert/strict";
import { runStorm } from "./storm.ts";

Deno.test("reportUsage: Stripe's meter counts exactly what was used, although workers are killed and calls fail", async () => {
  const storm = await runStorm({ communities: 12, hours: 6, usesPerHour: 20, workers: 2, seed: 7 });
  assert.equal(storm.uses, 12 * 6 * 20);
  assert.ok(storm.killed > 2, `${storm.killed} workers were killed`);
  assert.ok(storm.repeated > 5, `${storm.repeated} reports were sent again`);
  assert.deepEqual(Object.keys(storm.reports), ["sent"]);
  assert.deepEqual(storm.counted, storm.consumed);
});
