import assert from "node:assert/strict";
import { join } from "node:path";
import {
  at,
  configure,
  connect,
  createPayer,
  createPro,
  iso,
  openCheckout,
  pay,
  startReceiver,
  startSimulator,
  startSimulatorWithClock,
  subscribe,
} from "../testing.ts";

Deno.test("a test clock is frozen, is advancing to a later time and is ready again, each with its event", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const { testClocks } = rig.stripe.testHelpers;
  await rig.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
  const clock = await testClocks.create({ frozen_time: at("2030-01-01T00:00:00Z"), name: "Renewals" });
  assert.match(clock.id, /^clock_/);
  assert.deepEqual([clock.object, clock.status, clock.name], [
    "test_helpers.test_clock",
    "ready",
    "Renewals",
  ]);
  const moving = await testClocks.advance(clock.id, { frozen_time: at("2030-06-01T00:00:00Z") });
  assert.deepEqual([moving.status, iso(moving.frozen_time)], ["advancing", "2030-01-01T00:00"]);
  assert.equal(iso(moving.status_details.advancing?.target_frozen_time ?? 0), "2030-06-01T00:00");
  await rig.simulator.idle();
  const arrived = await testClocks.retrieve(clock.id);
  assert.deepEqual([arrived.status, iso(arrived.frozen_time), arrived.status_details], [
    "ready",
    "2030-06-01T00:00",
    {},
  ]);
  assert.deepEqual(receiver.types(), [
    "test_helpers.test_clock.created",
    "test_helpers.test_clock.advancing",
    "test_helpers.test_clock.ready",
  ]);
});

Deno.test("a clock advances only forward, by at most two intervals of its shortest subscription or two years", async () => {
  await using rig = await startSimulatorWithClock("2026-01-31T00:00:00Z");
  const { testClocks } = rig.stripe.testHelpers;
  const advance = (moment: string) => testClocks.advance(rig.clock, { frozen_time: at(moment) });
  await assert.rejects(advance("2026-01-31T00:00:00Z"), { statusCode: 400, param: "frozen_time" });
  await assert.rejects(advance("2028-01-31T00:00:01Z"), { statusCode: 400, param: "frozen_time" });
  await subscribe(rig);
  await assert.rejects(advance("2026-03-31T00:00:01Z"), {
    statusCode: 400,
    message: /You can only advance it up to 1774915200 \(2026-03-31 00:00:00 UTC\)/,
  });
  await advance("2026-03-31T00:00:00Z");
});

Deno.test("changes of objects on an advancing clock are refused with 429", async () => {
  await using rig = await startSimulatorWithClock("2026-01-31T00:00:00Z");
  const { stripe } = rig;
  const { subscription, customer, price } = await subscribe(rig);
  // A clock without a target stays advancing during the whole test.
  const { testClocks } = rig.simulator.account;
  testClocks.put({ ...testClocks.get(rig.clock), status: "advancing" });
  const message = new RegExp(
    `^Test clock advancement underway - cannot perform modifications: ${rig.clock}$`,
  );
  for (
    const change of [
      () => stripe.subscriptions.update(subscription.id, { metadata: { a: "b" } }),
      () => stripe.subscriptions.cancel(subscription.id),
      () => stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] }),
      () => stripe.customers.update(customer.id, { name: "Ada" }),
      () => stripe.customers.create({ test_clock: rig.clock }),
      () => stripe.testHelpers.testClocks.del(rig.clock),
    ]
  ) await assert.rejects(change(), { statusCode: 429, message });
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "active");
});

Deno.test("lists leave out objects on a test clock unless they are filtered by clock, customer or subscription", async () => {
  await using rig = await startSimulatorWithClock("2026-01-31T00:00:00Z");
  const { stripe, clock } = rig;
  const { customer, subscription } = await subscribe(rig);
  assert.deepEqual((await stripe.customers.list()).data, []);
  assert.deepEqual((await stripe.subscriptions.list({ status: "all" })).data, []);
  assert.deepEqual((await stripe.invoices.list()).data, []);
  assert.deepEqual((await stripe.customers.list({ test_clock: clock })).data.map(({ id }) => id), [
    customer.id,
  ]);
  const listed = [
    await stripe.subscriptions.list({ test_clock: clock }),
    await stripe.subscriptions.list({ customer: customer.id }),
  ];
  assert.deepEqual(listed.map(({ data }) => data.map(({ id }) => id)), [[subscription.id], [
    subscription.id,
  ]]);
  assert.equal((await stripe.invoices.list({ customer: customer.id })).data.length, 1);
  assert.equal((await stripe.invoices.list({ subscription: subscription.id })).data[0].test_clock, clock);
});

Deno.test("an existing customer can be attached to a clock with all its objects", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const price = await createPro(stripe);
  const customer = await stripe.customers.create({});
  const { id } = await openCheckout(stripe, price.id, { customer: customer.id });
  await pay(rig.simulator, id);
  const [{ id: subscription, created }] = (await stripe.subscriptions.list({ customer: customer.id })).data;
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: created, customer: customer.id });
  assert.equal((await stripe.subscriptions.retrieve(subscription)).test_clock, clock.id);
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: created + 32 * 86_400 });
  await rig.simulator.idle();
  const invoices = await stripe.invoices.list({ subscription });
  assert.deepEqual(invoices.data.map(({ status, test_clock }) => [status, test_clock]), [
    ["paid", clock.id],
    ["paid", clock.id],
  ]);
});

