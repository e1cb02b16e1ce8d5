import { z } from "zod";
import { callDatabase, type Database } from "../db/database.ts";

/** PostgreSQL's numbers of seconds. */
const seconds = z.coerce.number().nullable();

const statusSchema = z.object({
  newest_migration: z.string().nullable(),
  jobs: z.record(z.string(), z.object({ age: seconds, is_late: z.boolean() })),
  last_event_age: seconds,
  outbox_age: seconds,
  open_anomalies: z.coerce.number(),
}).transform((status) => ({
  newestMigration: status.newest_migration,
  jobs: Object.fromEntries(
    Object.entries(status.jobs).map((
      [name, { age, is_late }],
    ) => [name, { ageSeconds: age, isLate: is_late }]),
  ),
  lastEventAgeSeconds: status.last_event_age,
  outboxAgeSeconds: status.outbox_age,
  openAnomalies: status.open_anomalies,
}));

/** How the installation does, by the database's clock. Ages are in seconds; null where there was nothing yet. */
export type ServiceStatus = z.output<typeof statusSchema>;

/** Reads it in one call. Throws `BillingError` `database_unavailable`. */
export const readServiceStatus = (db: Database): Promise<ServiceStatus> =>
  callDatabase(statusSchema, db`select billing.service_status()`);
