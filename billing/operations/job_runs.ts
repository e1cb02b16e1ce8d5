/** What scheduled jobs write down about their runs, so that others notice when they stop. */
import { type Database, orUnavailable } from "../db/database.ts";

/** The scheduled jobs, by the names of their edge functions. */
export type JobName = "reconcile" | "report-usage";

/** The longest error that is kept. */
const ERROR_LENGTH = 500;

/** Runs a job, and notes in the database that it began and how it ended. Rejects as the job does. */
export async function recordRun<T>(db: Database, name: JobName, run: () => Promise<T>): Promise<T> {
  await orUnavailable(db`select billing.note_job_started(${name})`);
  try {
    const result = await run();
    await orUnavailable(db`select billing.note_job_finished(${name}, null)`);
    return result;
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).slice(0, ERROR_LENGTH);
    // The job's own error counts, also when this one cannot be noted.
    await db`select billing.note_job_finished(${name}, ${why})`.catch(() => {});
    throw error;
  }
}
