/** What one event costs the database, through the webhook's own entry over HTTP. */
import type { EventSeries } from "../load/event_series.ts";
import { LoadProcess } from "../load/load.ts";
import type { BenchDatabase } from "../measure/durable_postgres.ts";
import { median } from "../measure/statistics.ts";
import { WebhookRunner } from "../parts/webhook.ts";
import { eventOutcomes, storedPrices, WEBHOOK_SECRET, webhookFunction } from "../product.ts";
import type { Reading } from "./growth.ts";

const EVENTS = 200;

/**
 * Sends events to the edge function on this database, of its first hundred communities. Buffers are those of the whole
 * database meanwhile, so nothing else may use it. The events stay in the event log. Rejects unless all are applied.
 */
export async function probeWebhook(
  database: BenchDatabase,
  series: EventSeries,
  communities: number,
): Promise<Reading> {
  const before = await eventOutcomes(database.sql);
  const blocks = await blocksOf(database);
  let milliseconds = NaN;
  {
    await using load = new LoadProcess();
    const contender = {
      name: "webhook",
      database,
      path: "/",
      secret: WEBHOOK_SECRET,
      server: webhookFunction(database.url("billing_service")),
      outcomes: async () => {
        const now = await eventOutcomes(database.sql);
        return Object.fromEntries(
          Object.entries(now).map(([name, count]) => [name, count - (before[name] ?? 0)]),
        );
      },
      prices: () => storedPrices(database.sql),
    };
    await using runner = await WebhookRunner.start(contender, series, load);
    const { latencies } = await runner.slice({ inFlight: 1, count: EVENTS });
    milliseconds = median(latencies);
    const faults = await runner.faults();
    if (faults.length > 0) throw new Error(faults.join("\n"));
  }
  // A connection that ends hands over what it has counted.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const buffers = Math.round((await blocksOf(database) - blocks) / EVENTS);
  return { communities, milliseconds, buffers, rows: 1, exclusive: [] };
}

async function blocksOf({ sql, name }: BenchDatabase): Promise<number> {
  const [{ blocks }] = await sql<{ blocks: number }[]>`
    select (blks_hit + blks_read)::float8 as blocks from pg_stat_database where datname = ${name}`;
  return blocks;
}
