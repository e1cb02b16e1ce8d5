/**
 * Applies `supabase/migrations` and `supabase/seed.sql` to a database, and records that as the Supabase CLI does
 * (schema `supabase_migrations`), so that `supabase migration list` and `supabase db push` agree with it.
 */
import { join } from "node:path";
import {
  type AppliedMigration,
  isUnedited,
  type MigrationFile,
  readMigrationFiles,
} from "../../billing/db/migration_files.ts";
import type { Pool } from "../../billing/db/sql.ts";
import { LocalError } from "../errors.ts";
import { projectPath } from "../paths.ts";
import { describeSqlError } from "./sql_error.ts";

/** A folder laid out like `supabase/`. */
export interface MigrationSource {
  /** Holds `migrations/` and, perhaps, `seed.sql`. */
  folder: string;
}

/** What a run did. */
export interface MigrationReport {
  /** The files applied now, in order. */
  applied: string[];
  seeded: boolean;
  /** True when seed.sql is not what was once run: it is not run again. */
  seedChanged: boolean;
}

const SEED = "supabase/seed.sql";

/**
 * Applies what was not applied yet. `sql` is a connection of the role that will own everything (`postgres`).
 *
 * Each file is one transaction: of a file that fails nothing is applied, and the files before it stay. The seed runs
 * once, after the migrations. Rejects with LocalError `migration_changed` when the files disagree with what was
 * applied, and `migration_failed`, with file and line, when the database refuses one.
 */
export async function migrate(
  sql: Pool,
  source: MigrationSource = { folder: projectPath("supabase") },
): Promise<MigrationReport> {
  await createHistoryTables(sql);
  const migrations = await readMigrationFiles(join(source.folder, "migrations"));
  const pending = await pendingOf(sql, migrations);
  for (const migration of pending) await apply(sql, migration);
  return { applied: pending.map(({ file }) => file), ...await seed(sql, join(source.folder, "seed.sql")) };
}

async function createHistoryTables(sql: Pool): Promise<void> {
  await sql.script(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations
      (version text primary key, statements text[], name text);
    create table if not exists supabase_migrations.seed_files (path text primary key, hash text not null);
  `);
}

/** The migrations still to apply. Those that were applied must be the first of the list, unchanged. */
async function pendingOf(sql: Pool, migrations: MigrationFile[]): Promise<MigrationFile[]> {
  const applied = await sql<AppliedMigration[]>`
    select version, name, statements from supabase_migrations.schema_migrations order by version`;
  applied.forEach((recorded, index) => {
    const { version, name } = recorded;
    const migration = migrations[index];
    if (migration === undefined || migration.version > version) {
      throw changed(`Migration ${version}_${name}.sql was applied to this database, but its file is gone.`);
    }
    if (migration.version < version) {
      throw changed(
        `Migration ${migration.file} comes before ${version}_${name}.sql, which is applied already.`,
      );
    }
    if (!isUnedited(migration, recorded)) {
      throw changed(`Migration ${migration.file} was edited after it was applied to this database.`);
    }
  });
  return migrations.slice(applied.length);
}

function changed(what: string): LocalError {
  return new LocalError(
    "migration_changed",
    `${what}\nAdd a new migration instead, or start with an empty database: --reset`,
  );
}

async function apply(sql: Pool, { file, version, name, text }: MigrationFile): Promise<void> {
  await run(file, text, () =>
    sql.begin(async (tx) => {
      await tx.script(text);
      await tx`insert into supabase_migrations.schema_migrations (version, name, statements)
        values (${version}, ${name}, ${[text]})`;
    }));
}

async function seed(sql: Pool, path: string): Promise<{ seeded: boolean; seedChanged: boolean }> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  });
  if (text === null) return { seeded: false, seedChanged: false };
  const hash = await sha256(text);
  const [ran] = await sql<{ hash: string }[]>`
    select hash from supabase_migrations.seed_files where path = ${SEED}`;
  if (ran) return { seeded: false, seedChanged: ran.hash !== hash };
  await run("seed.sql", text, () =>
    sql.begin(async (tx) => {
      await tx.script(text);
      await tx`insert into supabase_migrations.seed_files (path, hash) values (${SEED}, ${hash})`;
    }));
  return { seeded: true, seedChanged: false };
}

async function run(file: string, text: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new LocalError("migration_failed", describeSqlError(file, text, error), { cause: error });
  }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}
