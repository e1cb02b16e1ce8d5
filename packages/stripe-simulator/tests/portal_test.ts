import assert from "node:assert/strict";
import type Stripe from "stripe";
import { createPro, openCheckout, pay, startSimulator, type TestSimulator } from "../testing.ts";

async function subscribe(
  { stripe, simulator }: TestSimulator,
  fields: Partial<Stripe.Checkout.SessionCreateParams> = {},
) {
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({ email: "ada@example.com" });
  const { id } = await openCheckout(stripe, pro.id, { customer: customer.id, ...fields });
  await pay(simulator, id);
  const [subscription] = (await stripe.subscriptions.list({ customer: customer.id })).data;
  return { customer, subscription };
}

Deno.test("a portal session has its own url and the default configuration unless one is given", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const customer = await stripe.customers.create({});
  const session = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    return_url: "https://parent.example/c/1/",
    expand: ["configuration"],
  });
  assert.match(session.id, /^bps_/);
  assert.ok(session.url.startsWith(`${simulator.url}/p/session/`));
  assert.equal(session.return_url, "https://parent.example/c/1/");
  assert.ok(typeof session.configuration === "object");
  assert.equal(session.configuration.is_default, true);

  const own = await stripe.billingPortal.configurations.create({
    features: { invoice_history: { enabled: true } },
  });
  const second = await stripe.billingPortal.sessions.create({ customer: customer.id, configuration: own.id });
  assert.equal(second.configuration, own.id);
  assert.notEqual(second.url, session.url);
});

Deno.test("an update of a portal configuration keeps other features, and an inactive one is refused with 400", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { configurations, sessions } = stripe.billingPortal;
  const created = await configurations.create({
    features: { subscription_cancel: { enabled: true, mode: "immediately" } },
    metadata: { dues: "portal" },
  });
  const updated = await configurations.update(created.id, {
    active: false,
    features: { invoice_history: { enabled: true } },
  });
  assert.deepEqual([updated.features.subscription_cancel.mode, updated.metadata], ["immediately", {
    dues: "portal",
  }]);
  const customer = await stripe.customers.create({});
  await assert.rejects(sessions.create({ customer: customer.id, configuration: created.id }), {
    statusCode: 400,
    param: "configuration",
  });
  const active = await configurations.list({ active: true });
  assert.deepEqual(active.data.map(({ is_default }) => is_default), [true]);
  await assert.rejects(configurations.update(active.data[0].id, { active: false }), { statusCode: 400 });
});

/** Submits a form of the portal. */
async function submit(portal: string, subscription: string, action: "cancel" | "renew"): Promise<Response> {
  return await fetch(`${portal}/subscriptions/${subscription}/${action}`, {
    method: "POST",
    redirect: "manual",
  });
}

Deno.test("canceling in the portal sets only cancel_at in flexible billing mode, and renewing clears it", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { customer, subscription } = await subscribe(rig);
  const { url } = await stripe.billingPortal.sessions.create({ customer: customer.id });
  const response = await submit(url, subscription.id, "cancel");
  assert.deepEqual([response.status, response.headers.get("location")], [303, new URL(url).pathname]);
  await response.body?.cancel();

  const canceling = await stripe.subscriptions.retrieve(subscription.id);
  assert.equal(canceling.status, "active");
  assert.equal(canceling.cancel_at_period_end, false);
  assert.equal(canceling.cancel_at, subscription.items.data[0].current_period_end);
  const [event] = (await stripe.events.list({ type: "customer.subscription.updated" })).data;
  assert.deepEqual(event.request, { id: null, idempotency_key: null });
  assert.deepEqual(event.data.previous_attributes, {
    cancel_at: null,
    canceled_at: null,
    cancellation_details: { reason: null },
  });

  await (await submit(url, subscription.id, "renew")).body?.cancel();
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).cancel_at, null);
});

Deno.test("canceling in the portal also sets cancel_at_period_end in classic billing mode", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { customer, subscription } = await subscribe(rig, {
    subscription_data: { billing_mode: { type: "classic" } },
  });
  const { url } = await stripe.billingPortal.sessions.create({ customer: customer.id });
  await (await submit(url, subscription.id, "cancel")).body?.cancel();
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).cancel_at_period_end, true);
});

Deno.test("the portal cancels now with mode immediately", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { customer, subscription } = await subscribe(rig);
  const configuration = await stripe.billingPortal.configurations.create({
    features: { subscription_cancel: { enabled: true, mode: "immediately" } },
  });
  const { url } = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    configuration: configuration.id,
  });
  await (await submit(url, subscription.id, "cancel")).body?.cancel();
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "canceled");
});

Deno.test("the portal does not cancel with the feature disabled or for another customer", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { customer, subscription } = await subscribe(rig);
  const configuration = await stripe.billingPortal.configurations.create({
    features: { invoice_history: { enabled: true } },
  });
  const without = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    configuration: configuration.id,
  });
  await (await submit(without.url, subscription.id, "cancel")).body?.cancel();
  const stranger = await stripe.customers.create({});
  const strange = await stripe.billingPortal.sessions.create({ customer: stranger.id });
  const refused = await submit(strange.url, subscription.id, "cancel");
  assert.equal(refused.status, 410);
  await refused.body?.cancel();
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).cancel_at, null);
});
