/**
 * A database that looks like a hosted Supabase project's: its roles, its schemas, and then the project's own
 * migrations and seed.
 */
import { openPool, type Pool } from "../../billing/db/sql.ts";
import { migrate, type MigrationReport } from "./migrate.ts";
import { projectPath } from "../paths.ts";
import { SUPERUSER } from "./start_postgres.ts";

/** The roles that log in. A session switches to the others by `set role`. */
export type LoginRole = "supabase_admin" | "postgres" | "authenticator" | "billing_service";

/** A cluster, and how to log in to it. */
export interface Cluster {
  port: number;
  passwords: Record<LoginRole, string>;
}

/** New random passwords. */
export function newPasswords(): Record<LoginRole, string> {
  return {
    supabase_admin: randomHex(),
    postgres: randomHex(),
    authenticator: randomHex(),
    billing_service: randomHex(),
  };
}

/** 192 random bits as hexadecimal digits, which need no quoting anywhere. */
export function randomHex(): string {
  return crypto.getRandomValues(new Uint8Array(24)).toHex();
}

/** The address of a database for one role. */
export function databaseUrl(cluster: Cluster, role: LoginRole, database = "postgres"): string {
  return `postgresql://${role}:${cluster.passwords[role]}@127.0.0.1:${cluster.port}/${database}`;
}

/**
 * Gives a database Supabase's roles and schemas, unless it has them, and the login roles their passwords; then applies
 * the project's migrations and seed. Rejects as migrate() does.
 */
export async function prepareDatabase(cluster: Cluster, database = "postgres"): Promise<MigrationReport> {
  await bootstrapDatabase(cluster, database);
  const report = await asRole(cluster, "postgres", database, (sql) => migrate(sql));
  // The migrations create this role without a password.
  await setPasswords(cluster, ["billing_service"]);
  return report;
}

/** Only the first part of prepareDatabase(): a project without migrations. */
export async function bootstrapDatabase(cluster: Cluster, database = "postgres"): Promise<void> {
  await asRole(cluster, SUPERUSER, database, async (sql) => {
    const [{ done }] = await sql<[{ done: boolean }]>`select to_regnamespace('auth') is not null as done`;
    if (done) return;
    const bootstrap = await Deno.readTextFile(projectPath("local", "supabase", "bootstrap.sql"));
    await sql.begin((tx) => tx.script(bootstrap));
  });
  await setPasswords(cluster, ["postgres", "authenticator"]);
}

/** Runs `work` with one connection of a role, and closes it. */
export async function asRole<T>(
  cluster: Cluster,
  role: LoginRole,
  database: string,
  work: (sql: Pool) => Promise<T>,
): Promise<T> {
  await using sql = openPool(databaseUrl(cluster, role, database), { max: 1 });
  return await work(sql);
}

async function setPasswords(cluster: Cluster, roles: LoginRole[]): Promise<void> {
  await asRole(cluster, SUPERUSER, "postgres", async (sql) => {
    for (const role of roles) {
      // A role's password cannot be a parameter; these are hexadecimal digits.
      await sql.script(`alter role ${role} password '${cluster.passwords[role]}'`);
    }
  });
}
