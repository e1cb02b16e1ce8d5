// `deno task start`, without its --env-file.
import assert from "node:assert/strict";
import { projectRoot } from "../../local/paths.ts";
import { commonEnvironment } from "../../local/processes/children.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { buildApp } from "../support/build.ts";
import { descendantsOf, leftOver } from "../support/processes.ts";
import { startTestStack } from "../support/stack.ts";

const { tasks } = JSON.parse(await Deno.readTextFile(`${projectRoot}/deno.json`));
const [_deno, ...startArguments] = tasks.start.command.replace("--env-file ", "").split(" ");

function start(env: Record<string, string>, args: string[] = []) {
  return new Deno.Command(Deno.execPath(), {
    args: [...startArguments, ...args],
    cwd: projectRoot,
    env: { ...commonEnvironment(), ...env },
    clearEnv: true,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function answers(url: string): Promise<boolean> {
  for (let i = 0; i < 200; i++) {
    const response = await fetch(url).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

Deno.test("start serves at this machine only, at the port of --port or PORT, with the permissions it needs, and ends with SIGTERM", async () => {
  await using stack = await startTestStack();
  const [flagged, named] = freePorts(2);
  for (
    const [env, args, port] of [
      [{ PORT: "1" }, ["--port", `${flagged}`], flagged],
      [{ PORT: `${named}`, HOST: "" }, [], named],
    ] as [Record<string, string>, string[], number][]
  ) {
    const process = start({ ...stack.env, ...env, SECRET_OF_ANOTHER: "x" }, args);
    try {
      const url = `http://127.0.0.1:${port}`;
      assert.ok(await answers(`${url}/api/health`), "database and permissions");
      assert.ok(await answers(url) && await answers(`${url}/style.css`), "pages and files");
      const server = (await descendantsOf(process.pid)).find(({ command }) => command.includes("serve.ts"))!;
      assert.match(
        server.command,
        new RegExp(`--allow-net=127\\.0\\.0\\.1:${port},127\\.0\\.0\\.1:\\d+,127\\.0\\.0\\.1:\\d+ `),
      );
      assert.doesNotMatch(
        server.command,
        /--allow-(all|run|write|sys|ffi|import)| -A |--allow-(net|env|read) /,
      );
      const others = Deno.networkInterfaces().filter(({ family, address }) =>
        family === "IPv4" && !address.startsWith("127.")
      );
      for (const { address } of others) {
        await assert.rejects(Deno.connect({ hostname: address, port }), `listens at ${address}`);
      }
      const children = await descendantsOf(process.pid);
      process.kill("SIGTERM");
      assert.equal((await process.status).code, 0);
      assert.deepEqual(await leftOver(children, 3_000), []);
    } finally {
      await Promise.all([process.stdout.cancel(), process.stderr.cancel()]);
    }
  }
});

Deno.test("start refuses unsafe settings and wrong arguments, each with its sentence, and serves nothing", async () => {
  await buildApp();
  const complete = {
    STRIPE_SECRET_KEY: "rk_live_abc",
    STRIPE_PUBLISHABLE_KEY: "pk_live_abc",
    STRIPE_WEBHOOK_SECRET: "whsec_a",
    PARENT_APP_URL: "https://app.example",
    PLUGIN_URL: "https://billing.example",
    PARENT_APP_JWT_SECRET: "p".repeat(32),
    SESSION_SECRET: "s".repeat(32),
    SUPABASE_DB_URL: "postgresql://billing_service:x@db.example/postgres?sslmode=verify-full",
  };
  const rows: [Record<string, string>, string[], RegExp][] = [
    [{ PARENT_APP_URL: "http://app.example" }, [], /PARENT_APP_URL should begin with https:/],
    [{ STRIPE_API_BASE: "https://simulator.example" }, [], /STRIPE_API_BASE should be empty with live keys/],
    [
      { SUPABASE_DB_URL: "postgresql://billing_service:x@db.example/postgres" },
      [],
      /should have sslmode=verify-full/,
    ],
    [{ PORT: "http" }, [], /PORT should be the port/],
    [{}, ["--port=99999"], /The port should be a whole number/],
    [{}, ["--prot=80"], /--prot/],
  ];
  for (const [env, args, sentence] of rows) {
    const { code, stdout, stderr } = await start({ ...complete, ...env }, args).output();
    const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(code, 1, printed);
    assert.match(printed, sentence);
    assert.doesNotMatch(printed, /listens at|\.ts:\d/);
  }
});
