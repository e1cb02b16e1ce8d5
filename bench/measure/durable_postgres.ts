/** The Postgres that is measured: the project's own, with fsync, and a database for each contender. */
import { openPool, type Pool } from "../../billing/db/sql.ts";
import { Children } from "../../local/processes/children.ts";
import { freePorts } from "../../local/processes/ports.ts";
import {
  asRole,
  type Cluster,
  databaseUrl,
  type LoginRole,
  newPasswords,
  prepareDatabase,
} from "../../local/postgres/cluster.ts";
import { startPostgres } from "../../local/postgres/start_postgres.ts";
import { cpuMs, cpuMsWithEnded, fileSystemOf } from "./machine.ts";

/** What durable figures depend on, as the server itself says it. */
export interface PostgresSettings {
  version: string;
  fsync: string;
  synchronousCommit: string;
  fullPageWrites: string;
  walSyncMethod: string;
  sharedBuffers: string;
  /** Where the data lies. */
  fileSystem: string;
}

export interface BenchDatabase {
  name: string;
  url(role: LoginRole): string;
  /** As the superuser. */
  sql: Pool;
}

/** Runs `work` on a new cluster with fsync, in a temporary folder that goes away with it. */
export async function withDurableCluster<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "dues-bench-" });
  await Deno.chmod(folder, 0o711); // as root, Postgres runs as another user
  const children = new Children();
  try {
    const passwords = newPasswords();
    const [port] = freePorts(1);
    await startPostgres(children, {
      port,
      password: passwords.supabase_admin,
      dataFolder: `${folder}/data`,
    });
    return await work({ port, passwords });
  } finally {
    await children.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Makes a database: empty, or with the project's migrations and seed. */
export async function makeDatabase(
  cluster: Cluster,
  name: string,
  kind: "empty" | "migrated",
): Promise<BenchDatabase> {
  await dropDatabase(cluster, name);
  await asRole(cluster, "supabase_admin", "postgres", (sql) => sql.script(`create database ${name}`));
  if (kind === "migrated") await prepareDatabase(cluster, name);
  return {
    name,
    url: (role) => databaseUrl(cluster, role, name),
    sql: openPool(databaseUrl(cluster, "supabase_admin", name), { max: 2 }),
  };
}

export async function dropDatabase(cluster: Cluster, name: string): Promise<void> {
  await asRole(
    cluster,
    "supabase_admin",
    "postgres",
    (sql) => sql.script(`drop database if exists ${name} with (force)`),
  );
}

/** Rejects when the server could lose what it has committed: then nothing here would be comparable. */
export async function durableSettings(cluster: Cluster): Promise<PostgresSettings> {
  return await asRole(cluster, "supabase_admin", "postgres", async (sql) => {
    const [row] = await sql<(Omit<PostgresSettings, "fileSystem"> & { folder: string })[]>`
      select current_setting('server_version') as version, current_setting('fsync') as fsync,
        current_setting('synchronous_commit') as "synchronousCommit",
        current_setting('full_page_writes') as "fullPageWrites",
        current_setting('wal_sync_method') as "walSyncMethod",
        current_setting('shared_buffers') as "sharedBuffers", current_setting('data_directory') as folder`;
    const { folder, ...settings } = row;
    const fileSystem = fileSystemOf(folder);
    if (
      settings.fsync !== "on" || settings.synchronousCommit !== "on" || /^(tmpfs|ramfs)$/.test(fileSystem)
    ) {
      throw new Error(
        `Postgres does not write durably here: fsync ${settings.fsync}, synchronous_commit ` +
          `${settings.synchronousCommit}, on ${fileSystem}. Set TMPDIR to a folder on a disk.`,
      );
    }
    return { ...settings, fileSystem };
  });
}

/** What Postgres did for one database between two readings. */
export interface PostgresReading {
  /** CPU ms of backends by process id. */
  backends: Map<number, number>;
  walPosition: string;
}

export async function readPostgres({ sql, name }: BenchDatabase): Promise<PostgresReading> {
  const backends = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity
    where datname = ${name} and backend_type = 'client backend' and pid <> pg_backend_pid()`;
  const [{ position }] = await sql<{ position: string }[]>`select pg_current_wal_lsn()::text as position`;
  return { backends: new Map(backends.map(({ pid }) => [pid, cpuMs([pid])])), walPosition: position };
}

/** CPU of the backends that are connected still, and bytes of WAL of the whole server. */
export async function postgresSince(
  database: BenchDatabase,
  before: PostgresReading,
): Promise<{ cpuMs: number; walBytes: number }> {
  const after = await readPostgres(database);
  const [{ bytes }] = await database.sql<{ bytes: string }[]>`
    select pg_wal_lsn_diff(${after.walPosition}, ${before.walPosition})::text as bytes`;
  let cpu = 0;
  for (const [pid, now] of after.backends) cpu += now - (before.backends.get(pid) ?? 0);
  return { cpuMs: cpu, walBytes: Number(bytes) };
}

/** CPU ms of backends that came and went, as those of pgbench do: the server's main process has waited for them. */
export async function endedBackendsCpu(cluster: Cluster): Promise<number> {
  return await postmasterPid(cluster).then(cpuMsWithEnded);
}

async function postmasterPid(cluster: Cluster): Promise<number> {
  return await asRole(cluster, "supabase_admin", "postgres", async (sql) => {
    const [{ pid }] = await sql<{ pid: number }[]>`
      select split_part(pg_read_file('postmaster.pid'), chr(10), 1)::integer as pid`;
    return pid;
  });
}
