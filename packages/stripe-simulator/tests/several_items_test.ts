import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  changeCard,
  createPro,
  eventsSince,
  openCheckout,
  pay,
  startSimulator,
  startSimulatorWithClock,
  subscribe,
} from "../testing.ts";

const amountsOf = (invoice: Stripe.Invoice) => invoice.lines.data.map(({ amount }) => amount);

Deno.test("a checkout sells several prices, each with its quantity, and what is paid once", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const [pro, seats] = [await createPro(stripe), await createPro(stripe, { unit_amount: 200 })];
  const setUp = await createPro(stripe, { unit_amount: 5000, recurring: undefined });
  const session = await openCheckout(stripe, pro.id, {
    line_items: [
      { price: pro.id, quantity: 1 },
      { price: seats.id, quantity: 4, adjustable_quantity: { enabled: true, maximum: 10 } },
      { price: setUp.id, quantity: 1 },
    ],
  });
  assert.equal(session.amount_total, 7300);
  const { data } = await stripe.checkout.sessions.listLineItems(session.id);
  assert.deepEqual(data.map(({ quantity, amount_total }) => [quantity, amount_total]), [
    [1, 1500],
    [4, 800],
    [1, 5000],
  ]);
  assert.deepEqual(data[1].adjustable_quantity, { enabled: true, maximum: 10, minimum: 0 });
  await pay(simulator, session.id);
  const [subscription] = (await stripe.subscriptions.list({ expand: ["data.latest_invoice"] })).data;
  assert.deepEqual(subscription.items.data.map(({ price, quantity }) => [price.id, quantity]), [
    [pro.id, 1],
    [seats.id, 4],
  ]);
  const invoice = subscription.latest_invoice as Stripe.Invoice;
  assert.deepEqual([amountsOf(invoice), invoice.amount_paid], [[5000, 1500, 800], 7300]);
  const [item] = (await stripe.invoiceItems.list({ invoice: invoice.id })).data;
  assert.equal(item.amount, 5000);
});

Deno.test("during a trial only what is paid once is due", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const setUp = await createPro(stripe, { unit_amount: 5000, recurring: undefined });
  const pro = await createPro(stripe);
  const session = await openCheckout(stripe, pro.id, {
    line_items: [{ price: pro.id, quantity: 1 }, { price: setUp.id, quantity: 1 }],
    subscription_data: { trial_period_days: 7 },
  });
  assert.equal(session.amount_total, 5000);
  await pay(simulator, session.id);
  const [subscription] = (await stripe.subscriptions.list({ expand: ["data.latest_invoice"] })).data;
  assert.deepEqual([subscription.status, (subscription.latest_invoice as Stripe.Invoice).amount_paid], [
    "trialing",
    5000,
  ]);
});

/** A subscription in the middle of its period whose card will fail, and a price of 45 dollars. */
async function failing() {
  const rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const subscribed = await subscribe(rig);
  const team = await createPro(rig.stripe, { unit_amount: 4500 });
  await rig.advanceTo("2026-04-16T00:00:00Z");
  await changeCard(rig, subscribed.customer.id, "pm_card_chargeCustomerFail");
  const { subscription: { id, items: { data: [item] } } } = subscribed;
  const upgrade = (fields: Stripe.SubscriptionUpdateParams = {}) =>
    rig.stripe.subscriptions.update(id, {
      items: [{ id: item.id, price: team.id }],
      proration_behavior: "always_invoice",
      payment_behavior: "pending_if_incomplete",
      ...fields,
    });
  return { ...rig, ...subscribed, team, item, upgrade };
}

Deno.test("a pending update of several items is applied as a whole when its invoice is paid", async () => {
  await using rig = await failing();
  const { stripe, item, team, customer, subscription } = rig;
  const pending = await rig.upgrade({
    items: [{ id: item.id, quantity: 2 }, { price: team.id, quantity: 3 }],
  });
  assert.equal(pending.items.data.length, 1);
  assert.deepEqual(pending.pending_update?.subscription_items?.map(({ quantity }) => quantity), [2, 3]);
  await changeCard(rig, customer.id, "pm_card_visa");
  await stripe.invoices.pay(String(pending.latest_invoice));
  const applied = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual(applied.items.data.map(({ quantity }) => quantity), [2, 3]);
  const types = (await eventsSince(rig, "2026-04-16T00:00:00Z")).map(({ type }) => type);
  assert.ok(types.includes("customer.subscription.pending_update_applied"));
});

Deno.test("a card that wants authentication keeps an update pending until it is given", async () => {
  await using rig = await failing();
  const { stripe, simulator, customer, subscription, team } = rig;
  await changeCard(rig, customer.id, "pm_card_authenticationRequired");
  const pending = await rig.upgrade();
  const [payment] = (await stripe.invoicePayments.list({
    invoice: String(pending.latest_invoice),
    expand: ["data.payment.payment_intent"],
  })).data;
  const intent = payment.payment.payment_intent as Stripe.PaymentIntent;
  assert.equal(intent.status, "requires_action");
  const answer = await fetch(`${simulator.url}/_sim/payment_intents/${intent.id}/authenticate`, {
    method: "POST",
  });
  await answer.body?.cancel();
  const applied = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([applied.pending_update, applied.items.data[0].price.id], [null, team.id]);
});

Deno.test("voiding the invoice of a pending update drops the update", async () => {
  await using rig = await failing();
  const pending = await rig.upgrade();
  await rig.stripe.invoices.voidInvoice(String(pending.latest_invoice));
  assert.equal((await rig.stripe.subscriptions.retrieve(pending.id)).pending_update, null);
});

Deno.test("another change takes the place of a pending update and voids its invoice", async () => {
  await using rig = await failing();
  const { stripe, customer, item } = rig;
  const pending = await rig.upgrade();
  await changeCard(rig, customer.id, "pm_card_visa");
  const changed = await rig.upgrade({ items: [{ id: item.id, quantity: 2 }] });
  assert.deepEqual([changed.pending_update, changed.items.data[0].quantity], [null, 2]);
  assert.equal((await stripe.invoices.retrieve(String(pending.latest_invoice))).status, "void");
  assert.equal((await stripe.invoices.retrieve(String(changed.latest_invoice))).amount_paid, 750);
});

Deno.test("pending_if_incomplete refuses parameters that a pending update cannot hold", async () => {
  await using rig = await failing();
  await assert.rejects(rig.upgrade({ metadata: { plan: "team" } }), { statusCode: 400, param: "metadata" });
});
