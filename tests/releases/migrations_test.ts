// What a release promises: one version, a changelog, documents that lead somewhere, and migrations that stay as they were.
import assert from "node:assert/strict";
import { checks } from "../../billing/doctor/diagnosis.ts";
import { version } from "../../billing/version.ts";
import { frozenMigrationsFile, hashesOfMigrations } from "../../deploy/migration_hashes.ts";
import { projectPath } from "../../local/paths.ts";
import { runDeno } from "../support/run_deno.ts";

const read = (...path: string[]) => Deno.readTextFile(projectPath(...path));
const frozen: Record<string, string> = JSON.parse(await Deno.readTextFile(frozenMigrationsFile));

Deno.test("migrations are named by time and name, each time once", async () => {
  const names = (await Array.fromAsync(Deno.readDir(projectPath("supabase", "migrations")))).map(({ name }) =>
    name
  );
  for (const name of names) assert.match(name, /^20\d{12}_[a-z0-9_]+\.sql$/);
  assert.equal(new Set(names.map((name) => name.slice(0, 14))).size, names.length);
});

Deno.test("released migrations are as they were released, and new ones come after them", async () => {
  const now = await hashesOfMigrations();
  for (const [file, hash] of Object.entries(frozen)) {
    assert.equal(now[file], hash, `${file} was released and must not change`);
  }
  const last = Object.keys(frozen).sort().at(-1) ?? "";
  for (const file of Object.keys(now)) {
    assert.ok(file in frozen || file > last, `${file} must come after ${last}`);
  }
  // Before 1.0.0 nothing is frozen; from then on everything that was released is.
  if (Number(version.split(".")[0]) >= 1) {
    assert.ok(Object.keys(frozen).length > 0, "run deno task freeze:migrations");
  } else assert.deepEqual(frozen, {});
});

Deno.test("the newest version of CHANGELOG.md is the version that the programs tell", async () => {
  const [, newest] = (await read("CHANGELOG.md")).match(/^## (\d+\.\d+\.\d+)/m)!;
  assert.equal(newest, version);
  for (const file of ["server/start.ts", "billing/tasks/doctor.ts"]) {
    const { code, stdout } = await runDeno(["run", "--no-check", "--allow-env", file, "--version"]);
    assert.deepEqual([code, stdout], [0, `Dues ${version}\n`], file);
  }
});

/** As GitHub makes them. */
const anchor = (heading: string) =>
  heading.toLowerCase().replaceAll(/[^\w\s-]/g, "").trim().replaceAll(/\s/g, "-");

Deno.test("every check of the doctor names a heading that exists", async () => {
  for (const docs of new Set(checks.map((check) => check.docs))) {
    const [file, heading] = docs.split("#");
    const anchors = [...(await read(file)).matchAll(/^#+ (.+)$/gm)].map(([_, text]) => anchor(text));
    if (heading !== undefined) {
      assert.ok(anchors.includes(heading), `${docs} is not among ${anchors.join(", ")}`);
    }
  }
});

Deno.test("docs/deploy.md and docs/operate.md name tasks, variables and views that exist", async () => {
  const tasks = JSON.parse(await read("deno.json")).tasks;
  const example = await read(".env.example");
  const schema = await read("docs", "schema.md");
  for (const file of ["deploy.md", "operate.md", "releasing.md"]) {
    const text = (await read("docs", file)).replaceAll(/\s+/g, " ");
    const named = [...text.matchAll(/deno task ([a-z]+(?::[a-z]+)*)/g)].map(([_, name]) => name);
    assert.deepEqual(named.filter((name) => !(name in tasks)), [], file);
    const variables = [...text.matchAll(/`([A-Z][A-Z]+(?:_[A-Z]+)+)`/g)].map(([_, name]) => name)
      .filter((name) => !/^(POSTGRES_PASSWORD|BILLING_SERVICE_PASSWORD|OTEL_\w+)$/.test(name));
    assert.deepEqual(variables.filter((name) => !example.includes(name)), [], file);
    const relations = [
      ...text.matchAll(
        /`(?:billing\.)?(\w+_overview|unsent_\w+|stripe_events|anomalies|reconciliations|scheduled_jobs)`/g,
      ),
    ];
    assert.deepEqual(relations.map(([_, name]) => name).filter((name) => !schema.includes(name)), [], file);
  }
});
