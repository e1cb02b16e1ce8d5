// The set-up of the schedules, on stand-ins of the extensions that hosted Supabase has; and secrets that are not lost.
import assert from "node:assert/strict";
import { loadPlans, setUpStripe } from "../../billing/setup/setup.ts";
import { projectPath } from "../../local/paths.ts";
import { startSimulator } from "@dues/stripe-simulator/testing";
import { createDatabase } from "../support/database.ts";
import { runOperatorTask } from "../support/operator_task.ts";

const projectUrl = "https://project.supabase.example";
const cronSecret = "0123456789abcdef0123456789abcdef";

async function setUp({ hosted = true } = {}) {
  const database = await createDatabase();
  const { stripe, simulator } = await startSimulator();
  const sql = database.connect("postgres");
  if (hosted) {
    await sql.script(await Deno.readTextFile(projectPath("tests", "support", "hosted_extensions.sql")));
  }
  return {
    database,
    simulator,
    stripe,
    sql,
    run: async (
      schedules: { projectUrl: string; cronSecret?: string } = { projectUrl, cronSecret },
      dryRun = false,
    ) => {
      const { changes, todo } = await setUpStripe({
        stripe,
        sql,
        plans: await loadPlans(),
        webhookUrl: `${projectUrl}/functions/v1/stripe-webhook`,
        schedules,
        dryRun,
      });
      return { changes: changes.filter((change) => /vault|schedule/.test(change)), todo };
    },
    vault: async () =>
      Object.fromEntries(
        (await sql<
          { name: string; secret: string }[]
        >`select name, decrypted_secret as secret from vault.decrypted_secrets`)
          .map(({ name, secret }) => [name, secret]),
      ),
    async [Symbol.asyncDispose]() {
      await simulator.stop();
      await database.drop();
    },
  };
}

Deno.test("the set-up puts address and secret into the vault and makes the schedules, once", async () => {
  await using it = await setUp();
  assert.deepEqual(await it.run(), {
    changes: [
      "Put project_url into the vault",
      "Put cron_secret into the vault",
      "Create the schedule dues-reconcile",
      "Create the schedule dues-report-usage",
    ],
    todo: [],
  });
  assert.deepEqual(await it.vault(), { project_url: projectUrl, cron_secret: cronSecret });
  assert.deepEqual(await it.run(), { changes: [], todo: [] });

  await it.sql`select billing.call_function('reconcile')`;
  const [call] = await it.sql`select url, headers ->> 'apikey' as secret from net.http_request_queue`;
  assert.deepEqual({ ...call }, { url: `${projectUrl}/functions/v1/reconcile`, secret: cronSecret });
});

Deno.test("the set-up corrects another address, another secret, and a schedule that is off or does something else", async () => {
  await using it = await setUp();
  await it.run();
  await it.sql`update vault.secrets set secret = 'old'`;
  await it.sql`update cron.job set active = false where jobname = 'dues-reconcile'`;
  await it
    .sql`update cron.job set command = 'select 1', schedule = '* * * * *' where jobname = 'dues-report-usage'`;
  assert.equal((await it.run(undefined, true)).changes.length, 4, "a dry run changes nothing");
  assert.deepEqual((await it.run()).changes, [
    "Change project_url in the vault",
    "Change cron_secret in the vault",
    "Correct the schedule dues-reconcile",
    "Correct the schedule dues-report-usage",
  ]);
  assert.deepEqual(await it.vault(), { project_url: projectUrl, cron_secret: cronSecret });
  const jobs = await it.sql`select jobname, schedule, command, active from cron.job order by 1`;
  assert.deepEqual(jobs.map((job) => Object.values(job)), [
    ["dues-reconcile", "*/10 * * * *", "select billing.call_function('reconcile')", true],
    ["dues-report-usage", "* * * * *", "select billing.call_function('report-usage')", true],
  ]);
});

Deno.test("the set-up without CRON_SECRET, without a vault or without pg_cron says exactly what to do", async () => {
  await using it = await setUp();
  assert.match(
    (await it.run({ projectUrl })).todo.join(),
    /^CRON_SECRET is not set.*openssl rand -hex 32.*supabase secrets set/,
  );
  assert.deepEqual(await it.vault(), { project_url: projectUrl });
  await it.sql.script("drop schema vault cascade");
  assert.match(
    (await it.run()).todo.join(),
    /^The database has no vault\. Enable the extension supabase_vault/,
  );
  await using plain = await setUp({ hosted: false });
  assert.match(
    (await plain.run()).todo.join(),
    /^The database has no pg_cron, so nothing is scheduled there\./,
  );
});

Deno.test("deno task stripe:setup that fails half-way has printed each signing secret that Stripe made", async () => {
  await using it = await setUp();
  const faults = `${it.simulator.url}/_sim/faults`;
  const fault = { kind: "api_error", target: "POST /v2/core/event_destinations", status: 400, next: 1 };
  await (await fetch(faults, { method: "POST", body: JSON.stringify(fault) })).body?.cancel();
  const run = () =>
    runOperatorTask(
      { databaseUrl: it.database.url("postgres"), stripeUrl: it.simulator.url },
      "stripe_setup.ts",
    );
  const first = await run();
  assert.equal(first.success, false);
  const [, secret] = first.out.match(/STRIPE_WEBHOOK_SECRET: (whsec_\w+)/) ?? [];
  const endpoints = await (await fetch(`${it.simulator.url}/_sim/webhook_endpoints`)).json();
  assert.equal(secret, endpoints[0].secret);

  const second = await run();
  assert.ok(second.success, second.err);
  assert.match(second.out, /STRIPE_WEBHOOK_SECRET: add whsec_\w+, separated by a comma\./);
  assert.match(second.out, /To do: CRON_SECRET is not set/);
  assert.match(second.out, /Then check everything: deno task doctor/);
});

Deno.test("the set-up makes the schedules as the migration does", async () => {
  const migration = await Deno.readTextFile(
    projectPath("supabase", "migrations", "20261125120300_schedules.sql"),
  );
  const wanted = [...migration.matchAll(/cron\.schedule\('([\w-]+)', '([^']+)', '((?:[^']|'')+)'\)/g)]
    .map(([_, name, schedule, command]) => [name, schedule, command.replaceAll("''", "'"), true]);
  assert.equal(wanted.length, 2);
  await using it = await setUp();
  await it.run();
  const jobs = await it.sql`select jobname, schedule, command, active from cron.job order by 1`;
  assert.deepEqual(jobs.map((job) => Object.values(job)), wanted);
});
