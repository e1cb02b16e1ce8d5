/**
 * The programs between the launcher and whoever started it: `deno task`, and in front of it, perhaps, npm's wrapper of
 * Deno and npx. Some of them die of a signal without passing it on, so the launcher watches them.
 */

const POLL_MS = 250;

interface Process {
  pid: number;
  parent: number;
  command: string;
}

/** Resolves when one of the programs that wrap this process is gone. Never resolves where nothing wraps it. */
export async function wrapperGone(): Promise<void> {
  const wrappers = await wrappersOf(Deno.ppid);
  while (wrappers.length === 0 || await allRun(wrappers)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** From the nearest one outwards, up to the first program that is no wrapper of Deno. */
async function wrappersOf(pid: number): Promise<Process[]> {
  const process = await readProcess(pid);
  if (!process || !isWrapper(process.command)) return [];
  return [process, ...await wrappersOf(process.parent)];
}

/**
 * `deno task dev`, npm's `node …/deno/bin.cjs task dev`, `npm exec deno@… task dev`, and a shell that runs just that.
 * Nothing else: a script that starts the stack in the background and ends wants it to stay.
 */
export function isWrapper(command: string): boolean {
  return [
    /^(\S*\/)?deno task\b/,
    /^(\S*\/)?node \S*\b(deno|npx|npm)\S* (.* )?task\b/,
    /^(npm exec|npx) (.* )?deno(@\S+)? task\b/,
    /^(\S*\/)?sh -c [^&;|<>]*\bdeno\b[^&;|<>]* task\b[^&;|<>]*$/,
  ].some((wrapper) => wrapper.test(command));
}

/** A process counts as gone when its parent changed, too: one of the wrappers in between was it. */
async function allRun(wrappers: Process[]): Promise<boolean> {
  if (Deno.ppid !== wrappers[0].pid) return false;
  const now = await Promise.all(wrappers.map(({ pid }) => readProcess(pid)));
  return now.every((process, index) => process !== null && sameParent(process, wrappers, index));
}

function sameParent(process: Process, wrappers: Process[], index: number): boolean {
  // Who started the outermost one may go its own way, as a shell does that started it in the background.
  return index === wrappers.length - 1 || process.parent === wrappers[index].parent;
}

async function readProcess(pid: number): Promise<Process | null> {
  return Deno.build.os === "linux" ? await readProc(pid) : await readPs(pid);
}

async function readProc(pid: number): Promise<Process | null> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    const parent = Number(status.match(/^PPid:\s*(\d+)/m)?.[1]);
    return { pid, parent, command: commandLine.replaceAll("\0", " ").trim() };
  } catch {
    return null; // it has ended
  }
}

async function readPs(pid: number): Promise<Process | null> {
  if (Deno.build.os === "windows") return null;
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "ppid=,args=", "-p", String(pid)] })
    .output();
  const [, parent, command] = new TextDecoder().decode(stdout).trim().match(/^(\d+)\s+(.*)$/s) ?? [];
  return parent === undefined ? null : { pid, parent: Number(parent), command };
}
