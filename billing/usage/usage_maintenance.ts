import type { Pool } from "../db/sql.ts";
import { z } from "zod";

const maintainedSchema = z.object({
  /** Months, such as 2026-11, whose partition was made or dropped. */
  created: z.array(z.string()),
  dropped: z.array(z.string()),
});

/** A counter that is not what the usage events (or the resources held) add up to. */
export interface WrongCounter {
  communityId: string;
  feature: string;
  /** The counter's stretch, as PostgreSQL writes an interval; 00:00:00 = what is held now. */
  resolution: string;
  startsAt: Date;
  counted: number;
  inEvents: number;
}

/** What the upkeep did and found. */
export interface UsageMaintenance extends z.output<typeof maintainedSchema> {
  wrongCounters: WrongCounter[];
  /** Whether those were made anew. */
  rebuilt: boolean;
}

/**
 * Makes the months ahead, drops the months that are no longer kept, and compares every counter with the events; with
 * `rebuild` it makes anew those that are wrong. `sql` is an operator's connection. Safe at any time, also twice at once.
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
    // One call and so one transaction each: nobody waits for more than their own.
    for (const { communityId, feature } of wrong.values()) {
      await sql`select billing.rebuild_usage_counters(${communityId}, ${feature})`;
    }
  }
  return { ...maintainedSchema.parse(maintained), wrongCounters, rebuilt: rebuild };
}
