/** Files that are made from the database, and the check that they are up to date. */
import { parseArgs } from "node:util";
import { projectPath, projectRoot } from "../paths.ts";

/** A file that a task writes. */
export interface GeneratedFile {
  /** From the project's root. */
  path: string;
  /** The task that writes it. */
  task: string;
  generate(): Promise<string>;
}

/**
 * Writes the file; with `--check` among the arguments it only compares, and says so if the file is stale. Resolves to the
 * exit code: 1 for a stale file.
 */
export async function writeOrCheck({ path, task, generate }: GeneratedFile, args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { check: { type: "boolean", default: false } } });
  const text = await generate();
  if (!values.check) {
    await Deno.writeTextFile(projectPath(path), text);
    console.log(`${path} is written.`);
    return 0;
  }
  const isFresh = await Deno.readTextFile(projectPath(path)).catch(() => "") === text;
  if (!isFresh) console.error(`${path} is stale: run deno task ${task}.`);
  return isFresh ? 0 : 1;
}

/** TypeScript as `deno fmt` leaves it. */
export const formatted = (text: string): Promise<string> =>
  outputOf(Deno.execPath(), ["fmt", "--ext=ts", "-"], text);

/** Runs a program in the project's folder and resolves to what it prints. Rejects if it fails. */
export async function outputOf(program: string, args: string[], input = ""): Promise<string> {
  const process = new Deno.Command(program, {
    args,
    cwd: projectRoot,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await process.output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${program} ${args[0]} fails: ${text.decode(stderr)}`);
  return text.decode(stdout);
}
