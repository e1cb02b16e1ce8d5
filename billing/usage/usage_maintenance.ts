import type { Pool } from "../db/sql.ts";
import { z } from "zod";

const maintainedSchema = z.object({
  /** Months, such as 2026-11, whose partition was created. */
  created: z.array(z.string()),
  /** Months whose usage events were dropped. */
  dropped: z.array(z.string()),
});

/** A counter that differs from the sum of the usage events (or from the number of resources held). */
export interface WrongCounter {
  communityId: string;
  feature: string;
  /** Length of the counter's bucket, as PostgreSQL writes an interval; 00:00:00 = resources held now. */
  resolution: string;
  startsAt: Date;
  counted: number;
  inEvents: number;
}

/** What the maintenance did and found. */
export interface UsageMaintenance extends z.output<typeof maintainedSchema> {
  wrongCounters: WrongCounter[];
  /** Whether the wrong counters were rebuilt. */
  rebuilt: boolean;
}

/**
 * Creates the partitions of months ahead, drops old months, and compares every counter with the usage events. With `rebuild`
 * it rebuilds the wrong counters. `sql` is an operator's connection. Safe at any time, also twice at once.
 *
 * Throws the database's own errors.
 */
export async function maintainUsage(
  sql: Pool,
  { rebuild }: { rebuild: boolean },
): Promise<UsageMaintenance> {
  const [{ maintained }] = await sql`select billing.maintain_usage() as maintained`;
  const rows = await sql<
    {
      community_id: string;
      feature: string;
      resolution: string;
      starts_at: Date;
      counted: string;
      in_events: string;
    }[]
  >`
    select community_id, feature, resolution::text, starts_at, counted, in_events
    from billing.check_usage_counters() order by 1, 2, 3, 4`;
  const wrongCounters = rows.map((row) => ({
    communityId: row.community_id,
    feature: row.feature,
    resolution: row.resolution,
    startsAt: row.starts_at,
    counted: Number(row.counted),
    inEvents: Number(row.in_events),
  }));
  if (rebuild) {
    const wrong = new Map(
      wrongCounters.map((
        { communityId, feature },
      ) => [JSON.stringify([communityId, feature]), { communityId, feature }]),
    );
    // A transaction for each, so that a use waits for its own counters only.
    for (const { communityId, feature } of wrong.values()) {
      await sql`select billing.rebuild_usage_counters(${communityId}, ${feature})`;
    }
  }
  return { ...maintainedSchema.parse(maintained), wrongCounters, rebuilt: rebuild };
}
