/**
 * `deno run -A bench/usage_reports.ts [--uses N] [--seed N] [--json]`: shows that usage is billed exactly once, at any size.
 * Communities use a metered feature while the workers that report it are killed at random and Stripe fails at random. Then
 * the sums in the simulator's meter are compared with the usage. A million uses by default. Exit code 1 when a sum differs.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { withEphemeralCluster } from "../local/postgres/ephemeral_cluster.ts";
import { CLUSTER_VARIABLE } from "../tests/support/database.ts";
import { runStorm } from "../tests/usage/storm.ts";

const COMMUNITIES = 100;
const HOURS = 25;

const { uses, seed, json } = parseArgs({
  options: {
    uses: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
}).values;
const usesPerHour = Math.max(1, Math.round(Number(uses) / COMMUNITIES / HOURS));

await withEphemeralCluster(async (cluster) => {
  Deno.env.set(CLUSTER_VARIABLE, JSON.stringify(cluster));
  const begun = performance.now();
  const storm = await runStorm({
    communities: COMMUNITIES,
    hours: HOURS,
    usesPerHour,
    workers: 2,
    seed: Number(seed),
    onProgress: (text) => json || console.log(text),
  });
  const sum = (units: Map<string, number>) => [...units.values()].reduce((a, b) => a + b, 0);
  const result = {
    uses: storm.uses,
    consumed: sum(storm.consumed),
    counted: sum(storm.counted),
    reports: storm.reports,
    sentAgain: storm.repeated,
    workersKilled: storm.killed,
    seconds: Math.round((performance.now() - begun) / 1000),
  };
  console.log(json ? JSON.stringify(result) : result);
  assert.deepEqual(storm.counted, storm.consumed, "Stripe's meter counts something else than was used");
});
