import assert from "node:assert/strict";
import type Stripe from "stripe";
import { at, type ClockSimulator, createPro, startSimulatorWithClock, subscribe } from "../testing.ts";

type Features = Stripe.BillingPortal.ConfigurationCreateParams.Features;

/** A monthly subscription of 15 dollars, and a product with prices of 5 and 150 dollars for a month and a year. */
async function offering() {
  const rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const subscribed = await subscribe(rig);
  const small = await createPro(rig.stripe, { unit_amount: 500 });
  const yearly = await rig.stripe.prices.create({
    currency: "usd",
    product: String(small.product),
    recurring: { interval: "year" },
    unit_amount: 15_000,
  });
  const products = [{ product: String(small.product), prices: [small.id, yearly.id] }];
  return { ...rig, ...subscribed, small, yearly, products };
}

const updating = (
  products: NonNullable<Features["subscription_update"]>["products"],
  more = {},
): Features => ({
  subscription_update: { enabled: true, default_allowed_updates: ["price"], products, ...more },
});

async function openPortal(
  { stripe, customer }: ClockSimulator & { customer: Stripe.Customer },
  features: Features,
  flow_data?: Stripe.BillingPortal.SessionCreateParams.FlowData,
) {
  const { id: configuration } = await stripe.billingPortal.configurations.create({ features });
  return await stripe.billingPortal.sessions.create({ customer: customer.id, configuration, flow_data });
}

async function send(address: string, fields: Record<string, string> = {}) {
  const response = await fetch(address, {
    method: "POST",
    body: new URLSearchParams(fields),
    redirect: "manual",
  });
  return [response.status, await response.text()] as const;
}

Deno.test("a configuration refuses features without what they need", async () => {
  await using rig = await offering();
  const { stripe, small, price, products } = rig;
  const create = (features: Features) => stripe.billingPortal.configurations.create({ features });
  const param = "features[subscription_update][products]";
  await assert.rejects(create(updating([])), { param });
  await assert.rejects(create(updating(products, { default_allowed_updates: [] })), {
    param: "features[subscription_update][default_allowed_updates]",
  });
  await assert.rejects(create(updating([{ product: String(small.product), prices: [price.id] }])), {
    param: `${param}[0][prices][0]`,
  });
  await assert.rejects(create({ customer_update: { enabled: true, allowed_updates: [] } }), {
    param: "features[customer_update][allowed_updates]",
  });
  await assert.rejects(
    create({
      subscription_cancel: {
        enabled: true,
        cancellation_reason: { enabled: true, options: ["bored"] },
      },
    }),
    { param: "features[subscription_cancel][cancellation_reason][options][0]" },
  );
});

Deno.test("flows are refused for subscriptions that the portal cannot change", async () => {
  await using rig = await offering();
  const { stripe, subscription, products, small } = rig;
  const flow = {
    type: "subscription_update",
    subscription_update: { subscription: subscription.id },
  } as const;
  assert.match((await openPortal(rig, updating(products), flow)).url, /session/);
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  await assert.rejects(openPortal(rig, updating(products), flow), { message: /because it is set to cancel/ });
  const cancel = {
    type: "subscription_cancel",
    subscription_cancel: { subscription: subscription.id },
  } as const;
  await assert.rejects(openPortal(rig, { subscription_cancel: { enabled: true } }, cancel), {
    message: /already set to cancel/,
  });
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
  const { id } = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  await assert.rejects(openPortal(rig, updating(products), flow), { message: /subscription schedule/ });
  await stripe.subscriptionSchedules.release(id);
  await stripe.subscriptionItems.create({ subscription: subscription.id, price: small.id });
  await assert.rejects(openPortal(rig, updating(products), flow), { message: /multiple products/ });
});

Deno.test("schedule_at_period_end keeps the plan until the period ends when the price goes down", async () => {
  await using rig = await offering();
  const { stripe, subscription, products, small, yearly } = rig;
  const conditions = [{ type: "decreasing_item_amount" }, { type: "shortening_interval" }] as const;
  const features = updating(products, { schedule_at_period_end: { conditions } });
  const { url } = await openPortal(rig, features);
  const confirm = `${url}/subscriptions/${subscription.id}/update/confirm?price=`;
  assert.match(await (await fetch(confirm + small.id)).text(), /From May 1, 2026 on/);
  assert.equal((await send(confirm + small.id))[0], 303);
  const waiting = await stripe.subscriptions.retrieve(subscription.id, { expand: ["schedule"] });
  const schedule = waiting.schedule as Stripe.SubscriptionSchedule;
  assert.deepEqual(schedule.phases.map(({ items, start_date }) => [items[0].price, start_date]), [
    [rig.price.id, at("2026-04-01")],
    [small.id, at("2026-05-01")],
  ]);
  await rig.advanceTo("2026-05-01T02:00:00Z");
  const { items } = await stripe.subscriptions.retrieve(subscription.id);
  assert.equal(items.data[0].price.id, small.id);
  await stripe.subscriptionSchedules.release(schedule.id);
  assert.equal((await send(confirm + yearly.id))[0], 303);
  const upgraded = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([upgraded.schedule, upgraded.items.data[0].price.id], [null, yearly.id]);
});

