/**
 * `deno task usage:resend IDENTIFIER…` or `--all`: bills usage that Stripe had refused, once the cause is mended. The units
 * go into the community's report of now. Without arguments it lists what could be resent. Ends with exit code 1 when
 * something asked for was not resent.
 */
import { parseArgs } from "node:util";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { connectOperator } from "./operator.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { all: { type: "boolean", default: false } },
});
const outcomes: Record<string, string> = {
  resent: "resent",
  not_refused: "left alone: it was not refused, or was resent already",
  no_customer: "left alone: its community has no Stripe customer now",
  unknown: "there is no such report",
};

const config = configOrExit(readOperatorConfig);
await using db = connectOperator(config.operatorDatabaseUrl);
const refused = await db<{ identifier: string }[]>`
  select community_id, feature, hour, quantity, state, error, identifier from public.unsent_usage_reports
  where state in ('refused', 'given_up') order by hour, identifier`;
const identifiers = values.all ? refused.map(({ identifier }) => identifier) : positionals;

if (identifiers.length > 0) {
  for (const identifier of identifiers) console.log(`${identifier}: ${await resend(identifier)}`);
} else if (refused.length > 0) {
  console.table(refused);
  console.log("To bill them after all: deno task usage:resend IDENTIFIER…, or --all");
} else {
  console.log("Stripe has refused nothing.");
}

async function resend(identifier: string): Promise<string> {
  const [{ outcome }] = await db<[{ outcome: string }]>`
    select billing.resend_usage_report(${identifier}) as outcome`;
  if (outcome !== "resent") Deno.exitCode = 1;
  return outcomes[outcome] ?? outcome;
}
