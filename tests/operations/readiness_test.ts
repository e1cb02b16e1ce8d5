// Health, readiness, and schedules that stop.
import assert from "node:assert/strict";
import type { Pool } from "../../billing/db/sql.ts";
import { connectDatabase } from "../../billing/db/database.ts";
import { newestMigration } from "../../billing/db/newest_migration.ts";
import { readMigrationFiles } from "../../billing/db/migration_files.ts";
import { recordRun } from "../../billing/operations/job_runs.ts";
import { readiness } from "../../billing/operations/readiness.ts";
import { watchSchedules } from "../../billing/operations/schedule_watch.ts";
import { connectStripe } from "../../billing/stripe.ts";
import { version } from "../../billing/version.ts";
import { startSimulator, type TestSimulator } from "@dues/stripe-simulator/testing";
import { projectPath } from "../../local/paths.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { startTestStack } from "../support/stack.ts";
import { callSimulator } from "../support/simulator.ts";

let database: TestDatabase;
let sql: Pool;
let db: Pool;
let rig: TestSimulator;
Deno.test.beforeAll(async () => {
  database = await createDatabase();
  sql = database.connect("postgres");
  db = connectDatabase(database.url("billing_service"), { max: 2 });
  rig = await startSimulator();
});
Deno.test.afterAll(async () => {
  await db?.close();
  await rig?.simulator.stop();
  await database?.drop();
});

const stripeOf = (apiBase: string) => connectStripe({ secretKey: "sk_test_ready", apiBase });

Deno.test("the newest migration that the code needs is the newest file of supabase/migrations", async () => {
  const files = await readMigrationFiles(projectPath("supabase", "migrations"));
  assert.equal(newestMigration, files.at(-1)!.version);
});

Deno.test("GET /api/health answers 200 without asking anybody, GET /api/ready says what works and how old the last runs are", async () => {
  await using stack = await startTestStack();
  const get = async (path: string) => {
    const answer = await fetch(`${stack.urls.plugin}${path}`);
    return { status: answer.status, cache: answer.headers.get("cache-control"), body: await answer.json() };
  };
  assert.deepEqual(await get("/api/health"), { status: 200, cache: "no-store", body: { ok: true, version } });

  const first = await get("/api/ready");
  assert.deepEqual(first, {
    status: 200,
    cache: "no-store",
    body: {
      ready: true,
      version,
      parts: { database: { ok: true }, migrations: { ok: true }, stripe: { ok: true } },
      ages: { reconciliation: null, usageReport: null, event: null },
      outboxAge: 0,
      openAnomalies: 0,
      lateJobs: [],
    },
  });

  for (const name of ["reconcile", "report-usage"]) {
    const answer = await fetch(`${stack.urls.supabase}/functions/v1/${name}`, {
      method: "POST",
      headers: { apikey: stack.keys.cronSecret },
    });
    assert.equal(answer.status, 200, await answer.text());
  }
  const stripe = stripeOf(stack.urls.stripe);
  await stripe.customers.del((await stripe.customers.create({})).id);
  await callSimulator(stack, "GET", "/_sim/idle");
  await new Promise((resolve) => setTimeout(resolve, 2_100)); // an answer of the database is kept for two seconds
  const { body: { ages } } = await get("/api/ready");
  for (const [name, age] of Object.entries(ages)) {
    assert.ok(Number(age) >= 0 && Number(age) < 60, `${name} ${age}`);
  }
});

Deno.test("readiness() without a database names it, and answers in time", async () => {
  const away = connectDatabase("postgresql://billing_service@127.0.0.1:9/postgres", { max: 1 });
  const ready = await readiness({ db: away, stripe: rig.stripe })();
  assert.deepEqual([ready.ready, ready.parts.database], [false, {
    ok: false,
    detail: "it cannot be reached",
  }]);
  assert.equal(ready.parts.stripe.ok, true);
  assert.deepEqual(ready.ages, { reconciliation: null, usageReport: null, event: null });
  await away.close();
});

Deno.test("readiness() before the migrations says that they are missing", async () => {
  await using blank = await createDatabase("blank");
  const before = connectDatabase(blank.url("postgres"), { max: 1 });
  const ready = await readiness({ db: before, stripe: rig.stripe })();
  assert.deepEqual([ready.ready, ready.parts.database.ok, ready.parts.migrations.ok], [false, false, false]);
  await before.close();
});

