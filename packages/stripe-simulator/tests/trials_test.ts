import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  changeCard,
  type ClockSimulator,
  createPro,
  eventsSince,
  iso,
  openCheckout,
  pay,
  startSimulatorWithClock,
} from "../testing.ts";

/** A trial of 14 days that was started in Checkout without a card. */
async function trialWithoutCard(
  missing: Stripe.SubscriptionCreateParams.TrialSettings.EndBehavior.MissingPaymentMethod,
) {
  const rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe, simulator, clock } = rig;
  const price = await createPro(stripe);
  const customer = await stripe.customers.create({ test_clock: clock, email: "ada@example.com" });
  const session = await openCheckout(stripe, price.id, {
    customer: customer.id,
    payment_method_collection: "if_required",
    subscription_data: {
      trial_period_days: 14,
      trial_settings: { end_behavior: { missing_payment_method: missing } },
    },
  });
  await pay(simulator, session.id, { card: "none" });
  const [subscription] = (await stripe.subscriptions.list({ customer: customer.id })).data;
  return { ...rig, customer, price, session, subscription };
}

const stateOf = async ({ stripe }: ClockSimulator, { id }: { id: string }) => {
  const { status, latest_invoice } = await stripe.subscriptions.retrieve(id, { expand: ["latest_invoice"] });
  const invoice = latest_invoice as Stripe.Invoice;
  return [status, invoice.status, invoice.amount_due];
};

Deno.test("a checkout with payment_method_collection if_required starts a trial without a card", async () => {
  await using rig = await trialWithoutCard("pause");
  const { stripe, subscription, session, customer } = rig;
  assert.deepEqual([subscription.status, subscription.default_payment_method, iso(subscription.trial_end)], [
    "trialing",
    null,
    "2026-04-15T00:00",
  ]);
  assert.equal(subscription.trial_settings?.end_behavior.missing_payment_method, "pause");
  const done = await stripe.checkout.sessions.retrieve(session.id);
  assert.deepEqual([done.payment_status, done.payment_method_collection, done.amount_total], [
    "no_payment_required",
    "if_required",
    0,
  ]);
  assert.deepEqual((await stripe.paymentMethods.list({ customer: customer.id })).data, []);
});

Deno.test("a session with payment_method_collection always needs a card even when nothing is due", async () => {
  await using rig = await trialWithoutCard("pause");
  const { id } = await openCheckout(rig.stripe, rig.price.id, {
    subscription_data: { trial_period_days: 14 },
  });
  await assert.rejects(pay(rig.simulator, id, { card: "none" }), /needs a card/);
});

Deno.test("missing_payment_method pause pauses the subscription, and a card with resume goes on with it", async () => {
  await using rig = await trialWithoutCard("pause");
  const { stripe, subscription, customer } = rig;
  await rig.advanceTo("2026-04-15T01:00:00Z");
  assert.deepEqual((await stateOf(rig, subscription))[0], "paused");
  const types = (await eventsSince(rig, "2026-04-15")).map(({ type }) => type);
  assert.deepEqual(types, ["customer.subscription.updated", "customer.subscription.paused"]);
  await rig.advanceTo("2026-04-20T00:00:00Z");
  await changeCard(rig, customer.id, "pm_card_visa");
  const resumed = await stripe.subscriptions.resume(subscription.id, {
    billing_cycle_anchor: { type: "now" },
  });
  assert.deepEqual([resumed.id, resumed.status, iso(resumed.items.data[0].current_period_end)], [
    subscription.id,
    "active",
    "2026-05-20T00:00",
  ]);
  assert.deepEqual(await stateOf(rig, subscription), ["active", "paid", 1500]);
});

Deno.test("a paused trial that is resumed without a card has an open invoice and is past_due", async () => {
  await using rig = await trialWithoutCard("pause");
  const { stripe, subscription } = rig;
  await rig.advanceTo("2026-04-15T01:00:00Z");
  await stripe.subscriptions.resume(subscription.id);
  assert.deepEqual(await stateOf(rig, subscription), ["past_due", "open", 1500]);
});

Deno.test("missing_payment_method cancel cancels the subscription at the trial's end", async () => {
  await using rig = await trialWithoutCard("cancel");
  await rig.advanceTo("2026-04-15T01:00:00Z");
  const ended = await rig.stripe.subscriptions.retrieve(rig.subscription.id);
  assert.deepEqual([ended.status, iso(ended.ended_at)], ["canceled", "2026-04-15T00:00"]);
});

Deno.test("missing_payment_method create_invoice bills the first period and fails", async () => {
  await using rig = await trialWithoutCard("create_invoice");
  await rig.advanceTo("2026-04-15T02:00:00Z");
  assert.deepEqual(await stateOf(rig, rig.subscription), ["past_due", "open", 1500]);
});

Deno.test("a card that is added during the trial pays at its end", async () => {
  await using rig = await trialWithoutCard("pause");
  const { stripe, subscription, customer } = rig;
  await rig.advanceTo("2026-04-12T01:00:00Z");
  const types = (await eventsSince(rig, "2026-04-12")).map(({ type }) => type);
  assert.deepEqual(types, ["customer.subscription.trial_will_end"]);
  await changeCard(rig, customer.id, "pm_card_visa");
  await rig.advanceTo("2026-04-15T02:00:00Z");
  assert.deepEqual(await stateOf(rig, subscription), ["active", "paid", 1500]);
  const changed = await stripe.subscriptions.update(subscription.id, {
    trial_settings: { end_behavior: { missing_payment_method: "cancel" } },
  });
  assert.equal(changed.trial_settings?.end_behavior.missing_payment_method, "cancel");
});

Deno.test("a card saved in setup mode during the trial becomes usable as the customer's default", async () => {
  await using rig = await trialWithoutCard("pause");
  const { stripe, simulator, subscription, customer } = rig;
  const session = await stripe.checkout.sessions.create({
    mode: "setup",
    customer: customer.id,
    currency: "usd",
    success_url: "https://parent.example/",
    setup_intent_data: { metadata: { subscription_id: subscription.id } },
  });
  await pay(simulator, session.id);
  const { setup_intent } = await stripe.checkout.sessions.retrieve(session.id, { expand: ["setup_intent"] });
  const method = String((setup_intent as Stripe.SetupIntent).payment_method);
  await stripe.subscriptions.update(subscription.id, { default_payment_method: method });
  await rig.advanceTo("2026-04-15T02:00:00Z");
  assert.deepEqual(await stateOf(rig, subscription), ["active", "paid", 1500]);
});
