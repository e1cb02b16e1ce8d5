import assert from "node:assert/strict";
import { createDatabase } from "../../tests/support/database.ts";
import { coverage, runnable, runProbe } from "./probe_run.ts";
import type { Probe } from "./probes.ts";

const database = await createDatabase("blank");
Deno.test.afterAll(() => database.drop());
const sql = database.connect("supabase_admin", { max: 2 });
await sql.script(`
  create schema billing;
  create table billing.things as select n, repeat('x', 1000) as text from generate_series(1, 800) n;
  create function billing.add_thing() returns void language sql as 'insert into billing.things values (0, null)';
  create function billing.read_things() returns bigint language plpgsql as
    'begin return (select count(text) from billing.things); end';
  create function billing.block_things() returns void language sql as 'lock table billing.things in access exclusive mode';
  revoke execute on all functions in schema billing from public;
  grant usage on schema billing to service_role;
  grant execute on function billing.add_thing() to service_role;`);

const probe = (body: string, more: Partial<Probe> = {}): Probe => ({
  name: body,
  role: "postgres",
  sql: `select ${body}`,
  expect: "flat",
  ...more,
});
await sql.script("grant all on schema billing to postgres; grant all on billing.things to postgres");
await sql.script("grant execute on all functions in schema billing to postgres");

Deno.test("runProbe() counts the pages that statements within a function read", async () => {
  const { buffers, rows, communities } = await runProbe(sql, probe("billing.read_things()"), 1000);
  assert.ok(buffers! > 100 && buffers! < 400, String(buffers));
  assert.deepEqual([rows, communities], [1, 1000]);
});

Deno.test("runProbe() leaves nothing of what it called", async () => {
  await runProbe(sql, probe("billing.add_thing()"), 1);
  const [{ count }] = await sql<{ count: number }[]>`select count(*)::integer as count from billing.things`;
  assert.equal(count, 800);
});

Deno.test("runProbe() names the tables that nobody could read meanwhile", async () => {
  const reading = await runProbe(sql, probe("billing.block_things()"), 1);
  assert.deepEqual(reading.exclusive, ["billing.things"]);
  assert.deepEqual((await runProbe(sql, probe("billing.read_things()"), 1)).exclusive, []);
});

Deno.test("runProbe() calls with the role's rights, and says which probe failed", async () => {
  const forbidden = probe("billing.read_things()", { name: "forbidden", role: "service_role" });
  await assert.rejects(
    runProbe(sql, forbidden, 1),
    /^Error: forbidden: permission denied for function read_things/,
  );
});

Deno.test("coverage() names functions that a role may call without a probe, and probes whose function is gone", async () => {
  const probes = [probe("billing.read_things()", { covers: "billing.read_things" })];
  const gone = probe("billing.gone()", { covers: "billing.gone" });
  const faults = (await coverage(sql, [...probes, gone])).filter((fault) => !fault.includes("read_things"));
  assert.ok(faults.includes("billing.add_thing has no probe."));
  assert.ok(faults.includes("billing.gone is gone, and has a probe still."));
  assert.deepEqual(await runnable(sql, [...probes, gone]), probes);
});
