/**
 * Runs the scheduled jobs where no pg_cron calls the edge functions: `deno task schedules`, as a process of its own beside the
 * plugin server. `--once` runs each job once and ends, for another scheduler (cron, a systemd timer, Kubernetes).
 *
 * It calls the entry files of the edge functions in this process, with the environment of the edge functions. Several at the
 * same time do no harm.
 */
import { processEnvironment } from "../billing/config.ts";
import reconcile from "../supabase/functions/reconcile/index.ts";
import reportUsage from "../supabase/functions/report-usage/index.ts";

/** In minutes, as the schedules in the database. */
const jobs = [
  { name: "reconcile", everyMinutes: 10, fetch: reconcile.fetch },
  { name: "report-usage", everyMinutes: 5, fetch: reportUsage.fetch },
];

/** Runs a job and writes a line of JSON about it. Resolves to whether it was complete. */
async function run({ name, fetch }: typeof jobs[number]): Promise<boolean> {
  const began = performance.now();
  const answer = await fetch(
    new Request(`http://localhost/${name}`, {
      method: "POST",
      headers: { apikey: processEnvironment().CRON_SECRET ?? "" },
    }),
  );
  const text = await answer.text();
  console.log(JSON.stringify({
    event: "job",
    at: new Date().toISOString(),
    job: name,
    ok: answer.ok,
    milliseconds: Math.round(performance.now() - began),
    ...(answer.ok ? {} : { status: answer.status, detail: text.slice(0, 300) }),
  }));
  return answer.ok;
}

const once = Deno.args.includes("--once");
const first = await Promise.all(jobs.map(run));
if (once) Deno.exit(first.every(Boolean) ? 0 : 1);
for (const job of jobs) setInterval(() => void run(job), job.everyMinutes * 60_000);
for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, () => Deno.exit(0));
