import assert from "node:assert/strict";
import type Stripe from "stripe";
import { createPro, openCheckout, pay, startSimulator, type TestSimulator } from "../testing.ts";

/** A simulator with one paid subscription. */
async function subscribed(fields: Partial<Stripe.Checkout.SessionCreateParams> = {}) {
  const rig = await startSimulator();
  const price = await createPro(rig.stripe);
  const customer = await rig.stripe.customers.create({});
  const opened = await openCheckout(rig.stripe, price.id, { customer: customer.id, ...fields });
  await pay(rig.simulator, opened.id);
  const session = await rig.stripe.checkout.sessions.retrieve(opened.id, { expand: ["subscription"] });
  const subscription = session.subscription as Stripe.Subscription;
  return { ...rig, price, customer, subscription };
}

async function lastEvent({ stripe }: Pick<TestSimulator, "stripe">): Promise<Stripe.Event> {
  return (await stripe.events.list({ limit: 1 })).data[0];
}

Deno.test("cancel_at_period_end schedules a cancellation and can be undone", async () => {
  await using rig = await subscribed();
  const { stripe, subscription } = rig;
  const end = subscription.items.data[0].current_period_end;
  const canceling = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  assert.deepEqual([canceling.status, canceling.cancel_at_period_end, canceling.cancel_at], [
    "active",
    true,
    end,
  ]);
  assert.equal(canceling.cancellation_details?.reason, "cancellation_requested");
  assert.notEqual(canceling.canceled_at, null);
  const event = await lastEvent(rig);
  assert.equal(event.type, "customer.subscription.updated");
  assert.deepEqual(event.data.previous_attributes, {
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { reason: null },
  });

  const renewed = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false });
  assert.deepEqual([renewed.cancel_at_period_end, renewed.cancel_at, renewed.canceled_at], [
    false,
    null,
    null,
  ]);
});

Deno.test("cancel_at accepts a timestamp or max_period_end and is unset by an empty value", async () => {
  await using rig = await subscribed();
  const { stripe, subscription: { id, items } } = rig;
  const end = items.data[0].current_period_end;
  const later = end + 86_400;
  assert.equal((await stripe.subscriptions.update(id, { cancel_at: later })).cancel_at, later);
  const helped = await stripe.subscriptions.update(id, { cancel_at: "max_period_end" });
  assert.deepEqual([helped.cancel_at, helped.cancel_at_period_end], [end, false]);
  assert.equal((await stripe.subscriptions.update(id, { cancel_at: "" })).cancel_at, null);
  await assert.rejects(stripe.subscriptions.update(id, { cancel_at: 1 }), {
    statusCode: 400,
    param: "cancel_at",
  });
});

Deno.test("canceling a subscription ends it and sends customer.subscription.deleted", async () => {
  await using rig = await subscribed();
  const { stripe, subscription } = rig;
  const canceled = await stripe.subscriptions.cancel(subscription.id, {
    cancellation_details: { comment: "bye" },
  });
  assert.equal(canceled.object, "subscription");
  assert.equal(canceled.status, "canceled");
  assert.equal(canceled.cancellation_details?.comment, "bye");
  assert.notEqual(canceled.ended_at, null);
  const event = await lastEvent(rig);
  assert.equal(event.type, "customer.subscription.deleted");
  assert.equal((event.data.object as Stripe.Subscription).status, "canceled");

  await assert.rejects(stripe.subscriptions.cancel(subscription.id), { statusCode: 404 });
  await assert.rejects(stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true }), {
    statusCode: 400,
  });
  const { metadata } = await stripe.subscriptions.update(subscription.id, { metadata: { kept: "yes" } });
  assert.equal(metadata.kept, "yes");
});

Deno.test("a list leaves out canceled subscriptions unless the status filter includes them", async () => {
  await using rig = await subscribed();
  const { stripe, customer, subscription } = rig;
  const ids = async (status?: Stripe.SubscriptionListParams.Status) =>
    (await stripe.subscriptions.list({ customer: customer.id, status })).data.map(({ id }) => id);
  assert.deepEqual(await ids(), [subscription.id]);
  assert.deepEqual(await ids("trialing"), []);
  await stripe.subscriptions.cancel(subscription.id);
  assert.deepEqual(await ids(), []);
  for (const status of ["all", "canceled", "ended"] as const) {
    assert.deepEqual(await ids(status), [subscription.id]);
  }
});

Deno.test("an item can be changed to another price of the same interval", async () => {
  await using rig = await subscribed();
  const { stripe, subscription } = rig;
  const team = await createPro(stripe, { unit_amount: 4900 });
  const [item] = subscription.items.data;
  const changed = await stripe.subscriptions.update(subscription.id, {
    items: [{ id: item.id, price: team.id }],
    proration_behavior: "none",
  });
  assert.deepEqual(changed.items.data.map(({ id, price }) => [id, price.id]), [[item.id, team.id]]);
  assert.equal(changed.items.data[0].current_period_end, item.current_period_end);
  const event = await lastEvent(rig);
  const previous = event.data.previous_attributes as { items: { data: Stripe.SubscriptionItem[] } };
  assert.equal(previous.items.data[0].price.id, rig.price.id);
});

Deno.test("an update that changes nothing emits no event", async () => {
  await using rig = await subscribed();
  const before = await lastEvent(rig);
  await rig.stripe.subscriptions.update(rig.subscription.id, { cancel_at_period_end: false });
  assert.equal((await lastEvent(rig)).id, before.id);
});

Deno.test("subscription items can be listed and retrieved", async () => {
  await using rig = await subscribed();
  const { stripe, subscription } = rig;
  const listed = await stripe.subscriptionItems.list({ subscription: subscription.id });
  const [item] = listed.data;
  assert.equal((await stripe.subscriptionItems.retrieve(item.id)).subscription, subscription.id);
});

Deno.test("an updated price is shown in its subscriptions", async () => {
  await using rig = await subscribed();
  const { stripe, price, subscription } = rig;
  await stripe.prices.update(price.id, { nickname: "Monthly", active: false });
  const [item] = (await stripe.subscriptions.retrieve(subscription.id)).items.data;
  assert.deepEqual([item.price.nickname, item.price.active], ["Monthly", false]);
});

Deno.test("invoices can be listed by customer, subscription and status, and payments by invoice", async () => {
  await using rig = await subscribed();
  const { stripe, customer, subscription } = rig;
  const [invoice] = (await stripe.invoices.list({ customer: customer.id, status: "paid" })).data;
  assert.deepEqual((await stripe.invoices.list({ subscription: subscription.id })).data.map(({ id }) => id), [
    invoice.id,
  ]);
  assert.deepEqual((await stripe.invoices.list({ status: "open" })).data, []);
  const [payment] = (await stripe.invoicePayments.list({ invoice: invoice.id })).data;
  const intent = await stripe.paymentIntents.retrieve(payment.payment.payment_intent as string, {
    expand: ["latest_charge"],
  });
  assert.deepEqual([intent.status, intent.amount_received], ["succeeded", 1500]);
  assert.equal((intent.latest_charge as Stripe.Charge).paid, true);
});
