import { z } from "zod";
import type { Pool } from "../db/sql.ts";
import { communityIdSchema } from "../ids.ts";

const maintainedSchema = z.object({
  /** Months, such as 2026-11, whose partition was created. */
  created: z.array(z.string()),
  /** Months whose usage events were dropped. */
  dropped: z.array(z.string()),
  /** Months whose partition is to be created or dropped the next time, because the table was busy or has events of the month. */
  postponed: z.array(z.string()),
});

const wrongCounterSchema = z.object({
  community_id: communityIdSchema,
  feature: z.string(),
  resolution: z.string(),
  starts_at: z.date(),
  counted: z.coerce.number(),
  in_events: z.coerce.number(),
}).transform((row) => ({
  communityId: row.community_id,
  feature: row.feature,
  /** Length of the counter's bucket, as PostgreSQL writes an interval; 00:00:00 = resources held now. */
  resolution: row.resolution,
  startsAt: row.starts_at,
  counted: row.counted,
  inEvents: row.in_events,
}));

/** A counter that differs from the sum of the usage events (or from the number of resources held). */
export type WrongCounter = z.output<typeof wrongCounterSchema>;

/** What the maintenance did and found. */
export interface UsageMaintenance extends z.output<typeof maintainedSchema> {
  wrongCounters: WrongCounter[];
  /** Whether the wrong counters were rebuilt. */
  rebuilt: boolean;
}

/**
 * Creates the partitions of months ahead, drops old months, and compares every counter with the usage events. With `rebuild`
 * it rebuilds the wrong counters. `sql` is an operator's connection. Safe at any time, also twice at once; no use of a feature
 * waits for it.
 *
 * Throws the database's own errors.
 */
export async function maintainUsage(
  sql: Pool,
  { rebuild }: { rebuild: boolean },
): Promise<UsageMaintenance> {
  const [{ p_report: maintained }] = await sql`call billing.maintain_usage()`;
  const rows = await sql`
    select community_id, feature, resolution::text, starts_at, counted, in_events
    from billing.check_usage_counters() order by 1, 2, 3, 4`;
  const wrongCounters = z.array(wrongCounterSchema).parse(rows);
  if (rebuild) await rebuildCounters(sql, wrongCounters);
  return { ...maintainedSchema.parse(maintained), wrongCounters, rebuilt: rebuild };
}

async function rebuildCounters(sql: Pool, wrongCounters: WrongCounter[]): Promise<void> {
  const wrong = new Map(
    wrongCounters.map((counter) => [JSON.stringify([counter.communityId, counter.feature]), counter]),
  );
  // A transaction for each, so that a use waits for its own counters only.
  for (const { communityId, feature } of wrong.values()) {
    await sql`select billing.rebuild_usage_counters(${communityId}, ${feature})`;
  }
}
