/**
 * `deno task db:test [FILE…]`: runs the pgTAP files of `supabase/tests` on a fresh, migrated and seeded database.
 *
 * `supabase test db` does the same with the help of Docker. pgTAP itself is plain SQL and comes from npm.
 */
import { pgtap } from "@electric-sql/pglite/pgtap";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Pool } from "../../billing/db/sql.ts";
import { asRole, type Cluster, prepareDatabase } from "./cluster.ts";
import { withEphemeralCluster } from "./ephemeral_cluster.ts";
import { projectPath } from "../paths.ts";
import { SUPERUSER } from "./start_postgres.ts";
import { runMain } from "../processes/run_main.ts";
import { describeSqlError } from "./sql_error.ts";

const PGTAP_FILE = "share/postgresql/extension/pgtap--1.3.5.sql";

/** What one file's tests came to. */
export interface PgtapResult {
  file: string;
  passed: number;
  failed: number;
  /** Failed tests with their diagnosis, as pgTAP tells them, or the error that ended the file. */
  complaints: string[];
}

/** The test files, in order: `*_test.sql` in `supabase/tests`. */
export async function pgtapFiles(): Promise<string[]> {
  const folder = projectPath("supabase", "tests");
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => name).filter((name) => name.endsWith("_test.sql")).sort()
    .map((name) => projectPath("supabase", "tests", name));
}

/** Runs files as role `postgres`, one after the other, on a database of that cluster. */
export async function runPgtap(cluster: Cluster, database: string, files: string[]): Promise<PgtapResult[]> {
  await installPgtap(cluster, database);
  const results: PgtapResult[] = [];
  for (const file of files) {
    const text = await Deno.readTextFile(file);
    // A connection of its own: what a file leaves behind in its session ends with it.
    results.push(
      await asRole(cluster, "postgres", database, (sql) => runFile(sql, basename(file), text)),
    );
  }
  return results;
}

/** Where hosted projects have it: in schema `extensions`, open to every role that tests act as. */
async function installPgtap(cluster: Cluster, database: string): Promise<void> {
  const sqlText = await readPgtap();
  await asRole(cluster, SUPERUSER, database, async (sql) => {
    const [{ installed }] = await sql<[{ installed: boolean }]>`
      select to_regprocedure('extensions.plan(integer)') is not null as installed`;
    if (!installed) await sql.script(`set search_path = extensions, public; ${sqlText}`);
  });
}

async function readPgtap(): Promise<string> {
  const { bundlePath } = await pgtap.setup(null as never, {});
  if (!bundlePath) throw new Error("The package brings no pgTAP.");
  const { success, stdout, stderr } = await new Deno.Command("tar", {
    args: ["-xzOf", fileURLToPath(bundlePath), PGTAP_FILE],
  }).output();
  if (!success) throw new Error(`pgTAP cannot be unpacked: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

async function runFile(sql: Pool, file: string, text: string): Promise<PgtapResult> {
  try {
    const values = (await sql.script(text)).flat().flatMap((row) => Object.values(row));
    return judge(file, values.flatMap((value) => String(value).split("\n")));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { file, passed: 0, failed: 1, complaints: [describeSqlError(file, text, error)] };
  }
}

/** Reads the lines of a file's answers as the Test Anything Protocol; everything else is not for us. */
export function judge(file: string, lines: string[]): PgtapResult {
  const passed = lines.filter((line) => /^ok \d+/.test(line) || /^not ok \d+.*# TODO/.test(line)).length;
  const failures = lines.filter((line) => /^not ok \d+(?!.*# TODO)/.test(line));
  const planned = lines.map((line) => line.match(/^1\.\.(\d+)$/)?.[1]).find((count) => count !== undefined);
  const complaints = failures.length === 0 ? [] : lines.filter((line) => /^(not ok|#)/.test(line));
  const ran = passed + failures.length;
  if (planned === undefined) complaints.push("The file says no plan.");
  else if (Number(planned) !== ran) complaints.push(`The file plans ${planned} tests and runs ${ran}.`);
  const offPlan = Number(planned) === ran ? 0 : 1;
  return { file, passed, failed: failures.length + offPlan, complaints };
}

/** Prints one line a file, and what failed below it. Returns the sums. */
export function printPgtap(results: PgtapResult[]): { passed: number; failed: number } {
  for (const { file, passed, failed, complaints } of results) {
    console.log(
      `${failed === 0 ? "ok" : "FAILED"} supabase/tests/${file} (${passed} passed, ${failed} failed)`,
    );
    for (const complaint of complaints) console.log(`  ${complaint}`);
  }
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
  };
}

async function main(args: string[]): Promise<number> {
  const files = args.length > 0 ? args : await pgtapFiles();
  const results = await withEphemeralCluster(async (cluster) => {
    await prepareDatabase(cluster);
    return await runPgtap(cluster, "postgres", files);
  });
  const { passed, failed } = printPgtap(results);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) await runMain(() => main(Deno.args));
