import assert from "node:assert/strict";
import type Stripe from "stripe";
import type { Fault } from "../src/faults/faults.ts";
import type { RunningSimulator } from "../src/server/start_server.ts";
import {
  createPro,
  openCheckout,
  pay,
  type Receiver,
  startReceiver,
  startSimulator,
  type TestSimulator,
} from "../testing.ts";

function listen(
  stripe: Stripe,
  receiver: Receiver,
  types: string[] = ["*"],
): Promise<Stripe.WebhookEndpoint> {
  return stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: types as Stripe.WebhookEndpointCreateParams.EnabledEvent[],
    api_version: "2026-10-28.endive",
  });
}

async function waitForDeliveries(simulator: RunningSimulator) {
  assert.equal(await simulator.idle(), true, "deliveries are still pending");
}

/** Creates a checkout for an existing customer, and an endpoint that receives its events. */
async function openCheckoutFor(rig: TestSimulator, receiver: Receiver, types?: string[]) {
  const { stripe } = rig;
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({ email: "ada@example.com" });
  const endpoint = await listen(stripe, receiver, types);
  const session = await openCheckout(stripe, pro.id, { customer: customer.id });
  return { customer, endpoint, session };
}

Deno.test("a paid checkout of an existing customer sends its events in Stripe's order in one second", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { session } = await openCheckoutFor(rig, receiver);
  await pay(rig.simulator, session.id);
  await waitForDeliveries(rig.simulator);
  assert.deepEqual(receiver.types(), [
    "charge.succeeded",
    "payment_method.attached",
    "checkout.session.completed",
    "customer.updated",
    "customer.subscription.created",
    "payment_intent.succeeded",
    "payment_intent.created",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
  ]);
  assert.equal(new Set(receiver.events().map((event) => event.created)).size, 1);
});

Deno.test("a checkout that creates its customer sends customer.created before checkout.session.completed", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const pro = await createPro(rig.stripe);
  await listen(rig.stripe, receiver, ["customer.created", "customer.updated", "checkout.session.completed"]);
  const { id } = await openCheckout(rig.stripe, pro.id);
  await pay(rig.simulator, id);
  await waitForDeliveries(rig.simulator);
  assert.deepEqual(receiver.types(), ["customer.created", "customer.updated", "checkout.session.completed"]);
});

Deno.test("a checkout with a trial sends no charge and no payment events", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const pro = await createPro(rig.stripe);
  await listen(rig.stripe, receiver);
  const { id } = await openCheckout(rig.stripe, pro.id, { subscription_data: { trial_period_days: 7 } });
  await pay(rig.simulator, id);
  await waitForDeliveries(rig.simulator);
  const types = receiver.types();
  assert.ok(types.includes("invoice.paid"));
  assert.deepEqual(types.filter((type) => /^(charge|payment_intent|invoice_payment)\./.test(type)), []);
});

Deno.test("invoice events contain the invoice as it was at each step", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { session } = await openCheckoutFor(rig, receiver, [
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
  ]);
  await pay(rig.simulator, session.id);
  await waitForDeliveries(rig.simulator);
  const statuses = receiver.events().map((event) => (event.data.object as Stripe.Invoice).status);
  assert.deepEqual(statuses, ["draft", "open", "paid"]);
});

Deno.test("a delivery is signed over its exact bytes with the endpoint's secret", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { stripe } = rig;
  const { secret = "" } = await listen(stripe, receiver, ["customer.created"]);
  await stripe.customers.create({ name: "Grüße ✓" });
  await waitForDeliveries(rig.simulator);
  const [{ body, signature }] = receiver.requests;
  const event = await stripe.webhooks.constructEventAsync(body, signature, secret);
  assert.equal(event.type, "customer.created");
  assert.equal(event.api_version, "2026-10-28.endive");
  await assert.rejects(stripe.webhooks.constructEventAsync(body, signature, "whsec_other"), {
    type: "StripeSignatureVerificationError",
  });
});

Deno.test("an event has the request that caused it, or none for actions on a page", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { session } = await openCheckoutFor(rig, receiver, [
    "customer.created",
    "checkout.session.completed",
  ]);
  const { lastResponse } = await rig.stripe.customers.create({}, { idempotencyKey: "k" });
  await pay(rig.simulator, session.id);
  await waitForDeliveries(rig.simulator);
  const [created, completed] = receiver.events();
  assert.deepEqual(created.request, { id: lastResponse.requestId, idempotency_key: "k" });
  assert.deepEqual(completed.request, { id: null, idempotency_key: null });
});

