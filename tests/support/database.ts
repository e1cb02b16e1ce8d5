/**
 * Databases for tests. Each test file gets its own, quickly, from a template that is migrated and seeded once.
 *
 * All use one PostgreSQL cluster. `deno task test` starts it and passes it in DUES_TEST_CLUSTER; a file that is run by itself
 * starts its own, which ends with the process.
 */
import { openPool, type Pool, type PoolOptions } from "../../billing/db/sql.ts";
import { Children } from "../../local/processes/children.ts";
import {
  asRole,
  bootstrapDatabase,
  type Cluster,
  databaseUrl,
  type LoginRole,
  prepareDatabase,
} from "../../local/postgres/cluster.ts";
import { startEphemeralCluster } from "../../local/postgres/ephemeral_cluster.ts";

/** Names the variable that holds a Cluster as JSON. */
export const CLUSTER_VARIABLE = "DUES_TEST_CLUSTER";

const TEMPLATES = {
  /** With the project's migrations and seed. */
  migrated: "dues_migrated",
  /** As a new Supabase project: roles and schemas only. */
  blank: "dues_blank",
};
export type TemplateName = keyof typeof TEMPLATES;

/** A database for one test file. */
export interface TestDatabase extends AsyncDisposable {
  name: string;
  cluster: Cluster;
  /** The address for a role: the operator's is `postgres`, the plugin's `billing_service`. */
  url(role: LoginRole): string;
  /** A pool of connections of a role, closed by drop(). */
  connect(role: LoginRole, options?: PoolOptions): Pool;
  /** Closes what connect() opened and drops the database, also when others are connected. */
  drop(): Promise<void>;
}

/**
 * Makes a database from a template. `await using` or drop() removes it. Files that change roles, which belong to the cluster,
 * give a cluster of their own.
 */
export async function createDatabase(
  template: TemplateName = "migrated",
  ownCluster?: Cluster,
): Promise<TestDatabase> {
  const cluster = ownCluster ?? await testCluster();
  if (ownCluster) await prepareTemplates(ownCluster);
  else await (templates ??= prepareTemplates(cluster));
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await asRole(
    cluster,
    "supabase_admin",
    "postgres",
    (sql) => sql.script(`create database ${name} owner postgres template ${TEMPLATES[template]}`),
  );

  const pools: Pool[] = [];
  const drop = async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close()));
    await asRole(
      cluster,
      "supabase_admin",
      "postgres",
      (sql) => sql.script(`drop database if exists ${name} with (force)`),
    );
  };
  return {
    name,
    cluster,
    url: (role) => databaseUrl(cluster, role, name),
    connect: (role, options) => {
      const pool = openPool(databaseUrl(cluster, role, name), options);
      pools.push(pool);
      return pool;
    },
    drop,
    [Symbol.asyncDispose]: drop,
  };
}

/** The cluster of this test run. */
export function testCluster(): Promise<Cluster> {
  cluster ??= findCluster();
  return cluster;
}
let cluster: Promise<Cluster> | undefined;
let templates: Promise<void> | undefined;

async function findCluster(): Promise<Cluster> {
  const given = Deno.env.get(CLUSTER_VARIABLE);
  if (given) return JSON.parse(given) as Cluster;
  return await startEphemeralCluster(new Children());
}

/** Makes the templates, once for the cluster: the first process does. */
export async function prepareTemplates(cluster: Cluster): Promise<void> {
  await asRole(cluster, "supabase_admin", "postgres", async (sql) => {
    await sql`select pg_advisory_lock(hashtext('dues test templates'))`;
    await prepareTemplate(sql, TEMPLATES.blank, () => bootstrapDatabase(cluster, TEMPLATES.blank));
    await prepareTemplate(sql, TEMPLATES.migrated, async () => {
      await prepareDatabase(cluster, TEMPLATES.migrated);
    });
  });
}

/** A template is complete when it is marked as a template. A process that dies before that leaves it unmarked. */
async function prepareTemplate(sql: Pool, name: string, fill: () => Promise<void>): Promise<void> {
  const [database] = await sql<{ made: boolean }[]>`
    select datistemplate as made from pg_database where datname = ${name}`;
  if (database?.made) return;
  await sql.script(`drop database if exists ${name} with (force)`);
  await sql.script(`create database ${name}`);
  await fill();
  await sql.script(`alter database ${name} is_template true`);
}
