import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serveSimulator } from "../src/server/start_server.ts";
import { connect, createPro, openCheckout, pay, startReceiver, startSimulator } from "../testing.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

/** A temporary folder, removed on disposal. */
async function temporaryFolder() {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("a restart with the same state file loads customers, subscriptions and events", async () => {
  await using folder = await temporaryFolder();
  const state = join(folder.path, "deep", "stripe.json");
  const first = await startSimulator({ state });
  const pro = await createPro(first.stripe);
  const customer = await first.stripe.customers.create({ name: "Ada" });
  const gone = await first.stripe.customers.create({});
  await first.stripe.customers.del(gone.id);
  const { id } = await openCheckout(first.stripe, pro.id, { customer: customer.id });
  await pay(first.simulator, id);
  const before = await first.stripe.subscriptions.list({
    expand: ["data.customer", "data.latest_invoice.payments"],
  });
  const events = await first.stripe.events.list({ limit: 100 });
  await first.simulator.stop();

  await using second = await startSimulator({ state });
  const after = await second.stripe.subscriptions.list({
    expand: ["data.customer", "data.latest_invoice.payments"],
  });
  assert.deepEqual(after.data, before.data);
  assert.deepEqual((await second.stripe.events.list({ limit: 100 })).data, events.data);
  assert.equal((await second.stripe.customers.retrieve(gone.id)).deleted, true);
});

Deno.test("the state file is written while the simulator runs", async () => {
  await using folder = await temporaryFolder();
  const state = join(folder.path, "stripe.json");
  await using rig = await startSimulator({ state });
  const { id } = await rig.stripe.customers.create({});
  const written = async () => (await Deno.readTextFile(state).catch(() => "")).includes(id);
  while (!await written()) await new Promise((resolve) => setTimeout(resolve, 10));
});

Deno.test("pending webhooks are delivered after a restart", async () => {
  await using folder = await temporaryFolder();
  const state = join(folder.path, "stripe.json");
  let isUp = false;
  await using receiver = startReceiver(() => new Response(null, { status: isUp ? 200 : 503 }));
  const first = await startSimulator({ state, retryDelays: [60_000] });
  await first.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["customer.created"] });
  await first.stripe.customers.create({});
  while (receiver.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await first.simulator.stop();

  isUp = true;
  await using second = await startSimulator({ state });
  assert.equal(await second.simulator.idle(), true);
  assert.deepEqual(receiver.types(), ["customer.created", "customer.created"]);
  assert.equal((await second.stripe.events.list()).data[0].pending_webhooks, 0);
});

for (const content of ["not json", `{"api_version":"2020-08-27","collections":{}}`]) {
  Deno.test(`a state file with ${content} is refused with its name`, async () => {
    await using folder = await temporaryFolder();
    const state = join(folder.path, "stripe.json");
    await Deno.writeTextFile(state, content);
    await assert.rejects(serveSimulator({ state }), (error: Error) => {
      assert.equal(error.name, "StateFileError");
      assert.ok(error.message.startsWith(state));
      return true;
    });
    assert.equal(await Deno.readTextFile(state), content);
  });
}

Deno.test("main.ts prints its address, answers requests and exits with 0 on SIGTERM", async () => {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", main, "--port", "0"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: line = "" } = await reader.read();
  const [, port] = /^Stripe simulator: http:\/\/127\.0\.0\.1:(\d+)\n$/.exec(line) ?? [];
  const health = await fetch(`http://127.0.0.1:${port}/_sim/health`);
  assert.deepEqual(await health.json(), { ok: true });
  const stripe = connect({ host: "127.0.0.1", port: Number(port) });
  assert.deepEqual((await stripe.customers.list()).data, []);
  process.kill("SIGTERM");
  assert.deepEqual((await process.status).code, 0);
  await reader.cancel();
});

Deno.test("main.ts exits with 1 and one message for a port in use, an invalid port and an unknown option", async () => {
  await using rig = await startSimulator();
  const { port } = rig.simulator;
  const runs: [args: string[], message: RegExp][] = [
    [
      ["--port", String(port)],
      new RegExp(`^Port ${port} is in use\\. Choose another one with --port\\.\\n$`),
    ],
    [["--port", "many"], /^--port must be a number between 0 and 65535, not many\nusage:/],
    [["--colour", "red"], /--colour.*\nusage:/s],
  ];
  await Promise.all(runs.map(async ([args, message]) => {
    const program = new Deno.Command(Deno.execPath(), { args: ["run", "--no-check", "-A", main, ...args] });
    const { code, stderr } = await program.output();
    assert.equal(code, 1);
    assert.match(new TextDecoder().decode(stderr), message);
  }));
});
