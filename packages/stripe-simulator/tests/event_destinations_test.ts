import assert from "node:assert/strict";
import type Stripe from "stripe";
import { noCause, perform } from "../src/account/change.ts";
import { type Receiver, startReceiver, startSimulator, type TestSimulator } from "../testing.ts";

type CreateParams = Stripe.V2.Core.EventDestinationCreateParams;

/** Creates a destination for the receiver. The reply includes its secret. */
function create({ stripe }: TestSimulator, { url }: Receiver, params: Partial<CreateParams> = {}) {
  return stripe.v2.core.eventDestinations.create({
    name: "Dues",
    type: "webhook_endpoint",
    event_payload: "thin",
    enabled_events: ["v1.customer.created"],
    webhook_endpoint: { url },
    include: ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
    ...params,
  });
}

async function waitForDeliveries({ simulator }: TestSimulator) {
  assert.equal(await simulator.idle(), true);
}

Deno.test("a thin event has the related object, and the SDK can fetch object and event", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { stripe } = rig;
  const { webhook_endpoint: endpoint } = await create(rig, receiver);
  const customer = await stripe.customers.create({ name: "Ada" });
  await waitForDeliveries(rig);
  const [{ body, signature }] = receiver.requests;
  const secret = endpoint?.signing_secret ?? "";
  const notification = await stripe.parseEventNotificationAsync(body, signature, secret);
  assert.ok(notification.type === "v1.customer.created");
  assert.equal(notification.related_object.id, customer.id);
  assert.equal(notification.reason?.request?.id, customer.lastResponse.requestId);
  assert.equal("data" in JSON.parse(body), false);
  assert.equal((await notification.fetchRelatedObject()).name, "Ada");
  const event = await notification.fetchEvent();
  assert.equal((await stripe.events.retrieve(event.snapshot_event ?? "")).type, "customer.created");
  await assert.rejects(stripe.webhooks.constructEventAsync(body, signature, secret));
});

Deno.test("a snapshot destination receives the events that a webhook endpoint receives", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { stripe } = rig;
  const destination = await create(rig, receiver, {
    event_payload: "snapshot",
    enabled_events: ["customer.created"],
    snapshot_api_version: "2026-10-28.endive",
  });
  await stripe.customers.create({});
  await waitForDeliveries(rig);
  const [{ body, signature }] = receiver.requests;
  const secret = destination.webhook_endpoint?.signing_secret ?? "";
  const event = await stripe.webhooks.constructEventAsync(body, signature, secret);
  assert.equal(event.type, "customer.created");
  assert.equal((await stripe.events.retrieve(event.id)).pending_webhooks, 0);
});

Deno.test("a destination shows its url when included, and its secret only in the reply to the creation", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { eventDestinations } = rig.stripe.v2.core;
  const created = await create(rig, receiver);
  assert.match(created.webhook_endpoint?.signing_secret ?? "", /^whsec_/);
  assert.equal((await eventDestinations.retrieve(created.id)).webhook_endpoint, undefined);
  const include: ["webhook_endpoint.url", "webhook_endpoint.signing_secret"] = [
    "webhook_endpoint.url",
    "webhook_endpoint.signing_secret",
  ];
  const shown = await eventDestinations.retrieve(created.id, { include });
  assert.deepEqual(shown.webhook_endpoint, { url: receiver.url });
  const silent = await create(rig, receiver, { include: [] });
  assert.equal(silent.webhook_endpoint, undefined);
});

Deno.test("event destinations can be updated, disabled, enabled and deleted", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { stripe } = rig;
  const { eventDestinations } = stripe.v2.core;
  const { id } = await create(rig, receiver, { metadata: { a: "1", b: "2" } });
  const changed = await eventDestinations.update(id, {
    name: "Other",
    enabled_events: ["v1.customer.deleted"],
    metadata: { a: "3" },
  });
  assert.deepEqual([changed.name, changed.enabled_events, changed.metadata], [
    "Other",
    ["v1.customer.deleted"],
    { a: "3", b: "2" },
  ]);
  assert.equal((await eventDestinations.disable(id)).status_details?.disabled?.reason, "user");
  const { id: missed } = await stripe.customers.create({});
  await stripe.customers.del(missed);
  assert.equal((await eventDestinations.enable(id)).status, "enabled");
  const { id: heard } = await stripe.customers.create({});
  await stripe.customers.del(heard);
  await waitForDeliveries(rig);
  const related = receiver.requests.map(({ body }) => JSON.parse(body).related_object.id);
  assert.deepEqual(related, [heard]);
  assert.equal((await eventDestinations.del(id)).id, id);
  await assert.rejects(eventDestinations.retrieve(id), { statusCode: 404 });
});

