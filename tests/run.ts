/**
 * `deno task test [ARGUMENT…]`: every test there is, on one PostgreSQL cluster that is started for the run.
 *
 * Arguments are those of `deno test`: files, folders, `--filter`. Without any, the pgTAP files run too. The last line
 * is `N passed, N failed`; the exit code is 0 when none failed.
 */
import { join } from "node:path";
import { Children } from "../local/processes/children.ts";
import type { Cluster } from "../local/postgres/cluster.ts";
import { startEphemeralCluster } from "../local/postgres/ephemeral_cluster.ts";
import { LocalError } from "../local/errors.ts";
import { projectRoot } from "../local/paths.ts";
import { pgtapFiles, printPgtap, runPgtap } from "../local/postgres/pgtap.ts";
import { buildApp } from "./support/build.ts";
import { CLUSTER_VARIABLE, createDatabase, prepareTemplates } from "./support/database.ts";
import { descendantsOf } from "./support/processes.ts";
import { TEMPORARY_VARIABLE } from "./support/temporary_folder.ts";

interface Sum {
  passed: number;
  failed: number;
}

async function main(args: string[]): Promise<number> {
  const children = new Children();
  const interrupted = onInterrupt(children);
  const temporary = await Deno.makeTempDir({ prefix: "dues-test-" });
  await Deno.chmod(temporary, 0o755);
  Deno.env.set(TEMPORARY_VARIABLE, temporary);
  try {
    const cluster = await startEphemeralCluster(children);
    Deno.env.set(CLUSTER_VARIABLE, JSON.stringify(cluster));
    await Promise.all([prepareTemplates(cluster), buildApp()]);
    const sums = [
      args.length === 0 ? await runSqlTests(cluster) : { passed: 0, failed: 0 },
      await runDenoTests(args, join(temporary, "junit.xml"), interrupted),
    ];
    const passed = sums[0].passed + sums[1].passed;
    const failed = sums[0].failed + sums[1].failed;
    console.log(`\n${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    await children.stop();
    await Deno.remove(temporary, { recursive: true });
  }
}

async function runSqlTests(cluster: Cluster): Promise<Sum> {
  await using database = await createDatabase();
  return printPgtap(await runPgtap(cluster, database.name, await pgtapFiles()));
}

/** Types are the business of `deno task check`. */
async function runDenoTests(args: string[], report: string, interrupted: AbortSignal): Promise<Sum> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", "--parallel", `--junit-path=${report}`, ...args],
    cwd: projectRoot,
  }).spawn();
  const end = () => endTree(process.pid);
  interrupted.addEventListener("abort", end);
  const { success } = await process.status;
  interrupted.removeEventListener("abort", end);
  const { tests, failed, skipped } = await readReport(report);
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((name) => `  ${name}`).join("\n")}`);
  // A file that does not load, or a run that is cut off, fails without a failed test.
  return { passed: tests - failed - skipped.length, failed: success ? failed : Math.max(failed, 1) };
}

/** Tests start programs that do not end with them: those are what is tested. */
async function endTree(pid: number): Promise<void> {
  for (const process of [...await descendantsOf(pid), { pid }]) {
    try {
      Deno.kill(process.pid, "SIGTERM");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it has ended meanwhile
    }
  }
}

async function readReport(path: string): Promise<{ tests: number; failed: number; skipped: string[] }> {
  const xml = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  const [total = ""] = xml.match(/<testsuites .*?>/s) ?? [];
  const count = (attribute: string) => Number(total.match(`\\b${attribute}="(\\d+)"`)?.[1] ?? 0);
  const skipped = [...xml.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped\/>/g)].map(([_, name]) => name);
  return { tests: count("tests"), failed: count("failures") + count("errors"), skipped };
}

/** Ctrl-C ends the tests; then everything is put away as after any run. */
function onInterrupt(children: Children): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => controller.abort());
  }
  controller.signal.addEventListener("abort", () => children.stop());
  return controller.signal;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(error instanceof LocalError ? error.message : error);
    console.log("\n0 passed, 1 failed");
    Deno.exit(1);
  }
}
