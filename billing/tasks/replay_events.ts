/**
 * `deno task events:replay evt_… [evt_…]` or `--from TIME [--to TIME]`: applies events of the event log again, with the same
 * function as the webhook. An event that is older than the stored state stays stale, so a replay undoes nothing.
 */
import { parseArgs } from "node:util";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { Deadline } from "../deadline.ts";
import { type LoggedEvent, readLoggedEvent } from "../events/open_events.ts";
import { processEvent } from "../events/process_event.ts";
import { connectStripe, isLiveKey } from "../stripe.ts";
import { connectOperator } from "./operator.ts";

const USAGE =
  "Usage: deno task events:replay evt_… [evt_…]   or   --from 2026-11-01T00:00Z [--to 2026-11-02T00:00Z]";
/** How long Stripe is asked about one event. */
const ASK_MS = 20_000;

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
const deps = { db, stripe: connectStripe(config.stripe), isLive: isLiveKey(config.stripe.secretKey) };

const events = isRange
  ? await db<LoggedEvent[]>`
      select id, type, extract(epoch from created_at)::integer as created, livemode, api_version, customer_id, object_id,
        payload::text
      from billing.stripe_events where created_at between ${times[0]} and ${times[1]} order by created_at, id`
  : await db<LoggedEvent[]>`
      select id, type, extract(epoch from created_at)::integer as created, livemode, api_version, customer_id, object_id,
        payload::text
      from billing.stripe_events where id = any (${ids}) order by created_at, id`;
const known = new Set(events.map(({ id }) => id));
for (const id of ids.filter((id) => !known.has(id))) console.log(`${id}: not in the event log`);
for (const event of events) console.log(`${event.id}: ${await replay(event)}`);

/** One event that fails does not keep the others from being replayed. */
async function replay(logged: LoggedEvent): Promise<string> {
  try {
    // Without its payload, the object is asked for.
    const event = readLoggedEvent(logged, deps);
    const { outcome, reason } = await processEvent(deps, event, {
      isReplay: true,
      deadline: Deadline.in(ASK_MS),
    });
    return reason ? `${outcome} (${reason})` : outcome;
  } catch (error) {
    Deno.exitCode = 1;
    return `failed: ${error instanceof Error ? error.message : error}`;
  }
}
