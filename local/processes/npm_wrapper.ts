/**
 * The programs between the launcher and the person who started it: `deno task`, and perhaps npm's wrapper of Deno and
 * npx. Some of them end on a signal without passing it on, so the launcher watches them.
 */
import { type Process, readProcess } from "./process_table.ts";

const POLL_MS = 250;

/** Resolves when one of the programs that wrap this process has ended. Never resolves if nothing wraps it. */
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
 * No other program: the stack should keep running after a script that started it in the background has ended.
 */
export function isWrapper(command: string): boolean {
  return [
    /^(\S*\/)?deno task\b/,
    /^(\S*\/)?node \S*\b(deno|npx|npm)\S* (.* )?task\b/,
    /^(npm exec|npx) (.* )?deno(@\S+)? task\b/,
    /^(\S*\/)?sh -c [^&;|<>]*\bdeno\b[^&;|<>]* task\b[^&;|<>]*$/,
  ].some((wrapper) => wrapper.test(command));
}

/** Also false when the parent of a wrapper changed: then the one between them has ended. */
async function allRun(wrappers: Process[]): Promise<boolean> {
  if (Deno.ppid !== wrappers[0].pid) return false;
  const now = await Promise.all(wrappers.map(({ pid }) => readProcess(pid)));
  return now.every((process, index) => process !== null && sameParent(process, wrappers, index));
}

function sameParent(process: Process, wrappers: Process[], index: number): boolean {
  // The program that started the outermost wrapper may end, such as a shell that started it in the background.
  return index === wrappers.length - 1 || process.parent === wrappers[index].parent;
}
