// Archived and deleted prices and products, customers of one currency, long lists, drafts that are deleted.
import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  createPayer,
  createPro,
  openCheckout,
  startSimulator,
  startSimulatorWithClock,
  storySince,
  subscribe,
} from "../testing.ts";

async function typesOf(stripe: Stripe, ...types: string[]): Promise<string[]> {
  return (await stripe.events.list({ types })).data.map(({ type }) => type).reverse();
}

Deno.test("a checkout of an archived price is refused", async () => {
  await using rig = await startSimulator();
  const price = await createPro(rig.stripe);
  await rig.stripe.prices.update(price.id, { active: false });
  await assert.rejects(openCheckout(rig.stripe, price.id), {
    statusCode: 400,
    param: "line_items[0][price]",
    message: "The price specified is inactive. This field only accepts active prices.",
  });
  assert.deepEqual(await typesOf(rig.stripe, "plan.updated", "price.updated"), [
    "plan.updated",
    "price.updated",
  ]);
});

Deno.test("a checkout of a price whose product is archived is refused", async () => {
  await using rig = await startSimulator();
  const price = await createPro(rig.stripe);
  await rig.stripe.products.update(String(price.product), { active: false });
  await assert.rejects(openCheckout(rig.stripe, price.id), {
    statusCode: 400,
    message: `Price \`${price.id}\` is not available to be purchased because its product is not active.`,
  });
  const customer = await rig.stripe.customers.create({});
  await assert.rejects(
    rig.stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] }),
    { statusCode: 400, message: /is marked as inactive/ },
  );
});

Deno.test("deleting the plan of a price deletes the price; subscriptions keep it", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { price, subscription } = await subscribe(rig);
  assert.deepEqual(await rig.stripe.plans.del(price.id).then(({ id, deleted }) => ({ id, deleted })), {
    id: price.id,
    deleted: true,
  });
  await assert.rejects(rig.stripe.prices.retrieve(price.id), { statusCode: 404, code: "resource_missing" });
  await assert.rejects(openCheckout(rig.stripe, price.id), {
    statusCode: 400,
    message: `No such price: '${price.id}'`,
  });
  await rig.stripe.products.del(String(price.product));
  await assert.rejects(rig.stripe.products.retrieve(String(price.product)), { code: "resource_missing" });
  assert.deepEqual(await typesOf(rig.stripe, "plan.deleted", "price.deleted", "product.deleted"), [
    "plan.deleted",
    "price.deleted",
    "product.deleted",
  ]);
  const kept = await rig.stripe.subscriptions.retrieve(subscription.id);
  assert.equal(kept.items.data[0].price.id, price.id);
  await rig.advanceTo("2026-02-11");
  assert.equal((await rig.stripe.subscriptions.retrieve(subscription.id)).status, "active");
});

Deno.test("a new recurring price emits plan.created before price.created, a one-time price only the latter", async () => {
  await using rig = await startSimulator();
  const price = await createPro(rig.stripe);
  assert.deepEqual(await typesOf(rig.stripe, "plan.created", "price.created"), [
    "plan.created",
    "price.created",
  ]);
  await rig.stripe.prices.create({ currency: "usd", product: String(price.product), unit_amount: 5 });
  assert.equal((await typesOf(rig.stripe, "plan.created", "price.created")).length, 3);
});

Deno.test("a customer with a live subscription is refused one in another currency", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { customer, subscription } = await subscribe(rig);
  const euro = await createPro(rig.stripe, { currency: "eur" });
  const expected = {
    statusCode: 400,
    message: /^You cannot combine currencies on a single customer\..* usd$/,
  };
  await assert.rejects(openCheckout(rig.stripe, euro.id, { customer: customer.id }), expected);
  await assert.rejects(
    rig.stripe.subscriptions.create({ customer: customer.id, items: [{ price: euro.id }] }),
    expected,
  );
  await rig.stripe.subscriptions.cancel(subscription.id);
  assert.equal((await openCheckout(rig.stripe, euro.id, { customer: customer.id })).currency, "eur");
});

Deno.test("a subscription of 25 items shows 20 of them, and /v1/subscription_items all", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const customer = await createPayer(rig);
  const prices = await Promise.all(Array.from({ length: 25 }, () => createPro(rig.stripe)));
  const created = await rig.stripe.subscriptions.create({
    customer: customer.id,
    items: prices.slice(0, 20).map(({ id }) => ({ price: id })),
  });
  for (const { id } of prices.slice(20)) {
    await rig.stripe.subscriptionItems.create({
      price: id,
      proration_behavior: "none",
      subscription: created.id,
    });
  }
  const subscription = await rig.stripe.subscriptions.retrieve(created.id);
  const { items } = subscription;
  assert.deepEqual([items.data.length, items.has_more, Reflect.get(items, "total_count")], [20, true, 25]);
  assert.deepEqual([Reflect.get(subscription, "plan"), Reflect.get(subscription, "quantity")], [null, null]);
  const first = await rig.stripe.subscriptionItems.list({ subscription: subscription.id, limit: 20 });
  const rest = await rig.stripe.subscriptionItems.list({
    subscription: subscription.id,
    limit: 20,
    starting_after: first.data[19].id,
  });
  assert.equal(new Set([...first.data, ...rest.data].map(({ id }) => id)).size, 25);
  const invoice = await rig.stripe.invoices.retrieve(String(subscription.latest_invoice));
  assert.deepEqual([invoice.lines.data.length, invoice.lines.has_more], [10, true]);
  const [event] = (await rig.stripe.events.list({ type: "customer.subscription.updated" })).data;
  assert.equal((event.data.object as Stripe.Subscription).items.data.length, 20);
});

Deno.test("a draft can be deleted, emits invoice.deleted and is then missing", async () => {
  await using rig = await startSimulator();
  const customer = await rig.stripe.customers.create({});
  const draft = await rig.stripe.invoices.create({ customer: customer.id });
  assert.equal((await rig.stripe.invoices.del(draft.id)).deleted, true);
  await assert.rejects(rig.stripe.invoices.retrieve(draft.id), {
    statusCode: 404,
    code: "resource_missing",
    param: "invoice",
    message: `No such invoice: '${draft.id}'`,
  });
  const [event] = (await rig.stripe.events.list({ type: "invoice.deleted" })).data;
  assert.equal((event.data.object as Stripe.Invoice).id, draft.id);
});

for (
  const [behavior, status] of [
    ["keep_as_draft", "draft"],
    ["mark_uncollectible", "uncollectible"],
    ["void", "void"],
  ] as const
) {
  Deno.test(`pause_collection ${behavior} renews the subscription with an invoice that is ${status}`, async () => {
    await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
    const { subscription } = await subscribe(rig);
    const paused = await rig.stripe.subscriptions.update(subscription.id, { pause_collection: { behavior } });
    assert.deepEqual(paused.pause_collection, { behavior, resumes_at: null });
    assert.equal(paused.status, "active");
    await rig.advanceTo("2026-02-12");
    const after = await rig.stripe.subscriptions.retrieve(subscription.id);
    assert.equal(after.status, "active");
    const invoice = await rig.stripe.invoices.retrieve(String(after.latest_invoice));
    assert.equal(invoice.status, status, (await storySince(rig, "2026-02-01")).join("\n"));
    const resumed = await rig.stripe.subscriptions.update(subscription.id, { pause_collection: "" });
    assert.equal(resumed.pause_collection, null);
  });
}
