/** The schedules in the database: the two secrets in the vault that they call the edge functions with, and the jobs. */
import type { Pool } from "../db/sql.ts";
import type { SetupSteps } from "./setup_steps.ts";

/** The jobs and the edge functions they call, as supabase/migrations/20261125120300_schedules.sql makes them. */
export const scheduledJobs = [
  {
    name: "dues-reconcile",
    fn: "reconcile",
    schedule: "*/10 * * * *",
    command: "select billing.call_function('reconcile')",
  },
  {
    name: "dues-report-usage",
    fn: "report-usage",
    schedule: "*/5 * * * *",
    command: "select billing.call_function('report-usage')",
  },
];

const isThere = async (sql: Pool, relation: string) => {
  const [{ known }] = await sql<[{ known: boolean }]>`select to_regclass(${relation}) is not null as known`;
  return known;
};

/**
 * Puts `project_url` and `cron_secret` into the vault and makes the jobs, where they are not as they should be. Returns what
 * only the operator can do, as sentences. `sql` is a connection of role postgres.
 */
export async function ensureSchedules(
  sql: Pool,
  steps: SetupSteps,
  { projectUrl, cronSecret }: { projectUrl: string; cronSecret?: string },
): Promise<string[]> {
  if (!await isThere(sql, "cron.job")) {
    return [
      "The database has no pg_cron, so nothing is scheduled there. Where it can be had, enable pg_cron and pg_net (dashboard: " +
      "Database, Extensions) and run this again. Elsewhere let another scheduler call the functions: docs/deploy.md, The schedules.",
    ];
  }
  const todo: string[] = [];
  if (!await isThere(sql, "vault.decrypted_secrets")) {
    todo.push(
      "The database has no vault. Enable the extension supabase_vault and run this again: the schedules call nothing.",
    );
  } else {
    await ensureSecret(sql, steps, "project_url", projectUrl);
    if (cronSecret) await ensureSecret(sql, steps, "cron_secret", cronSecret);
    else {
      todo.push(
        "CRON_SECRET is not set, so the schedules call nothing. Make one (openssl rand -hex 32), put it into .env, " +
          "supabase secrets set CRON_SECRET=… for the functions, and run this again for the vault.",
      );
    }
  }
  for (const { name, schedule, command } of scheduledJobs) {
    const [job] = await sql<{ schedule: string; command: string; active: boolean }[]>`
      select schedule, command, active from cron.job where jobname = ${name}`;
    if (job?.command === command && job.active) continue; // another rhythm is the operator's choice
    await steps.run(
      job ? `Correct the schedule ${name}` : `Create the schedule ${name}`,
      async () => {
        // A job that is switched off stays off when it is scheduled again.
        if (job) await sql`select cron.unschedule(${name})`;
        await sql`select cron.schedule(${name}, ${job?.schedule ?? schedule}, ${command})`;
      },
      undefined,
    );
  }
  return todo;
}

async function ensureSecret(sql: Pool, steps: SetupSteps, name: string, wanted: string): Promise<void> {
  const [kept] = await sql<{ id: string; secret: string | null }[]>`
    select id, decrypted_secret as secret from vault.decrypted_secrets where name = ${name}`;
  if (kept?.secret === wanted) return;
  await steps.run(
    kept ? `Change ${name} in the vault` : `Put ${name} into the vault`,
    async () => {
      if (kept) await sql`select vault.update_secret(${kept.id}::uuid, ${wanted})`;
      else await sql`select vault.create_secret(${wanted}, ${name})`;
    },
    undefined,
  );
}
