import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { projectRoot } from "../../local/paths.ts";
import { makeTemporaryFolder } from "../support/temporary_folder.ts";
import { descendantsOf, leftOver } from "../support/processes.ts";
import { runDeno } from "../support/run_deno.ts";

/** Runs the launcher to its end. */
const dev = (...args: string[]) => runDeno(["run", "--allow-all", "local/dev_stack.ts", ...args]);

const START = ["task", "dev", "--ephemeral", "--json", "--port-base=0"];

/** Starts a program that runs the launcher, in its own process group as a terminal does, and waits until all is up. */
async function startDev(program: string, args: string[]) {
  const process = new Deno.Command(program, {
    args,
    cwd: projectRoot,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  const printed: string[] = [];
  const lines = createInterface({ input: Readable.fromWeb(process.stdout as NodeReadableStream) });
  const ended = (async () => {
    for await (const line of lines) printed.push(line);
  })();
  const firstLine = Promise.withResolvers<string>();
  lines.once("line", firstLine.resolve);
  lines.once("close", () => firstLine.reject(new Error("The launcher ended before all was up.")));
  const ready = JSON.parse(await firstLine.promise);
  const processes = await descendantsOf(process.pid);
  return { process, ready, printed, ended, processes };
}

for (
  const [args, message] of [
    [["--port-base", "many"], /--port-base must be a number from 0 to 65531, not "many"/],
    [["--port-base", "65532"], /--port-base must be a number from 0 to 65531/],
    [["--port-base"], /--port-base/],
    [["--colour"], /--colour[\s\S]*--help/],
    [["now"], /now[\s\S]*--help/],
  ] as const
) {
  Deno.test(`dev ${args.join(" ")} is refused with exit code 1`, async () => {
    const { code, stdout, stderr } = await dev(...args);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack trace");
  });
}

Deno.test("dev --help names every option", async () => {
  const { code, stdout } = await dev("--help");
  assert.equal(code, 0);
  for (const option of ["--port-base", "--ephemeral", "--reset", "--json", "--help"]) {
    assert.match(stdout, RegExp(option));
  }
});

Deno.test("dev names a port in use and the option to change it, and starts nothing", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stdout, stderr } = await dev("--ephemeral", "--json", `--port-base=${port - 2}`);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, RegExp(`${port} \\(supabase\\)`));
  assert.match(stderr, /--port-base/);
  assert.doesNotMatch(stderr, /PostgreSQL/);
});

Deno.test("dev --json prints one line when all answers, and Ctrl-C leaves no process behind", async () => {
  const { process, ready, printed, ended, processes } = await startDev(Deno.execPath(), START);
  assert.equal(ready.ready, true);
  assert.deepEqual(Object.keys(ready.urls), ["parent", "plugin", "supabase", "stripe", "postgres"]);
  assert.match(ready.keys.stripeSecretKey, /^sk_test_/);
  for (
    const url of [`${ready.urls.plugin}/api/health`, `${ready.urls.stripe}/_sim/health`, ready.urls.parent]
  ) {
    const response = await fetch(url);
    await response.body?.cancel();
    assert.equal(response.ok, true, url);
  }
  assert.equal(new URL(ready.urls.parent).hostname, "localhost");
  assert.equal(new URL(ready.urls.plugin).hostname, "127.0.0.1");
  const names = [
    "postgres_server.ts",
    "stripe-simulator/main.ts",
    "parent_app/main.ts",
    "supabase.ts",
    "dev_stack.ts",
    "stripe-webhook",
  ];
  for (const name of names) assert(processes.some(({ command }) => command.includes(name)), `${name} runs`);

  Deno.kill(-process.pid, "SIGINT");
  assert.equal((await process.status).code, 130);
  assert.deepEqual(await leftOver(processes), []);
  await ended;
  assert.equal(printed.length, 1);
});

Deno.test("dev that is killed leaves no process behind", async () => {
  const { process, ended, processes } = await startDev(Deno.execPath(), START);
  const launcher = processes.find(({ command }) => command.includes("run -A local/dev_stack.ts"));
  assert(launcher);
  Deno.kill(launcher.pid, "SIGKILL");
  assert.notEqual((await process.status).code, 0);
  assert.deepEqual(await leftOver(processes), []);
  await ended;
});

Deno.test("dev stops when npm's wrapper of Deno gets SIGTERM, which the wrapper does not pass on", async () => {
  await using folder = await makeTemporaryFolder();
  const wrapper = join(folder.path, "deno", "bin.cjs");
  await Deno.mkdir(dirname(wrapper));
  await Deno.writeTextFile(
    wrapper,
    `require("node:child_process").spawnSync(${
      JSON.stringify(Deno.execPath())
    }, process.argv.slice(2), { stdio: "inherit" })`,
  );
  const { process, ended, processes } = await startDev("node", [wrapper, ...START]);
  process.kill("SIGTERM");
  await process.status;
  assert.deepEqual(await leftOver(processes), []);
  await ended;
});
