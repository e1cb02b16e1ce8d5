/**
 * `deno task usage:maintain [--rebuild] [--json]`: the daily upkeep of usage, and a check of all counters. Exit code 1 when
 * some are wrong and `--rebuild` did not say to make them anew.
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
const upkeep = await maintainUsage(sql, { rebuild: values.rebuild });
if (values.json) console.log(JSON.stringify(upkeep));
else print(upkeep);
if (upkeep.wrongCounters.length > 0 && !upkeep.rebuilt) Deno.exitCode = 1;

function print({ created, dropped, wrongCounters, rebuilt }: UsageMaintenance) {
  if (created.length > 0) console.log(`Made ready for usage events: ${created.join(", ")}.`);
  if (dropped.length > 0) console.log(`Dropped usage events of: ${dropped.join(", ")}.`);
  if (wrongCounters.length === 0) console.log("All counters agree with the usage events.");
  else {
    console.table(wrongCounters);
    console.log(
      rebuilt
        ? "These were wrong and have been made anew."
        : "These are wrong: run this again with --rebuild.",
    );
  }
}