Deno.test("a request during a delivery finds at least the state in the event", async () => {
  await using rig = await startSimulator();
  const found: (string | null)[] = [];
  await using receiver = startReceiver(async (event) => {
    const { id } = event.data.object as Stripe.Checkout.Session;
    const session = await rig.stripe.checkout.sessions.retrieve(id, { expand: ["subscription"] });
    found.push(session.status, (session.subscription as Stripe.Subscription).status);
    return new Response();
  });
  const { session } = await openCheckoutFor(rig, receiver, ["checkout.session.completed"]);
  await pay(rig.simulator, session.id);
  await waitForDeliveries(rig.simulator);
  assert.deepEqual(found, ["complete", "active"]);
});

Deno.test("an endpoint receives its enabled_events until it is disabled or deleted", async () => {
  await using rig = await startSimulator();
  await using all = startReceiver();
  await using some = startReceiver();
  const { stripe, simulator } = rig;
  const everything = await listen(stripe, all);
  const selected = await listen(stripe, some, ["customer.deleted"]);
  const customer = await stripe.customers.create({});
  await stripe.customers.del(customer.id);
  await waitForDeliveries(simulator);
  assert.deepEqual(all.types(), ["customer.created", "customer.deleted"]);
  assert.deepEqual(some.types(), ["customer.deleted"]);

  await stripe.webhookEndpoints.update(everything.id, { disabled: true });
  await stripe.webhookEndpoints.del(selected.id);
  await stripe.customers.create({});
  await waitForDeliveries(simulator);
  assert.equal(all.requests.length, 2);
});

Deno.test("only the reply to its creation shows an endpoint's secret", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { stripe } = rig;
  const { id, secret } = await listen(stripe, receiver, ["invoice.paid"]);
  assert.match(secret ?? "", /^whsec_/);
  assert.equal((await stripe.webhookEndpoints.retrieve(id)).secret, undefined);
  assert.equal((await stripe.webhookEndpoints.list()).data[0].secret, undefined);
  const updated = await stripe.webhookEndpoints.update(id, { enabled_events: ["invoice.voided"] });
  assert.deepEqual([updated.secret, updated.enabled_events], [undefined, ["invoice.voided"]]);
  assert.equal((await stripe.webhookEndpoints.del(id)).deleted, true);
  await assert.rejects(stripe.webhookEndpoints.retrieve(id), { statusCode: 404 });
});

for (const status of [302, 400, 500]) {
  Deno.test(`a delivery answered with ${status} is retried with a new signature until it is answered with 200`, async () => {
    await using rig = await startSimulator();
    let failures = 2;
    await using receiver = startReceiver(() => {
      failures -= 1;
      const headers = { location: "/elsewhere" };
      return failures < 0 ? new Response() : new Response(null, { status, headers });
    });
    const { secret = "" } = await listen(rig.stripe, receiver, ["customer.created"]);
    await rig.stripe.customers.create({});
    await waitForDeliveries(rig.simulator);
    assert.equal(receiver.requests.length, 3);
    assert.equal(new Set(receiver.events().map((event) => event.id)).size, 1);
    for (const { body, signature } of receiver.requests) {
      await rig.stripe.webhooks.constructEventAsync(body, signature, secret);
    }
    const [event] = (await rig.stripe.events.list()).data;
    assert.equal(event.pending_webhooks, 0);
  });
}

Deno.test("a delivery that never succeeds stays in pending_webhooks and is logged", async () => {
  await using rig = await startSimulator({ retryDelays: [1, 1] });
  await using receiver = startReceiver(() => new Response(null, { status: 500 }));
  await listen(rig.stripe, receiver, ["customer.created"]);
  await rig.stripe.customers.create({});
  await waitForDeliveries(rig.simulator);
  assert.equal(receiver.requests.length, 3);
  const failed = await rig.stripe.events.list({ delivery_success: false });
  assert.deepEqual(failed.data.map(({ type, pending_webhooks }) => [type, pending_webhooks]), [[
    "customer.created",
    1,
  ]]);
  assert.match(
    rig.log.at(-1) ?? "",
    /^webhook failed for good: customer\.created evt_\w+ to http:.* \(500\)$/,
  );
});

Deno.test("a delivery without a response within the timeout is retried", async () => {
  await using rig = await startSimulator({ webhookTimeout: 200, retryDelays: Array(20).fill(1) });
  const { promise: end, resolve: finish } = Promise.withResolvers<void>();
  let isFirst = true;
  await using receiver = startReceiver(async () => {
    const waits = isFirst;
    isFirst = false;
    if (waits) await end;
    return new Response();
  });
  await listen(rig.stripe, receiver, ["customer.created"]);
  await rig.stripe.customers.create({});
  await waitForDeliveries(rig.simulator);
  finish();
  assert.ok(receiver.requests.length > 1);
  assert.equal((await rig.stripe.events.list()).data[0].pending_webhooks, 0);
});

