/**
 * `deno task usage:resend IDENTIFIER…` or `--all`: bills usage that Stripe refused, once the cause is fixed. The units go
 * into the community's current report. Without arguments it lists what can be resent. Exit code 1 when a report that was
 * named was not resent.
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
  not_refused: "not resent: it was not refused, or was resent before",
  no_customer: "not resent: its community has no Stripe customer now",
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
  console.log("To bill them: deno task usage:resend IDENTIFIER… or --all");
} else {
  console.log("Stripe has refused nothing.");
}

async function resend(identifier: string): Promise<string> {
  const [{ outcome }] = await db<[{ outcome: string }]>`
    select billing.resend_usage_report(${identifier}) as outcome`;
  if (outcome !== "resent") Deno.exitCode = 1;
  return outcomes[outcome] ?? outcome;
}
