/** The schedules in the database: vault, jobs, and whether they run. */
import type { Pool } from "../db/sql.ts";
import { scheduledJobs } from "../setup/schedules.ts";
import { type Check, doubtful, type Finding, foundOr, right, skipped, wrong } from "./check.ts";

const group = "schedules";
const docs = "docs/deploy.md#the-schedules";

const has = async (sql: Pool, name: string) => {
  const [{ known }] = await sql<[{ known: boolean }]>`select to_regclass(${name}) is not null as known`;
  return known;
};

const NO_CRON =
  'The database has no pg_cron: another scheduler has to call the functions, and "last runs" tells whether it does.';

export const scheduleChecks: Check[] = [
  {
    group,
    name: "vault",
    docs,
    needs: ["schema"],
    async run({ operator, values }) {
      if (!await has(operator!, "cron.job")) return skipped(NO_CRON);
      if (!await has(operator!, "vault.decrypted_secrets")) {
        return {
          found: [
            wrong(
              "The database has no vault, so its schedules know neither address nor secret.",
              "create extension supabase_vault;",
            ),
          ],
        };
      }
      const rows = await operator!<{ name: string; secret: string | null }[]>`
        select name, decrypted_secret as secret from vault.decrypted_secrets where name in ('project_url', 'cron_secret')`;
      const kept = new Map(rows.map(({ name, secret }) => [name, secret]));
      const wanted = { project_url: values.SUPABASE_URL, cron_secret: values.CRON_SECRET };
      const variables = { project_url: "SUPABASE_URL", cron_secret: "CRON_SECRET" };
      const found: Finding[] = [];
      for (const name of ["project_url", "cron_secret"] as const) {
        const secret = kept.get(name);
        if (!secret) {
          found.push(wrong(
            `The vault lacks ${name}: the schedules call nothing.`,
            "Run deno task stripe:setup, which puts it there.",
          ));
        } else if (wanted[name] !== undefined && secret !== wanted[name]) {
          found.push(wrong(
            `The vault's ${name} is not ${variables[name]}${name === "project_url" ? ` (${secret})` : ""}.`,
            "Run deno task stripe:setup, which corrects it.",
          ));
        }
      }
      return foundOr(found, "The vault has the address and the secret that the schedules need.");
    },
  },
  {
    group,
    name: "jobs",
    docs,
    needs: ["schema"],
    async run({ operator }) {
      if (!await has(operator!, "cron.job")) return skipped(NO_CRON);
      if (!await has(operator!, "net._http_response")) {
        return {
          found: [
            wrong(
              "The database has no pg_net: its schedules cannot call the functions.",
              "create extension pg_net;",
            ),
          ],
        };
      }
      const rows = await operator!<{ name: string; active: boolean; command: string }[]>`
        select jobname as name, active, command from cron.job where jobname = any (${
        scheduledJobs.map(({ name }) => name)
      })`;
      const found = scheduledJobs.flatMap(({ name, command, fn }) => {
        const row = rows.find((each) => each.name === name);
        if (!row) {
          return [
            wrong(
              `The schedule ${name} does not exist: ${fn} is never called.`,
              "Run deno task stripe:setup, which makes it.",
            ),
          ];
        }
        if (!row.active) {
          return [
            wrong(
              `The schedule ${name} is switched off.`,
              `update cron.job set active = true where jobname = '${name}';`,
            ),
          ];
        }
        if (row.command !== command) {
          return [
            wrong(
              `The schedule ${name} runs something else than ${fn}: ${row.command.slice(0, 80)}`,
              "Run deno task stripe:setup, which makes it anew.",
            ),
          ];
        }
        return [];
      });
      return foundOr(found, `The schedules ${scheduledJobs.map(({ name }) => name).join(" and ")} are on.`);
    },
  },
  {
    group,
    name: "calls",
    docs,
    needs: ["schema"],
    async run({ operator }) {
      if (!await has(operator!, "cron.job_run_details") || !await has(operator!, "net._http_response")) {
        return skipped(NO_CRON);
      }
      const found: Finding[] = [];
      const lastRuns = await operator!<{ name: string; status: string; message: string | null }[]>`
        select distinct on (j.jobname) j.jobname as name, d.status, d.return_message as message
        from cron.job_run_details d join cron.job j using (jobid)
        where j.jobname = any (${
        scheduledJobs.map(({ name }) => name)
      }) and d.status in ('succeeded', 'failed')
        order by j.jobname, d.start_time desc`;
      const failed = lastRuns.filter(({ status }) => status === "failed");
      for (const { name, message } of failed) {
        found.push(wrong(
          `The last run of the schedule ${name} failed: ${
            (message ?? "without a reason").split("\n")[0].slice(0, 160)
          }`,
          "Mend what it says; it runs again by itself.",
        ));
      }
      // pg_net keeps answers for some hours.
      const answers = await operator!<{ status: number | null; text: string | null }[]>`
        select status_code as status, coalesce(error_msg, content) as text from net._http_response
        where created > now() - interval '1 hour' order by created desc limit 1`;
      for (const { status, text } of answers) {
        if (status !== null && status < 300) continue;
        found.push(wrong(
          status === null
            ? `The last call from the database got no answer: ${(text ?? "no reason").slice(0, 120)}`
            : `The last call from the database was answered ${status}: ${(text ?? "").slice(0, 120)}`,
          status === null
            ? "Look at project_url in the vault, and whether the functions are deployed."
            : "A 400 means another CRON_SECRET in the functions than in the vault: supabase secrets set CRON_SECRET=…",
        ));
      }
      return foundOr(found, "The schedules' last calls were answered.");
    },
  },
  {
    group,
    name: "last runs",
    docs: "docs/operate.md#schedules",
    needs: ["schema"],
    async run({ operator }) {
      const late = await operator!<
        { name: string; last: Date | null; error: string | null; every: string }[]
      >`
        select name, last_finished_at as last, last_error as error, expected_every::text as every from billing.late_jobs()`;
      if (late.length > 0) {
        return {
          found: late.map(({ name, last, error }) =>
            wrong(
              last
                ? `The job ${name} was last complete at ${last.toISOString()}${
                  error ? ` and fails since: ${error.slice(0, 120)}` : ""
                }.`
                : `The job ${name} was never complete${error ? `: ${error.slice(0, 120)}` : ""}.`,
              `Look at the other findings. To run it now: ${
                name === "reconcile" ? "deno task reconcile" : `call the function ${name}`
              }.`,
            )
          ),
        };
      }
      const failing = await operator!<{ name: string; error: string }[]>`
        select name, last_error as error from billing.scheduled_jobs where last_error is not null order by name`;
      if (failing.length > 0) {
        return {
          found: failing.map(({ name, error }) =>
            doubtful(
              `The last run of ${name} failed: ${error.slice(0, 160)}`,
              "It runs again by itself; look again in an hour.",
            )
          ),
        };
      }
      const runs = await operator!<{ name: string; age: string | null }[]>`
        select name, (extract(epoch from now() - last_finished_at) / 60)::integer::text as age
        from billing.scheduled_jobs order by name`;
      return right(
        runs.map(({ name, age }) => age === null ? `${name} is new` : `${name} ran ${age} minutes ago`).join(
          ", ",
        ) + ".",
      );
    },
  },
];
