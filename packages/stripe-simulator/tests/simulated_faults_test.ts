import assert from "node:assert/strict";
import type { Fault } from "../src/faults/faults.ts";
import { connect, type Receiver, startReceiver, startSimulator, type TestSimulator } from "../testing.ts";

/** Creates an endpoint for customer.created. */
async function listen({ stripe }: TestSimulator, { url }: Receiver) {
  await stripe.webhookEndpoints.create({ url, enabled_events: ["customer.created"] });
}

async function createCustomers({ stripe }: TestSimulator, count: number) {
  for (let index = 0; index < count; index++) await stripe.customers.create({ name: String(index) });
}

/** The names of the customers in the received events, in order. */
function namesIn(receiver: Receiver): string[] {
  return receiver.events().map((event) => String(Reflect.get(event.data.object, "name")));
}

/** Sends a request to the simulator's control API. */
async function control({ simulator }: TestSimulator, method: string, path: string, body: object) {
  const response = await fetch(`${simulator.url}${path}`, { method, body: JSON.stringify(body) });
  assert.equal(response.status, 200, await response.clone().text());
  return await response.json();
}

Deno.test("reorder_delivery sends an event after the given number of later events", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  await listen(rig, receiver);
  await control(rig, "POST", "/_sim/faults", { kind: "reorder_delivery", places: 2, ms: 60_000 });
  await createCustomers(rig, 4);
  assert.equal(await rig.simulator.idle(), true);
  assert.deepEqual(namesIn(receiver), ["1", "2", "0", "3"]);
});

Deno.test("reorder_delivery sends an event after ms when no event follows", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  await listen(rig, receiver);
  await control(rig, "POST", "/_sim/faults", { kind: "reorder_delivery", ms: 10 });
  await createCustomers(rig, 1);
  assert.equal(await rig.simulator.idle(), true);
  assert.deepEqual(namesIn(receiver), ["0"]);
});

Deno.test("drop_delivery with a probability and a seed loses the same webhooks in every run", async () => {
  const run = async (seed: number) => {
    await using rig = await startSimulator();
    await using receiver = startReceiver();
    await listen(rig, receiver);
    await control(rig, "POST", "/_sim/faults", { kind: "drop_delivery", probability: 0.5, seed });
    await createCustomers(rig, 20);
    assert.equal(await rig.simulator.idle(), true);
    return namesIn(receiver);
  };
  const [first, again, other] = await Promise.all([run(1), run(1), run(2)]);
  assert.ok(first.length > 0 && first.length < 20, `${first.length} of 20`);
  assert.deepEqual(again, first);
  assert.notDeepEqual(other, first);
});

Deno.test("with several faults at once every event that is not dropped is delivered at least once", async () => {
  await using rig = await startSimulator({ retryDelays: Array(20).fill(1) });
  await using receiver = startReceiver();
  await listen(rig, receiver);
  const faults: Fault[] = [
    { kind: "duplicate_delivery", target: "*", probability: 0.3, seed: 1 },
    { kind: "reorder_delivery", target: "*", probability: 0.3, seed: 2, places: 3, ms: 20 },
    { kind: "delay_delivery", target: "*", probability: 0.2, seed: 3, ms: 5 },
    { kind: "fail_delivery", target: "*", probability: 0.3, seed: 4, reached: true },
  ];
  for (const fault of faults) rig.simulator.faults.add(fault);
  await createCustomers(rig, 30);
  assert.equal(await rig.simulator.idle(), true);
  const names = namesIn(receiver);
  assert.ok(names.length > 30, "some arrive more than once");
  assert.notDeepEqual(names, names.toSorted((a, b) => Number(a) - Number(b)), "some overtake others");
  assert.equal(new Set(names).size, 30);
  const pending = (await rig.stripe.events.list({ limit: 100 })).data.map((event) => event.pending_webhooks);
  assert.deepEqual(pending.filter((count) => count !== 0), []);
});

