/**
 * `deno task upstream:check`: proves that the app works with Fresh as it is published on JSR, without `packages/fresh`. It
 * copies the project, removes what puts our package in Fresh's place, installs, checks the types, builds, and runs the tests of
 * pages and HTTP there. It says how much JavaScript a page loads in either case.
 *
 * Exit code 0: it works. 1: it does not. 2: JSR cannot be reached from here, so nothing is proved.
 */
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "./paths.ts";
import { commonEnvironment } from "./processes/children.ts";

const JSR = "https://jsr.io";
const ANSWER_MS = 10_000;

/** The project's configuration with upstream Fresh. */
export function upstreamConfig(project: Record<string, unknown>): Record<string, unknown> {
  const { links: _, ...rest } = project;
  return rest;
}

/** What is not copied: what is made anew, and our package. */
const LEFT_OUT = /^(node_modules|_fresh|\.git|\.local|deno\.lock|packages\/fresh)$/;

/** Copies the project without what is left out. */
export async function copyProject(from: string, to: string, folder = ""): Promise<void> {
  await Deno.mkdir(join(to, folder), { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(join(from, folder))) {
    const path = join(folder, name);
    if (LEFT_OUT.test(path) || name === "node_modules") continue;
    if (isDirectory) await copyProject(from, to, path);
    else if (isFile) await Deno.copyFile(join(from, path), join(to, path));
  }
}

async function main(args: string[]): Promise<number> {
  const { jsr = JSR } = parseArgs({ args, options: { jsr: { type: "string" } } }).values;
  const fault = await unreachable(`${jsr}/@fresh/core/meta.json`);
  if (fault) {
    console.log(
      `JSR cannot be reached at ${jsr} (${fault}), so nothing is proved about upstream Fresh. Run this where it can.`,
    );
    return 2;
  }
  const folder = await Deno.makeTempDir({ prefix: "dues-upstream-" });
  try {
    await copyProject(projectRoot, folder);
    const config = JSON.parse(await Deno.readTextFile(join(folder, "deno.json")));
    await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(upstreamConfig(config), null, 2));
    const steps: [string, string[]][] = [
      ["install", ["install"]],
      ["types", ["check", "main.ts", "dev.ts", "server", "routes", "islands", "components", "examples"]],
      ["build", ["run", "-A", "dev.ts", "build"]],
    ];
    for (const [name, command] of steps) if (!await run(folder, name, command)) return 1;
    const size = await scriptSize(join(folder, "_fresh"));
    const tests = ["run", "-A", "tests/run.ts", "tests/http", "tests/browser/plan", "tests/browser/parent"];
    if (!await run(folder, "tests", tests)) return 1;
    console.log(`The app works with upstream Fresh. All its scripts are ${kilobytes(size)} gzipped.`);
    if (await run(projectRoot, "build with packages/fresh, to compare", ["run", "-A", "dev.ts", "build"])) {
      console.log(
        `With packages/fresh they are ${kilobytes(await scriptSize(join(projectRoot, "_fresh")))}.`,
      );
    }
    return 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Why an address cannot be reached; undefined when it can. */
async function unreachable(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    await answer.body?.cancel();
    return answer.ok ? undefined : `it answers ${answer.status}`;
  } catch (error) {
    return error instanceof DOMException ? "no answer" : "no connection";
  }
}

async function run(folder: string, name: string, args: string[]): Promise<boolean> {
  console.log(`== ${name}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { ...commonEnvironment(), DUES_EXAMPLES: "true" },
    clearEnv: true,
  }).spawn().status;
  if (!success) console.log(`The app does not work with upstream Fresh: ${name} failed.`);
  return success;
}

/** Of every script below a folder, gzipped, in bytes. */
async function scriptSize(folder: string): Promise<number> {
  let size = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory && name !== "server") size += await scriptSize(path);
    else if (folder.includes("public") || folder.includes("client") || folder.includes("static")) {
      if (name.endsWith(".js")) size += gzipSync(await Deno.readFile(path)).length;
    }
  }
  return size;
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;

if (import.meta.main) Deno.exit(await main(Deno.args));
