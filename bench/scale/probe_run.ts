/** Runs probes: each in a transaction that is rolled back, as the role that would call it. */
import type { Pool, Sql } from "../../billing/db/sql.ts";
import { isDatabaseError } from "../../billing/db/sql.ts";
import { median } from "../measure/statistics.ts";
import { CLAIMS, COVERED_OTHERWISE, type Probe } from "./probes.ts";
import type { Reading } from "./growth.ts";

/** Roles have these limits; a hosted project's operator is cut off after two minutes. */
const LIMIT_MS = { billing_service: 15_000, service_role: 120_000, authenticated: 15_000, postgres: 120_000 };
const CALLS = 3;
/** What takes longer is called once. */
const LONG_MS = 1_000;
const CANCELLED = "57014";

interface Explained {
  milliseconds: number;
  buffers: number;
  rows: number;
  exclusive: string[];
}

/** Measures a probe. The first call fills caches, so it counts only where there is no other. */
export async function runProbe(sql: Pool, probe: Probe, communities: number): Promise<Reading> {
  const calls: Explained[] = [];
  try {
    do calls.push(await explain(sql, probe)); while (
      calls.length <= CALLS && calls[0].milliseconds < LONG_MS
    );
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== CANCELLED) {
      throw new Error(`${probe.name}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
    return { communities, milliseconds: LIMIT_MS[probe.role], buffers: null, rows: 0, exclusive: [] };
  }
  const counted = calls.length > 1 ? calls.slice(1) : calls;
  return {
    ...counted.at(-1)!,
    communities,
    milliseconds: median(counted.map(({ milliseconds }) => milliseconds)),
  };
}

class RollBack extends Error {}

async function explain(sql: Pool, probe: Probe): Promise<Explained> {
  let explained: Explained | undefined;
  try {
    await sql.begin(async (transaction) => {
      await transaction.script(`set local statement_timeout = ${LIMIT_MS[probe.role]}`);
      await transaction`select set_config('request.jwt.claims', ${CLAIMS}, true)`;
      await transaction.script(`set local role ${probe.role}`);
      const [[row]] = await transaction.script(`explain (analyze, buffers, format json) ${probe.sql}`);
      const [{ Plan: plan, "Planning Time": planning, "Execution Time": execution, Planning: planned = {} }] =
        row["QUERY PLAN"] as Plan[];
      const pages = (of: Partial<Buffers>) =>
        (of["Shared Hit Blocks"] ?? 0) + (of["Shared Read Blocks"] ?? 0);
      explained = {
        milliseconds: planning + execution,
        buffers: pages(plan) + pages(planned),
        rows: plan["Actual Rows"],
        exclusive: await exclusiveLocks(transaction),
      };
      throw new RollBack();
    });
  } catch (error) {
    if (!(error instanceof RollBack)) throw error;
  }
  return explained!;
}

interface Buffers {
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
}

interface Plan {
  Plan: Buffers & { "Actual Rows": number };
  "Planning Time": number;
  "Execution Time": number;
  Planning?: Partial<Buffers>;
}

/** Tables that the transaction lets nobody read, but for those that it made. */
async function exclusiveLocks(transaction: Sql): Promise<string[]> {
  await transaction.script("reset role");
  const rows = await transaction<{ name: string }[]>`
    select l.relation::regclass::text as name from pg_locks l join pg_class c on c.oid = l.relation
    where l.pid = pg_backend_pid() and l.mode = 'AccessExclusiveLock' and c.relkind in ('r', 'p')
      and c.xmin::text <> pg_current_xact_id_if_assigned()::text
    order by 1`;
  return rows.map(({ name }) => name);
}

/** Functions that a role may call, or that a schedule calls, and no probe covers; and probes of functions that are gone. */
export async function coverage(sql: Pool, probes: Probe[]): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select distinct n.nspname || '.' || p.proname as name
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    cross join lateral aclexplode(p.proacl) a
    where n.nspname in ('public', 'billing') and a.grantee <> p.proowner and a.privilege_type = 'EXECUTE'
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`;
  const all = await sql<{ name: string }[]>`
    select distinct n.nspname || '.' || p.proname as name
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('public', 'billing')`;
  const existing = new Set(all.map(({ name }) => name));
  const covered = new Set(probes.flatMap(({ covers }) => covers ?? []));
  return [
    ...rows.map(({ name }) => name).filter((name) => !covered.has(name) && !COVERED_OTHERWISE.includes(name))
      .map((name) => `${name} has no probe.`),
    ...[...covered].filter((name) => !existing.has(name)).map((name) =>
      `${name} is gone, and has a probe still.`
    ),
  ];
}

/** The probes whose functions exist. */
export async function runnable(sql: Pool, probes: Probe[]): Promise<Probe[]> {
  const gone = (await coverage(sql, probes)).flatMap((fault) => fault.match(/^(\S+) is gone/)?.[1] ?? []);
  return probes.filter(({ covers }) => covers === undefined || !gone.includes(covers));
}