Deno.test("a ping is delivered only to its destination, regardless of enabled_events", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  await using other = startReceiver();
  const { id } = await create(rig, receiver);
  await create(rig, other);
  const ping = await rig.stripe.v2.core.eventDestinations.ping(id);
  await waitForDeliveries(rig);
  assert.equal(ping.type, "v2.core.event_destination.ping");
  assert.deepEqual(receiver.requests.map(({ body }) => JSON.parse(body).id), [ping.id]);
  assert.equal(other.requests.length, 0);
});

Deno.test("a thin event is retried until it is answered with 200", async () => {
  await using rig = await startSimulator();
  const answers = [500, 200];
  await using receiver = startReceiver(() => new Response(null, { status: answers.shift() }));
  await create(rig, receiver);
  await rig.stripe.customers.create({});
  await waitForDeliveries(rig);
  assert.equal(receiver.requests.length, 2);
});

Deno.test("meter errors are sent only as thin events, and their data is fetched", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { stripe, simulator } = rig;
  const { webhook_endpoint: endpoint } = await create(rig, receiver, {
    enabled_events: ["v1.billing.meter.no_meter_found"],
  });
  const data = { developer_message_summary: "There is 1 invalid event", reason: { error_count: 1 } };
  perform(simulator.account, noCause, (change) => {
    change.emitThin("v1.billing.meter.no_meter_found", null, data);
  });
  await waitForDeliveries(rig);
  const [{ body, signature }] = receiver.requests;
  const secret = endpoint?.signing_secret ?? "";
  const notification = await stripe.parseEventNotificationAsync(body, signature, secret);
  assert.ok(notification.type === "v1.billing.meter.no_meter_found");
  assert.deepEqual((await notification.fetchEvent()).data, data);
  assert.deepEqual((await stripe.events.list()).data, []);
});

Deno.test("v2 lists of destinations and events have pages", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { stripe } = rig;
  const ids = [];
  for (let index = 0; index < 5; index++) ids.unshift((await create(rig, receiver)).id);
  const paged = await stripe.v2.core.eventDestinations.list({ limit: 2 }).autoPagingToArray({ limit: 100 });
  assert.deepEqual(paged.map(({ id }) => id), ids);

  const customers = [];
  for (const name of ["a", "b", "c"]) customers.unshift((await stripe.customers.create({ name })).id);
  const types = ["v1.customer.created"];
  const events = await stripe.v2.core.events.list({ types, limit: 2 }).autoPagingToArray({ limit: 100 });
  const related = events.map((event) => String(Reflect.get(Reflect.get(event, "related_object"), "id")));
  assert.deepEqual(related, customers);
  const about = await stripe.v2.core.events.list({ object_id: customers[1] });
  assert.equal(about.data.length, 1);
});

const refusals: [name: string, params: Partial<CreateParams>, param: string][] = [
  ["a snapshot type for thin events", { enabled_events: ["customer.created"] }, "enabled_events"],
  ["all types for thin events", { enabled_events: ["*"] }, "enabled_events"],
  ["a version for thin events", { snapshot_api_version: "2026-10-28.endive" }, "snapshot_api_version"],
  ["no version for snapshots", { event_payload: "snapshot", enabled_events: ["*"] }, "snapshot_api_version"],
  ["an invalid url", { webhook_endpoint: { url: "nowhere" } }, "webhook_endpoint[url]"],
];

for (const [name, params, param] of refusals) {
  Deno.test(`creating a destination with ${name} is refused with 400`, async () => {
    await using rig = await startSimulator();
    await using receiver = startReceiver();
    await assert.rejects(create(rig, receiver, params), { statusCode: 400, param });
  });
}