const ended = "customer.subscription.deleted";
const deleted = "customer.deleted";

/** Causes two events with one request: deleting a customer also cancels its subscription. */
async function causeTwoEvents(rig: TestSimulator, receiver: Receiver) {
  const { customer, session } = await openCheckoutFor(rig, receiver, [ended, deleted]);
  await pay(rig.simulator, session.id);
  await rig.stripe.customers.del(customer.id);
}

Deno.test("a failed delivery does not delay later events", async () => {
  await using rig = await startSimulator({ retryDelays: [300] });
  let isFirst = true;
  await using receiver = startReceiver(() => {
    const status = isFirst ? 500 : 200;
    isFirst = false;
    return new Response(null, { status });
  });
  await causeTwoEvents(rig, receiver);
  await waitForDeliveries(rig.simulator);
  assert.deepEqual(receiver.types(), [ended, deleted, ended]);
});

const faults: [fault: Fault, types: string[], pending: number][] = [
  [{ kind: "drop_delivery", target: ended, next: 1 }, [deleted], 1],
  [{ kind: "duplicate_delivery", target: ended, next: 1 }, [ended, ended, deleted], 0],
  [{ kind: "delay_delivery", target: "customer.subscription.*", next: 1, ms: 300 }, [deleted, ended], 0],
  [{ kind: "fail_delivery", target: ended, next: 2 }, [deleted, ended], 0],
];

for (const [fault, types, pending] of faults) {
  Deno.test(`POST /_sim/faults requests the fault ${fault.kind}`, async () => {
    await using rig = await startSimulator({ retryDelays: [300, 1] });
    await using receiver = startReceiver();
    const { stripe, simulator } = rig;
    const asked = await fetch(`${simulator.url}/_sim/faults`, {
      method: "POST",
      body: JSON.stringify(fault),
    });
    assert.deepEqual(await asked.json(), [fault]);
    await causeTwoEvents(rig, receiver);
    const idle = await fetch(`${simulator.url}/_sim/idle`);
    assert.deepEqual([idle.status, await idle.json()], [200, { idle: true }]);
    assert.deepEqual(receiver.types(), types);
    const [event] = (await stripe.events.list({ type: ended })).data;
    assert.equal(event.pending_webhooks, pending);
  });
}

Deno.test("POST /_sim/faults refuses an unknown kind with 400, and DELETE removes all faults", async () => {
  await using rig = await startSimulator();
  const address = `${rig.simulator.url}/_sim/faults`;
  const refused = await fetch(address, { method: "POST", body: JSON.stringify({ kind: "earthquake" }) });
  assert.equal(refused.status, 400);
  assert.equal((await refused.json()).error.type, "invalid_request_error");
  rig.simulator.faults.add({ kind: "drop_delivery", target: "*", next: 1 });
  assert.deepEqual(await (await fetch(address, { method: "DELETE" })).json(), []);
  assert.deepEqual(await (await fetch(address)).json(), []);
});

Deno.test("GET /_sim/idle answers 503 after timeout_ms", async () => {
  await using rig = await startSimulator({ retryDelays: [60_000] });
  await using receiver = startReceiver(() => new Response(null, { status: 500 }));
  await listen(rig.stripe, receiver, ["customer.created"]);
  await rig.stripe.customers.create({});
  const idle = await fetch(`${rig.simulator.url}/_sim/idle?timeout_ms=50`);
  assert.deepEqual([idle.status, await idle.json()], [503, { idle: false }]);
});

Deno.test("events can be listed by type, by several types, by time and by wildcard", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { id, created } = await stripe.customers.create({});
  await stripe.customers.update(id, { name: "Ada" });
  await createPro(stripe);
  const types = async (params: Stripe.EventListParams) =>
    (await stripe.events.list(params)).data.map(({ type }) => type);
  assert.deepEqual(await types({ type: "customer.updated" }), ["customer.updated"]);
  assert.deepEqual(await types({ type: "customer.*" }), ["customer.updated", "customer.created"]);
  assert.deepEqual(await types({ types: ["price.created", "customer.created"] }), [
    "price.created",
    "customer.created",
  ]);
  assert.deepEqual(await types({ created: { gt: created + 60 } }), []);
  assert.equal((await types({ created: { gte: created } })).length, 5);
  const [updated] = (await stripe.events.list({ type: "customer.updated" })).data;
  assert.deepEqual((await stripe.events.retrieve(updated.id)).data.previous_attributes, { name: null });
});

Deno.test("an event keeps its state when the object changes later", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { id } = await stripe.customers.create({ name: "Ada" });
  await stripe.customers.update(id, { name: "Bob" });
  const [created] = (await stripe.events.list({ type: "customer.created" })).data;
  assert.equal((created.data.object as Stripe.Customer).name, "Ada");
});
