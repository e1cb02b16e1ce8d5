/**
 * `deno task usage:maintain [--rebuild] [--json]`: the daily usage maintenance and a check of all counters. Exit code 1 when
 * counters are wrong and `--rebuild` was not given.
 */
import { parseArgs } from "node:util";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { maintainUsage, type UsageMaintenance } from "../usage/usage_maintenance.ts";
import { connectOperator } from "./operator.ts";

const { values } = parseArgs({
  options: { rebuild: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});
const config = configOrExit(readOperatorConfig);
await using sql = connectOperator(config.operatorDatabaseUrl);
const result = await maintainUsage(sql, { rebuild: values.rebuild });
if (values.json) console.log(JSON.stringify(result));
else print(result);
if (result.wrongCounters.length > 0 && !result.rebuilt) Deno.exitCode = 1;

function print({ created, dropped, postponed, wrongCounters, rebuilt }: UsageMaintenance) {
  if (created.length > 0) console.log(`Created partitions of usage events: ${created.join(", ")}.`);
  if (dropped.length > 0) console.log(`Dropped usage events of ${dropped.join(", ")}.`);
  if (postponed.length > 0) console.log(`Not now, but the next time: ${postponed.join(", ")}.`);
  if (wrongCounters.length === 0) console.log("All counters agree with the usage events.");
  else {
    console.table(wrongCounters);
    console.log(
      rebuilt
        ? "These counters were wrong and have been rebuilt."
        : "These counters are wrong: run this again with --rebuild.",
    );
  }
}
