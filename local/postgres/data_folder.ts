/** What has to hold before a PostgreSQL server may use a folder. */
import { dirname } from "node:path";
import { userInfo } from "node:os";
import { LocalError } from "../errors.ts";
import { projectPath } from "../paths.ts";

/** Supabase's version, and that of the npm package. */
const MAJOR_VERSION = "17";
/** How long to wait for another process to let go of a folder: a fast shutdown takes well under a second. */
const TAKE_OVER_MS = 10_000;

/**
 * Makes this process the only one to use a data folder until the returned file is closed or the process ends, and ends
 * a server that a killed supervisor left behind there. Rejects with LocalError `state_in_use` after ten seconds.
 */
export async function claimDataFolder(folder: string): Promise<Deno.FsFile> {
  await Deno.mkdir(dirname(folder), { recursive: true });
  const lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  const deadline = Date.now() + TAKE_OVER_MS;
  while (!await lock.tryLock(true)) {
    if (Date.now() > deadline) {
      throw new LocalError("state_in_use", `Another process is using ${folder}.`);
    }
    await pause(50);
  }
  await endOrphan(folder, deadline);
  return lock;
}

async function endOrphan(folder: string, deadline: number): Promise<void> {
  const pidFile = `${folder}/postmaster.pid`;
  const pid = await Deno.readTextFile(pidFile).then((text) => Number(text.split("\n")[0]), () => null);
  if (pid === null) return;
  if (await runsOn(pid, folder)) Deno.kill(pid, "SIGINT");
  while (await runsOn(pid, folder)) {
    if (Date.now() > deadline) {
      throw new LocalError("state_in_use", `The PostgreSQL server with process id ${pid} does not stop.`);
    }
    await pause(50);
  }
  // The number may belong to an unrelated process by now, which would make the server refuse to start.
  await removeFile(pidFile);
}

/** Whether that process is a PostgreSQL server on that folder. */
async function runsOn(pid: number, folder: string): Promise<boolean> {
  const command = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => commandByPs(pid));
  return command.includes(folder);
}

async function commandByPs(pid: number): Promise<string> {
  if (Deno.build.os === "linux" || Deno.build.os === "windows") return "";
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "args=", "-p", String(pid)] }).output();
  return new TextDecoder().decode(stdout);
}

/**
 * As root, the server runs as another user, who has to get at the program and at the data. Throws LocalError
 * `folder_closed`.
 */
export function requireOpenFolders(folder: string): void {
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

/** Rejects with LocalError `state_unusable` when another major version of PostgreSQL made the folder. */
export async function requireMajorVersion(folder: string): Promise<void> {
  const version = (await Deno.readTextFile(`${folder}/PG_VERSION`)).trim();
  if (version === MAJOR_VERSION) return;
  throw new LocalError(
    "state_unusable",
    `${folder} was made by PostgreSQL ${version}, and this is ${MAJOR_VERSION}. Start with --reset.`,
  );
}

async function removeFile(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
