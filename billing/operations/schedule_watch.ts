/** Notices scheduled jobs that have stopped. */
import { z } from "zod";
import { callDatabase, type Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";

const lateSchema = z.array(
  z.object({ name: z.string(), last_finished_at: z.string().nullable(), detail: z.string() }),
);

const EVERY_MS = 5 * 60_000;
/** How often a job that stays late is logged. */
const LOG_EVERY_MS = 3_600_000;

export interface ScheduleWatchOptions {
  everyMs?: number;
  now?: () => number;
  /** Gets each line of the log. */
  write?: (line: string) => void;
}

/**
 * Looks every five minutes, and once at the start, for scheduled jobs that should have run by now. Each is an anomaly until it
 * runs again, and one line in the log an hour. Returns a function that ends this.
 */
export function watchSchedules(
  db: Database,
  { everyMs = EVERY_MS, now = Date.now, write = (line) => console.error(line) }: ScheduleWatchOptions = {},
): () => void {
  const loggedAt = new Map<string, number>();
  async function look(): Promise<void> {
    try {
      const late = await callDatabase(lateSchema, db`select billing.check_schedules()`);
      for (const { name, last_finished_at, detail } of late) {
        if (now() - (loggedAt.get(name) ?? -Infinity) < LOG_EVERY_MS) continue;
        loggedAt.set(name, now());
        write(
          JSON.stringify({
            event: "schedule_stopped",
            at: new Date(now()).toISOString(),
            job: name,
            lastFinishedAt: last_finished_at,
            detail,
          }),
        );
      }
    } catch (error) {
      // A database away is noticed and logged by whoever needs it.
      if (!(error instanceof BillingError)) {
        write(
          JSON.stringify({
            event: "schedule_watch_failed",
            at: new Date(now()).toISOString(),
            detail: String(error),
          }),
        );
      }
    }
  }
  void look();
  const timer = setInterval(look, everyMs);
  Deno.unrefTimer(timer as unknown as number);
  return () => clearInterval(timer);
}
