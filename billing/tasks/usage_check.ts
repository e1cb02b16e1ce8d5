/**
 * `deno task usage:check`: compares what Stripe's meters count with what was reported, and prints each difference, as a
 * table or, with `--json`, as one line. Ends with exit code 1 when there is one.
 */
import { parseArgs } from "node:util";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { connectStripe } from "../stripe.ts";
import { checkUsage } from "../usage/meter_check.ts";
import { connectOperator } from "./operator.ts";

const { json } = parseArgs({ options: { json: { type: "boolean", default: false } } }).values;
const config = configOrExit(readOperatorConfig);
await using db = connectOperator(config.operatorDatabaseUrl);
const report = await checkUsage({ db, stripe: connectStripe(config.stripe) });
if (json) {
  console.log(JSON.stringify(report));
} else {
  console.log(`Compared ${report.compared} pairs of customer and meter.`);
  if (report.differences.length > 0) console.table(report.differences);
  else console.log("Stripe counts what was reported.");
}
if (report.differences.length > 0) Deno.exitCode = 1;
