/**
 * `deno task bench:scale`: fills a database to 1, 10 and 100 thousand communities (with `--full` to a million: about an hour
 * and 20 GB) and prints for every function, view and job what one call costs at each size: time, buffers and rows. Exit code 1
 * when something grows that should not, or when a function has no probe.
 *
 *   --sizes N,N   other sizes
 *   --out FILE    instead of bench/scale_results.json, which only the usual sizes and --full write
 */
import { parseArgs } from "node:util";
import { withEphemeralCluster } from "../../local/postgres/ephemeral_cluster.ts";
import { asRole, type Cluster } from "../../local/postgres/cluster.ts";
import { runMain } from "../../local/processes/run_main.ts";
import { type EventSeries, eventText } from "../load/event_series.ts";
import { captureTemplates } from "../load/templates.ts";
import { type BenchDatabase, makeDatabase } from "../measure/durable_postgres.ts";
import { describeMachine } from "../measure/machine.ts";
import { text } from "../tables.ts";
import { growthFault, type Reading } from "./growth.ts";
import { coverage, runnable, runProbe } from "./probe_run.ts";
import { FILL_DESCRIPTION, type Probe, PROBES, SIZES } from "./probes.ts";
import { addScaleCommunities, prepareScale } from "./scale_fill.ts";
import { type RowSize, SCALE_FILE, type ScaleResults } from "./scale_results.ts";
import { byteTable, probeTables, scaleConditions } from "./scale_tables.ts";
import { probeWebhook } from "./webhook_probe.ts";

const USUAL = [1_000, 10_000, 100_000];
const WEBHOOK: Pick<Probe, "name" | "role" | "expect"> = {
  name: "webhook, an event",
  role: "billing_service",
  expect: "flat",
};
/** Its communities pay, whatever the size. */
const WEBHOOK_CUSTOMERS = 100;

async function measureScale(cluster: Cluster, sizes: number[]): Promise<ScaleResults> {
  // Nothing but the probes is to read or write.
  await asRole(cluster, "supabase_admin", "postgres", async (sql) => {
    await sql.script("alter system set autovacuum = off");
    await sql.script("select pg_reload_conf()");
  });
  const database = await makeDatabase(cluster, "bench_scale", "migrated");
  const { sql } = database;
  try {
    await prepareScale(sql);
    const uncovered = await coverage(sql, PROBES);
    const probes = await runnable(sql, PROBES);
    const readings = new Map([WEBHOOK, ...probes].map(({ name }) => [name, [] as Reading[]]));
    const fills: ScaleResults["fills"] = [];
    const { subscription } = await captureTemplates();
    const epoch = Math.floor(Date.now() / 1000) - 5 * 86_400;
    let filled = 0;
    for (const communities of sizes) {
      const begun = performance.now();
      await addScaleCommunities(sql, filled, communities, fillTemplate(subscription, epoch));
      filled = communities;
      const seconds = Math.round((performance.now() - begun) / 1000);
      const [{ bytes }] = await sql<{ bytes: number }[]>`
        select pg_database_size(current_database())::float8 as bytes`;
      fills.push({ communities, seconds, bytes });
      console.error(`${communities} communities are in place (${seconds} s, ${Math.round(bytes / 1e6)} MB)`);
      for (const probe of probes) readings.get(probe.name)!.push(await runProbe(sql, probe, communities));
      // Later than what the sizes before have sent.
      const series = webhookSeries(subscription, epoch, sizes.indexOf(communities));
      readings.get(WEBHOOK.name)!.push(await probeWebhook(database, series, communities));
    }
    const [{ version }] = await sql<
      { version: string }[]
    >`select current_setting('server_version') as version`;
    return {
      takenAt: new Date().toISOString(),
      machine: describeMachine(),
      postgresVersion: version,
      sizes,
      fills,
      fill: FILL_DESCRIPTION,
      probes: [WEBHOOK, ...probes].map(({ name, role, expect }) => {
        const mine = readings.get(name)!;
        return { name, role, expect, readings: mine, fault: growthFault(expect, mine) };
      }),
      rowSizes: await rowSizes(database),
      uncovered,
    };
  } finally {
    await sql.close();
  }
}

/** The events of a fill: as whole as Stripe's, with places for the customer and the event's id. */
function fillTemplate(template: string, epoch: number): string {
  const one = eventText({ template, customers: 1, epoch }, 1).replaceAll("evt_bench0000000001", "@event@");
  return one.replaceAll(/(cus|sub|si)_bench000000/g, "$1_bench@key@").replaceAll(
    /(user|subscription)000000/g,
    "$1@key@",
  );
}

const webhookSeries = (template: string, epoch: number, index: number): EventSeries => ({
  // Their ids differ from those of the sizes before.
  template: template.replaceAll("@event@", `@event@_${index}`),
  customers: WEBHOOK_CUSTOMERS,
  epoch: epoch + index * 1000,
});

async function rowSizes({ sql }: BenchDatabase): Promise<RowSize[]> {
  const sizes: RowSize[] = [];
  for (const { of, tables } of SIZES) {
    for (const table of tables) {
      // A partitioned table is as large as its partitions; any other has none.
      const [row] = await sql<{ rows: number; tableBytes: number; indexBytes: number }[]>`
        with leaves as (select relid from pg_partition_tree(to_regclass(${table})) where isleaf)
        select sum(greatest(c.reltuples, 0))::float8 as rows, sum(pg_table_size(c.oid))::float8 as "tableBytes",
          sum(pg_indexes_size(c.oid))::float8 as "indexBytes"
        from pg_class c
        where c.oid in (table leaves)
          or (c.oid = to_regclass(${table}) and not exists (table leaves))`;
      if (row.rows) sizes.push({ of, table, ...row });
    }
  }
  return sizes;
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: "boolean", default: false },
      sizes: { type: "string" },
      out: { type: "string" },
    },
  });
  const sizes = values.sizes?.split(",").map(Number) ?? [...USUAL, ...(values.full ? [1_000_000] : [])];
  const out = values.out ?? (values.sizes ? null : SCALE_FILE);
  const results = await withEphemeralCluster((cluster) => measureScale(cluster, sizes));
  for (const table of [...probeTables(results), byteTable(results)]) console.log(`\n${text(table)}`);
  console.log(`\n${scaleConditions(results)}`);
  if (out) {
    await Deno.writeTextFile(out, JSON.stringify(results, null, 1) + "\n");
    console.log(`Results are in ${out}. deno task bench:docs writes them into the documents.`);
  }
  for (const fault of results.uncovered) console.error(`FAULT ${fault}`);
  const growing = results.probes.filter(({ fault }) => fault !== null);
  console.log(`${growing.length} of ${results.probes.length} cost more than they should.`);
  return growing.length > 0 || results.uncovered.length > 0 ? 1 : 0;
}

if (import.meta.main) await runMain(() => main(Deno.args));