Deno.test("readiness() when the newest migration is missing names it", async () => {
  const rows =
    await sql`delete from supabase_migrations.schema_migrations where version = ${newestMigration} returning *`;
  assert.equal(rows.length, 1);
  const { ready, parts } = await readiness({ db, stripe: rig.stripe })();
  assert.equal(ready, false);
  assert.match(parts.migrations.detail ?? "", RegExp(`^\\d{14} is applied, ${newestMigration} is needed$`));
  await sql`insert into supabase_migrations.schema_migrations (version, name) values (${newestMigration}, 'again')`;
  assert.equal((await readiness({ db, stripe: rig.stripe })()).ready, true);
});

Deno.test("readiness() counts Stripe as reachable for five minutes after its last answer, and no longer", async () => {
  let time = 0;
  await using other = await startSimulator();
  const stripe = stripeOf(other.simulator.url);
  const ready = readiness({ db, stripe, now: () => time });
  assert.equal((await ready()).parts.stripe.ok, true);
  await other.simulator.stop();
  time = 4 * 60_000;
  assert.equal((await ready()).parts.stripe.ok, true);
  time = 6 * 60_000;
  const { ready: isReady, parts } = await ready();
  assert.deepEqual([isReady, parts.stripe], [false, {
    ok: false,
    detail: "no answer in the last five minutes",
  }]);
});

Deno.test("readiness() takes a refusal of Stripe's for an answer", async () => {
  const stripe = connectStripe({ secretKey: "sk_live_unknown", apiBase: rig.simulator.url });
  assert.equal((await readiness({ db, stripe })()).parts.stripe.ok, true);
});

/** Looks at the schedules once. */
async function lookOnce(lines: string[]) {
  const end = watchSchedules(db, { everyMs: 3_600_000, write: (line) => lines.push(line) });
  await new Promise((resolve) => setTimeout(resolve, 300));
  end();
}

const openAnomalies = () =>
  sql<{ object_id: string; detail: string }[]>`
    select object_id, detail from billing.anomalies where kind = 'schedule_stopped' and resolved_at is null order by 1`;

Deno.test("a scheduled job that has stopped is an anomaly and a line in the log, until it runs again", async () => {
  const lines: string[] = [];
  await lookOnce(lines);
  assert.deepEqual([lines, await openAnomalies()], [[], []], "new jobs are not late");

  await sql`update billing.scheduled_jobs set watched_since = now() - interval '2 hours'
    where name = 'report-usage'`;
  await lookOnce(lines);
  assert.deepEqual((await openAnomalies()).map(({ object_id }) => object_id), ["report-usage"]);
  const line = JSON.parse(lines[0]);
  assert.deepEqual([lines.length, line.event, line.job, line.lastFinishedAt], [
    1,
    "schedule_stopped",
    "report-usage",
    null,
  ]);
  assert.match(
    line.detail,
    /^The job report-usage should run every 00:05:00 and was never complete\. Run deno task doctor\.$/,
  );

  await recordRun(db, "report-usage", () => Promise.resolve());
  assert.deepEqual(await openAnomalies(), []);

  await sql`update billing.scheduled_jobs set last_finished_at = now() - interval '4 hours' where name = 'reconcile'`;
  await assert.rejects(
    recordRun(db, "reconcile", () => Promise.reject(new Error("Stripe is away"))),
    /Stripe is away/,
  );
  await lookOnce(lines);
  const [{ object_id, detail }] = await openAnomalies();
  assert.equal(object_id, "reconcile");
  assert.match(
    detail,
    /was last complete at \d{4}-.*Z\. Its last error: Stripe is away Run deno task doctor\.$/,
  );
  const { lateJobs, ready } = await readiness({ db, stripe: rig.stripe })();
  assert.deepEqual([lateJobs, ready], [["reconcile"], true]);

  await recordRun(db, "reconcile", () => Promise.resolve());
  assert.deepEqual(await openAnomalies(), []);
});

Deno.test("watchSchedules() logs a job that stays late once an hour", async () => {
  await recordRun(db, "report-usage", () => Promise.resolve());
  await sql`update billing.scheduled_jobs set last_finished_at = now() - interval '1 day' where name = 'reconcile'`;
  let time = 0;
  const lines: string[] = [];
  const end = watchSchedules(db, { everyMs: 20, now: () => time, write: (line) => lines.push(line) });
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(lines.length, 1);
  time = 3_600_000;
  await new Promise((resolve) => setTimeout(resolve, 400));
  end();
  assert.equal(lines.length, 2);
});