Deno.test("a cancellation keeps its reason and comment, and releases a schedule", async () => {
  await using rig = await offering();
  const { stripe, subscription } = rig;
  const { id } = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  const { url } = await openPortal(rig, {
    subscription_cancel: {
      enabled: true,
      cancellation_reason: { enabled: true, options: ["too_expensive", "other"] },
    },
  });
  const address = `${url}/subscriptions/${subscription.id}/cancel`;
  const page = await (await fetch(address)).text();
  assert.deepEqual([/too_expensive/.test(page), /low_quality/.test(page)], [true, false]);
  await send(address, { feedback: "too_expensive", comment: "Sorry" });
  const canceling = await stripe.subscriptions.retrieve(subscription.id);
  const { feedback, comment } = canceling.cancellation_details ?? {};
  assert.deepEqual([feedback, comment, canceling.cancel_at], ["too_expensive", "Sorry", at("2026-05-01")]);
  assert.equal((await stripe.subscriptionSchedules.retrieve(id)).status, "released");
});

Deno.test("a coupon that the cancellation flow offers keeps the subscription", async () => {
  await using rig = await offering();
  const { stripe, subscription } = rig;
  const { id: coupon } = await stripe.coupons.create({ percent_off: 30, duration: "forever", name: "Stay" });
  const session = await openPortal(rig, { subscription_cancel: { enabled: true } }, {
    type: "subscription_cancel",
    subscription_cancel: {
      subscription: subscription.id,
      retention: { type: "coupon_offer", coupon_offer: { coupon } },
    },
  });
  assert.deepEqual(session.flow?.subscription_cancel?.retention, {
    coupon_offer: { coupon },
    type: "coupon_offer",
  });
  const address = `${session.url}/subscriptions/${subscription.id}/cancel`;
  assert.match(await (await fetch(address)).text(), /30% off: Stay/);
  await send(address, { accept_offer: "1" });
  const kept = await stripe.subscriptions.retrieve(subscription.id, { expand: ["discounts"] });
  assert.deepEqual([kept.cancel_at, (kept.discounts[0] as Stripe.Discount).source.coupon], [null, coupon]);
});

Deno.test("a promotion code is accepted with a change of plan", async () => {
  await using rig = await offering();
  const { stripe, subscription, products, small } = rig;
  const { id: coupon } = await stripe.coupons.create({ percent_off: 50, duration: "forever" });
  await stripe.promotionCodes.create({ promotion: { type: "coupon", coupon }, code: "LESS" });
  const features = updating(products, { default_allowed_updates: ["price", "promotion_code"] });
  const { url } = await openPortal(rig, features);
  const confirm = `${url}/subscriptions/${subscription.id}/update/confirm?price=${small.id}`;
  const [status, page] = await send(confirm, { promotion_code: "MORE" });
  assert.deepEqual([status, /This code is invalid/.test(page)], [400, true]);
  assert.equal((await send(confirm, { promotion_code: "less" }))[0], 303);
  const changed = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([changed.discounts.length, changed.items.data[0].price.id], [1, small.id]);
});

Deno.test("a customer changes address and tax id, and a wrong one is refused on the page", async () => {
  await using rig = await offering();
  const { stripe, customer } = rig;
  const { url } = await openPortal(rig, {
    customer_update: { enabled: true, allowed_updates: ["name", "address", "tax_id"] },
  });
  const fields = {
    name: "Club",
    country: "de",
    line1: "Weg 1",
    city: "Bonn",
    postal_code: "53111",
    state: "",
  };
  const wrong = await send(`${url}/customer`, { ...fields, tax_id_type: "eu_vat", tax_id: "DE1" });
  assert.deepEqual([wrong[0], /Invalid value for eu_vat/.test(wrong[1])], [400, true]);
  await send(`${url}/customer`, { ...fields, tax_id_type: "eu_vat", tax_id: "DE123456789" });
  const saved = await stripe.customers.retrieve(customer.id, { expand: ["tax_ids"] }) as Stripe.Customer;
  assert.deepEqual([saved.name, saved.address?.country, saved.tax_ids?.data[0].value], [
    "Club",
    "DE",
    "DE123456789",
  ]);
});
