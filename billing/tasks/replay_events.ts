/**
 * `deno task events:replay evt_… [evt_…]` or `--from TIME [--to TIME]`: applies events of the event log again, with the same
 * function as the webhook. An event that is older than the stored state stays stale, so a replay undoes nothing.
 */
import { parseArgs } from "node:util";
import type { Pool, Row } from "../db/sql.ts";
import type Stripe from "stripe";
import { replayEvent } from "../events/apply.ts";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { connectStripe } from "../stripe.ts";
import { isThinEvent } from "../events/thin_event.ts";
import { connectOperator } from "./operator.ts";

const USAGE =
  "Usage: deno task events:replay evt_… [evt_…]   or   --from 2026-11-01T00:00Z [--to 2026-11-02T00:00Z]";

const { positionals: ids, values } = parseArgs({
  allowPositionals: true,
  options: { from: { type: "string" }, to: { type: "string" } },
});
const times = [values.from, values.to ?? new Date().toISOString()].map((text) => new Date(text ?? NaN));
const isRange = ids.length === 0 && times.every((time) => !Number.isNaN(time.getTime()));
if (!isRange && (ids.length === 0 || values.from !== undefined)) {
  console.error(USAGE);
  Deno.exit(1);
}

const config = configOrExit(readOperatorConfig);
await using db = connectOperator(config.operatorDatabaseUrl);
const stripe = connectStripe(config.stripe);

const events = isRange
  ? await db`select id, payload from billing.stripe_events
      where created_at between ${times[0]} and ${times[1]} order by created_at, id`
  : await db`select id, payload from billing.stripe_events where id = any (${ids}) order by created_at, id`;
const known = new Set(events.map(({ id }) => id));
for (const id of ids.filter((id) => !known.has(id))) console.log(`${id}: not in the event log`);
for (const event of events) console.log(`${event.id}: ${await replay(event, db, stripe)}`);

async function replay({ id, payload }: Row, db: Pool, stripe: Stripe): Promise<string> {
  // A reduced payload has only ids. Stripe keeps an event for 30 days.
  const isReduced = !("data" in payload) && !isThinEvent(JSON.stringify(payload));
  const event = isReduced ? toPlain(await stripe.events.retrieve(id)) : payload;
  const { outcome, reason } = await replayEvent({ db, stripe }, event);
  return reason ? `${outcome} (${reason})` : outcome;
}

/** Without the properties that the SDK adds to an answer. */
function toPlain(answer: Stripe.Event): unknown {
  return JSON.parse(JSON.stringify(answer));
}