Deno.test("deleting a clock deletes its customers and cancels their subscriptions", async () => {
  await using rig = await startSimulatorWithClock("2026-01-31T00:00:00Z");
  const { stripe, clock } = rig;
  const { customer, subscription } = await subscribe(rig);
  assert.deepEqual(await stripe.testHelpers.testClocks.del(clock), {
    id: clock,
    object: "test_helpers.test_clock",
    deleted: true,
  });
  assert.equal((await stripe.customers.retrieve(customer.id)).deleted, true);
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "canceled");
  await assert.rejects(stripe.testHelpers.testClocks.retrieve(clock), { statusCode: 404 });
  assert.deepEqual((await stripe.testHelpers.testClocks.list()).data, []);
});

Deno.test("two clocks advance independently", async () => {
  await using rig = await startSimulatorWithClock("2026-01-31T00:00:00Z");
  const { stripe } = rig;
  const here = await subscribe(rig);
  const other = await stripe.testHelpers.testClocks.create({ frozen_time: at("2040-01-31T00:00:00Z") });
  const there = await subscribe({ ...rig, clock: other.id });
  await rig.advanceTo("2026-02-28T01:00:00Z");
  const count = async (subscription: string) => (await stripe.invoices.list({ subscription })).data.length;
  assert.deepEqual([await count(here.subscription.id), await count(there.subscription.id)], [2, 1]);
});

Deno.test("a clock that was advancing when the simulator stopped is ready after the restart", async () => {
  const folder = await Deno.makeTempDir();
  const state = join(folder, "stripe.json");
  try {
    const first = await startSimulator({ state });
    const { id: clock } = await first.stripe.testHelpers.testClocks.create({
      frozen_time: at("2026-01-31T00:00:00Z"),
    });
    const { subscription } = await subscribe({ ...first, clock, advanceTo: () => Promise.resolve() });
    const target = at("2026-03-31T00:00:00Z");
    const { account } = first.simulator;
    await first.simulator.stop();
    const saved = JSON.parse(await Deno.readTextFile(state));
    const before = account.testClocks.get(clock);
    saved.collections.testClocks = [{
      ...before,
      status: "advancing",
      status_details: { advancing: { target_frozen_time: target } },
    }];
    await Deno.writeTextFile(state, JSON.stringify(saved));

    await using second = await startSimulator({ state });
    await second.simulator.idle();
    const stripe = connect(second.simulator);
    assert.deepEqual(
      [
        (await stripe.testHelpers.testClocks.retrieve(clock)).status,
        iso((await stripe.testHelpers.testClocks.retrieve(clock)).frozen_time),
      ],
      ["ready", "2026-03-31T00:00"],
    );
    assert.equal((await stripe.invoices.list({ subscription: subscription.id })).data.length, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("events older than 30 days by their clock are removed with their deliveries", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  await using receiver = startReceiver();
  await rig.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["customer.created"] });
  const customer = await createPayer(rig);
  await rig.simulator.idle();
  const [event] = receiver.events();
  const known = () => rig.stripe.events.list({ type: "customer.created" });
  await rig.advanceTo("2026-02-09T08:59:59Z");
  assert.deepEqual((await known()).data.map(({ id }) => id), [event.id]);
  await rig.advanceTo("2026-02-09T09:00:00Z");
  assert.deepEqual((await known()).data, []);
  await assert.rejects(rig.stripe.events.retrieve(event.id), { statusCode: 404 });
  assert.deepEqual(rig.simulator.account.deliveries.oldestFirst(), []);
  assert.equal((await rig.stripe.customers.retrieve(customer.id)).deleted, undefined);
});

Deno.test("an old event with a pending delivery is kept", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  let isUp = false;
  await using receiver = startReceiver(() => new Response(null, { status: isUp ? 200 : 503 }));
  const endpoint = await rig.stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ["customer.created"],
  });
  await fetch(`${rig.simulator.url}/_sim/webhooks`, {
    method: "PUT",
    body: JSON.stringify({ retry_delays_ms: [3_600_000] }),
  }).then((response) => response.body?.cancel());
  await createPayer(rig);
  while (receiver.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await rig.stripe.testHelpers.testClocks.advance(rig.clock, { frozen_time: at("2026-05-10T00:00:00Z") });
  while ((await rig.stripe.testHelpers.testClocks.retrieve(rig.clock)).status !== "ready");
  isUp = true;
  assert.equal((await rig.stripe.events.list({ type: "customer.created" })).data.length, 1);
  await rig.stripe.webhookEndpoints.del(endpoint.id);
});

Deno.test("PUT /_sim/settings refuses invalid settings and keeps the others", async () => {
  await using rig = await startSimulator();
  await assert.rejects(configure(rig, { after_last_retry: "forgive" as "cancel" }));
  await assert.rejects(configure(rig, { draft_seconds: -1 }));
  await configure(rig, { draft_seconds: 5 });
  const settings = await (await fetch(`${rig.simulator.url}/_sim/settings`)).json();
  assert.deepEqual([settings.draft_seconds, settings.after_last_retry], [5, "cancel"]);
});
