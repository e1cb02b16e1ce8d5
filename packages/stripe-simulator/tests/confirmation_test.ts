import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  changeCard,
  type ClockSimulator,
  createPro,
  startSimulatorWithClock,
  subscribe,
} from "../testing.ts";

/** A subscription whose first payment must be confirmed. */
async function waiting(fields: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const subscribed = await subscribe(rig, {
    payment_behavior: "default_incomplete",
    expand: ["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    ...fields,
  });
  const invoice = subscribed.subscription.latest_invoice as Stripe.Invoice;
  const intent = invoice.payments?.data[0].payment.payment_intent as string;
  return { ...rig, ...subscribed, invoice, intent };
}

const statusOf = async ({ stripe }: ClockSimulator, { id }: { id: string }) =>
  (await stripe.subscriptions.retrieve(id)).status;

Deno.test("confirming the first payment intent activates the subscription", async () => {
  await using rig = await waiting({ payment_settings: { save_default_payment_method: "on_subscription" } });
  const { stripe, customer, intent } = rig;
  assert.ok(rig.invoice.confirmation_secret?.client_secret.startsWith(`${intent}_secret_`));
  const card = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
  assert.equal(
    (await stripe.paymentIntents.confirm(intent, { payment_method: card.id })).status,
    "succeeded",
  );
  const active = await stripe.subscriptions.retrieve(rig.subscription.id);
  assert.deepEqual([active.status, active.default_payment_method], ["active", card.id]);
  await assert.rejects(stripe.paymentIntents.confirm(intent, { payment_method: card.id }), {
    statusCode: 400,
    code: "payment_intent_unexpected_state",
  });
});

Deno.test("confirming with a declined card leaves the intent open for another card", async () => {
  await using rig = await waiting();
  const { stripe, intent } = rig;
  const bad = await stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer: rig.customer.id });
  await assert.rejects(stripe.paymentIntents.confirm(intent, { payment_method: bad.id }), {
    statusCode: 402,
  });
  const failed = await stripe.paymentIntents.retrieve(intent);
  assert.deepEqual([failed.status, failed.last_payment_error?.code], [
    "requires_payment_method",
    "card_declined",
  ]);
  assert.equal(await statusOf(rig, rig.subscription), "incomplete");
  await stripe.paymentIntents.confirm(intent, { payment_method: "pm_card_visa" });
  assert.equal(await statusOf(rig, rig.subscription), "active");
});

Deno.test("a renewal that requires authentication is paid after the authentication", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { stripe, simulator } = rig;
  const { customer, subscription } = await subscribe(rig);
  await changeCard(rig, customer.id, "pm_card_authenticationRequired");
  await rig.advanceTo("2026-02-10T10:00:00Z");
  assert.equal(await statusOf(rig, subscription), "past_due");
  const [invoice] =
    (await stripe.invoices.list({ subscription: subscription.id, expand: ["data.payments"] })).data;
  const intent = invoice.payments?.data[0].payment.payment_intent as string;
  assert.equal((await stripe.paymentIntents.retrieve(intent)).status, "requires_action");
  const answer = async (outcome: string) => {
    const url = `${simulator.url}/_sim/payment_intents/${intent}/authenticate`;
    const response = await fetch(url, { method: "POST", body: JSON.stringify({ outcome }) });
    return [response.status, (await response.json()).status];
  };
  assert.deepEqual(await answer("passed"), [200, "succeeded"]);
  assert.equal(await statusOf(rig, subscription), "active");
  assert.deepEqual(await answer("passed"), [400, undefined]);
});

Deno.test("a failed authentication leaves the invoice open", async () => {
  await using rig = await waiting();
  const { stripe, intent, simulator } = rig;
  const card = await stripe.paymentMethods.attach("pm_card_authenticationRequired", {
    customer: rig.customer.id,
  });
  assert.equal(
    (await stripe.paymentIntents.confirm(intent, { payment_method: card.id })).status,
    "requires_action",
  );
  const response = await fetch(`${simulator.url}/_sim/payment_intents/${intent}/authenticate`, {
    method: "POST",
    body: JSON.stringify({ outcome: "failed" }),
  });
  const { status, last_payment_error: error } = await response.json();
  assert.deepEqual([status, error.code], [
    "requires_payment_method",
    "payment_intent_authentication_failure",
  ]);
  assert.equal((await stripe.invoices.retrieve(rig.invoice.id)).status, "open");
});

Deno.test("subscription items can be created, updated and deleted with prorations", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { subscription } = await subscribe(rig);
  const extra = await createPro(stripe, { unit_amount: 600 });
  await rig.advanceTo("2026-04-16T00:00:00Z");
  const added = await stripe.subscriptionItems.create({
    subscription: subscription.id,
    price: extra.id,
    quantity: 2,
  });
  assert.deepEqual([added.quantity, added.price.id], [2, extra.id]);
  assert.equal(
    (await stripe.subscriptionItems.update(added.id, { quantity: 3, metadata: { seat: "3" } })).quantity,
    3,
  );
  assert.deepEqual((await stripe.subscriptionItems.retrieve(added.id)).metadata, { seat: "3" });
  assert.equal((await stripe.subscriptionItems.del(added.id, { proration_behavior: "none" })).deleted, true);
  const pending = await stripe.invoiceItems.list({ pending: true });
  assert.deepEqual(pending.data.map(({ amount }) => amount).reverse(), [600, -600, 900]);
  await assert.rejects(stripe.subscriptionItems.retrieve(added.id), { statusCode: 404 });
  await stripe.subscriptions.cancel(subscription.id);
  await assert.rejects(stripe.subscriptionItems.create({ subscription: subscription.id, price: extra.id }), {
    statusCode: 400,
  });
});
