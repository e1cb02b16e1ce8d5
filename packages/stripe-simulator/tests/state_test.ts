import assert from "node:assert/strict";
import { join } from "node:path";
import {
  createPro,
  openCheckout,
  pay,
  startReceiver,
  startSimulator,
  type TestSimulator,
} from "../testing.ts";

async function readState({ simulator }: TestSimulator): Promise<string> {
  return await (await fetch(`${simulator.url}/_sim/state`)).text();
}

async function writeState({ simulator }: TestSimulator, state: string): Promise<Response> {
  return await fetch(`${simulator.url}/_sim/state`, { method: "PUT", body: state });
}

Deno.test("a state can be read from a simulator and put into another or back later", async () => {
  await using first = await startSimulator();
  const pro = await createPro(first.stripe);
  const { id } = await openCheckout(first.stripe, pro.id);
  await pay(first.simulator, id);
  const state = await readState(first);
  await first.stripe.customers.create({ name: "after" });

  await using second = await startSimulator();
  await second.stripe.customers.create({ name: "before" });
  assert.equal((await writeState(second, state)).status, 200);
  const [subscription] = (await first.stripe.subscriptions.list()).data;
  assert.deepEqual((await second.stripe.subscriptions.list()).data, [subscription]);
  assert.equal((await second.stripe.customers.list()).data.length, 1);
  assert.equal(await readState(second), state);

  assert.equal((await writeState(first, state)).status, 200);
  assert.equal(await readState(first), state);
});

Deno.test("PUT /_sim/state refuses an invalid state with 400 and changes nothing", async () => {
  await using rig = await startSimulator();
  const { id } = await rig.stripe.customers.create({});
  for (const state of ["nonsense", "{}", JSON.stringify({ api_version: "2020-08-27", collections: {} })]) {
    const response = await writeState(rig, state);
    assert.equal(response.status, 400);
    await response.body?.cancel();
  }
  assert.equal((await rig.stripe.customers.retrieve(id)).id, id);
});

Deno.test("pending webhooks of a state are delivered after PUT /_sim/state", async () => {
  await using receiver = startReceiver();
  await using first = await startSimulator({ retryDelays: [60_000] });
  first.simulator.faults.add({ kind: "fail_delivery", target: "*", next: 1 });
  await first.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["customer.created"] });
  await first.stripe.customers.create({ name: "Ada" });
  while (!(await readState(first)).includes("simulated fault")) await Promise.resolve();

  await using second = await startSimulator();
  assert.equal((await writeState(second, await readState(first))).status, 200);
  assert.equal(await second.simulator.idle(), true);
  assert.deepEqual(receiver.types(), ["customer.created"]);
});

Deno.test("an idempotency key is replayed after a restart", async () => {
  const folder = await Deno.makeTempDir();
  const state = join(folder, "stripe.json");
  try {
    const first = await startSimulator({ state });
    const create = ({ stripe }: TestSimulator) =>
      stripe.customers.create({ name: "Ada" }, { idempotencyKey: "k" });
    const { id } = await create(first);
    await first.simulator.stop();
    await using second = await startSimulator({ state });
    assert.equal((await create(second)).id, id);
    assert.equal((await second.stripe.customers.list()).data.length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