Deno.test("fail_delivery with reached delivers the event and sends it again", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  await listen(rig, receiver);
  await control(rig, "POST", "/_sim/faults", { kind: "fail_delivery", reached: true });
  await createCustomers(rig, 1);
  assert.equal(await rig.simulator.idle(), true);
  assert.deepEqual(namesIn(receiver), ["0", "0"]);
});

Deno.test("POST /_sim/webhooks/advance makes retries that are due after hours", async () => {
  await using rig = await startSimulator();
  let isUp = false;
  await using receiver = startReceiver(() => new Response(null, { status: isUp ? 200 : 503 }));
  await listen(rig, receiver);
  const hours = 3_600_000;
  const settings = await control(rig, "PUT", "/_sim/webhooks", {
    retry_delays_ms: [hours, 8 * hours, 48 * hours],
  });
  assert.deepEqual(settings, { retry_delays_ms: [hours, 8 * hours, 48 * hours], timeout_ms: 10_000 });
  await createCustomers(rig, 1);
  const attempts = async (count: number) => {
    while (rig.simulator.account.deliveries.oldestFirst()[0].attempts.length < count) await pause();
    return receiver.requests.length;
  };
  assert.equal(await attempts(1), 1);
  await control(rig, "POST", "/_sim/webhooks/advance", { seconds: 3_600 });
  assert.equal(await attempts(2), 2);
  isUp = true;
  await control(rig, "POST", "/_sim/webhooks/advance", { seconds: 8 * 3_600 });
  assert.equal(await rig.simulator.idle(), true);
  assert.equal(receiver.requests.length, 3);
});

Deno.test("a rolled secret and its predecessor both sign until the predecessor expires", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { stripe, simulator } = rig;
  const { id, secret: old = "" } = await stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ["customer.created"],
  });
  const roll = (expires_in: number) =>
    control(rig, "POST", `/_sim/webhook_endpoints/${id}/roll_secret`, { expires_in });
  const { secret: fresh } = await roll(3_600);
  await createCustomers(rig, 1);
  await simulator.idle();
  const verify = (secret: string) => {
    const { body, signature } = receiver.requests[receiver.requests.length - 1];
    return stripe.webhooks.constructEventAsync(body, signature, secret);
  };
  await verify(old);
  await verify(fresh);
  const { secret: last } = await roll(0);
  await createCustomers(rig, 1);
  await simulator.idle();
  await verify(last);
  await assert.rejects(verify(fresh), { type: "StripeSignatureVerificationError" });
});

for (const carried_out of [false, true]) {
  Deno.test(`api_time_out with carried_out ${carried_out} ${carried_out ? "has" : "has no"} effect`, async () => {
    await using rig = await startSimulator();
    rig.simulator.faults.add({ kind: "api_time_out", target: "POST /v1/customers", ms: 30, carried_out });
    await assert.rejects(rig.stripe.customers.create({}), { type: "StripeConnectionError" });
    assert.equal((await rig.stripe.customers.list()).data.length, carried_out ? 1 : 0);
  });
}

Deno.test("stop() does not wait for a request that is never answered", async () => {
  const rig = await startSimulator();
  rig.simulator.faults.add({ kind: "api_time_out", target: "*", ms: 600_000, carried_out: false });
  const request = assert.rejects(rig.stripe.customers.list());
  while (rig.simulator.faults.list().length > 0) await pause();
  await rig.simulator.stop();
  await request;
});

Deno.test("a rate limit refuses requests with 429 until it is removed", async () => {
  await using rig = await startSimulator();
  await control(rig, "PUT", "/_sim/rate_limit", { per_second: 0 });
  const stripe = connect(rig.simulator);
  await assert.rejects(stripe.customers.list(), {
    type: "StripeRateLimitError",
    statusCode: 429,
    code: "rate_limit",
  });
  await control(rig, "PUT", "/_sim/rate_limit", { per_second: null });
  assert.deepEqual((await stripe.customers.list()).data, []);
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
