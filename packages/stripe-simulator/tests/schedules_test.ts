import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  at,
  type ClockSimulator,
  createPro,
  iso,
  startSimulatorWithClock,
  storySince,
  subscribe,
} from "../testing.ts";

/** A monthly subscription of 15 dollars with a schedule, and a price of 5 dollars. */
async function scheduled() {
  const rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const subscribed = await subscribe(rig);
  const small = await createPro(rig.stripe, { unit_amount: 500 });
  const schedule = await rig.stripe.subscriptionSchedules.create({
    from_subscription: subscribed.subscription.id,
  });
  return { ...rig, ...subscribed, small, schedule };
}

/** The parameters that keep the current phase as it is. */
function currentPhase(
  { phases: [phase] }: Stripe.SubscriptionSchedule,
): Stripe.SubscriptionScheduleUpdateParams.Phase {
  return {
    start_date: phase.start_date,
    end_date: phase.end_date,
    items: phase.items.map(({ price, quantity }) => ({ price: String(price), quantity })),
  };
}

const newestInvoice = async ({ stripe }: ClockSimulator, { id }: { id: string }) =>
  (await stripe.invoices.list({ subscription: id, limit: 1 })).data[0];

const linesOf = (invoice: Stripe.Invoice) =>
  invoice.lines.data.map((line) => [line.amount, line.description, iso(line.period.end)]);

Deno.test("a schedule from a subscription has its items as the current phase and is set on it", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription, price } = rig;
  assert.deepEqual([schedule.status, schedule.end_behavior, schedule.subscription], [
    "active",
    "release",
    subscription.id,
  ]);
  assert.deepEqual(
    schedule.phases.map((phase) => [iso(phase.start_date), iso(phase.end_date), phase.items[0].price]),
    [["2026-04-01T00:00", "2026-05-01T00:00", price.id]],
  );
  assert.deepEqual(schedule.current_phase, { start_date: at("2026-04-01"), end_date: at("2026-05-01") });
  const expanded = await stripe.subscriptions.retrieve(subscription.id, { expand: ["schedule"] });
  assert.equal((expanded.schedule as Stripe.SubscriptionSchedule).id, schedule.id);
  assert.deepEqual((await stripe.subscriptionSchedules.list({ customer: rig.customer.id })).data, [schedule]);
  assert.deepEqual((await storySince(rig, "2026-04-01")).slice(-2), [
    "2026-04-01T00:00 subscription_schedule.created",
    "2026-04-01T00:00 customer.subscription.updated",
  ]);
  await assert.rejects(stripe.subscriptionSchedules.create({ from_subscription: subscription.id }), {
    statusCode: 400,
    message: /already attached to a schedule/,
  });
  await assert.rejects(
    stripe.subscriptionSchedules.create({ from_subscription: subscription.id, end_behavior: "cancel" }),
    { param: "end_behavior" },
  );
});

Deno.test("a downgrade in the next phase is billed at the new price, and the schedule is released after it", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription, small } = rig;
  const updated = await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [currentPhase(schedule), { items: [{ price: small.id }], proration_behavior: "none" }],
  });
  assert.deepEqual(updated.phases.map((phase) => iso(phase.end_date)), [
    "2026-05-01T00:00",
    "2026-06-01T00:00",
  ]);
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id });
  await rig.advanceTo("2026-05-01T01:00:00Z");
  const invoice = await newestInvoice(rig, subscription);
  assert.deepEqual([invoice.billing_reason, linesOf(invoice)], [
    "subscription_cycle",
    [[500, "1 × Pro (at $5.00 / month)", "2026-06-01T00:00"]],
  ]);
  assert.deepEqual(linesOf(preview), linesOf(invoice));
  const running = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([running.items.data[0].price.id, running.items.data[0].id, running.schedule], [
    small.id,
    subscription.items.data[0].id,
    schedule.id,
  ]);
  await rig.advanceTo("2026-06-01T01:00:00Z");
  const released = await stripe.subscriptionSchedules.retrieve(schedule.id);
  assert.deepEqual(
    [released.status, released.subscription, released.released_subscription, iso(released.released_at)],
    ["released", null, subscription.id, "2026-06-01T00:00"],
  );
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).schedule, null);
  assert.equal((await newestInvoice(rig, subscription)).amount_paid, 500);
  await assert.rejects(stripe.subscriptionSchedules.update(schedule.id, { end_behavior: "cancel" }), {
    message: "You cannot update a subscription schedule that is currently in the `released` status. " +
      "It must be in `not_started`, `active` status to be updated.",
  });
});

Deno.test("a phase with another interval starts its cycle with the phase", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription } = rig;
  const yearly = await createPro(stripe, { unit_amount: 15000, recurring: { interval: "year" } });
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [currentPhase(schedule), { items: [{ price: yearly.id }], duration: { interval: "year" } }],
  });
  await rig.advanceTo("2026-05-01T01:00:00Z");
  const { items, billing_cycle_anchor: anchor } = await stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([iso(anchor), iso(items.data[0].current_period_end)], [
    "2026-05-01T00:00",
    "2027-05-01T00:00",
  ]);
  assert.deepEqual(linesOf(await newestInvoice(rig, subscription)), [
    [15000, "1 × Pro (at $150.00 / year)", "2027-05-01T00:00"],
  ]);
});

Deno.test("a phase within a period is prorated as it says", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription, price } = rig;
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [
      { ...currentPhase(schedule), end_date: at("2026-04-16") },
      { items: [{ price: price.id, quantity: 3 }], proration_behavior: "always_invoice" },
    ],
  });
  await rig.advanceTo("2026-04-16T01:00:00Z");
  const invoice = await newestInvoice(rig, subscription);
  assert.deepEqual([invoice.billing_reason, invoice.status, invoice.lines.data.map(({ amount }) => amount)], [
    "subscription_update",
    "paid",
    [-750, 2250],
  ]);
});

Deno.test("a changed current phase changes the subscription immediately", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription, price } = rig;
  await rig.advanceTo("2026-04-16T00:00:00Z");
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [{ ...currentPhase(schedule), items: [{ price: price.id, quantity: 2 }] }],
    proration_behavior: "always_invoice",
  });
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).items.data[0].quantity, 2);
  assert.equal((await newestInvoice(rig, subscription)).total, 750);
});

Deno.test("a direct change of items goes into the current phase, a direct cancellation is refused", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription } = rig;
  const [item] = subscription.items.data;
  await stripe.subscriptions.update(subscription.id, { items: [{ id: item.id, quantity: 2 }] });
  assert.equal((await stripe.subscriptionSchedules.retrieve(schedule.id)).phases[0].items[0].quantity, 2);
  await assert.rejects(stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true }), {
    statusCode: 400,
    message: /is managed by the subscription schedule/,
  });
});

Deno.test("release keeps the subscription and drops the planned phases", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription, small, price } = rig;
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [currentPhase(schedule), { items: [{ price: small.id }] }],
  });
  await stripe.subscriptionSchedules.release(schedule.id);
  assert.ok(
    (await storySince(rig, "2026-04-01")).includes("2026-04-01T00:00 subscription_schedule.released"),
  );
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).schedule, null);
  await rig.advanceTo("2026-05-01T01:00:00Z");
  const [item] = (await stripe.subscriptions.retrieve(subscription.id)).items.data;
  assert.equal(item.price.id, price.id);
});

Deno.test("end_behavior cancel cancels the subscription at the end of the last phase", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription } = rig;
  await stripe.subscriptionSchedules.update(schedule.id, { end_behavior: "cancel" });
  await rig.advanceTo("2026-05-01T02:00:00Z");
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "canceled");
  assert.equal((await stripe.subscriptionSchedules.retrieve(schedule.id)).status, "completed");
  assert.equal((await newestInvoice(rig, subscription)).billing_reason, "subscription_create");
});

Deno.test("canceling a schedule cancels its subscription, and the other way round", async () => {
  await using rig = await scheduled();
  const { stripe, schedule, subscription } = rig;
  const canceled = await stripe.subscriptionSchedules.cancel(schedule.id, { prorate: false });
  assert.deepEqual([canceled.status, iso(canceled.canceled_at)], ["canceled", "2026-04-01T00:00"]);
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, "canceled");
  const other = await stripe.subscriptions.create({
    customer: rig.customer.id,
    items: [{ price: rig.price.id }],
  });
  const { id } = await stripe.subscriptionSchedules.create({ from_subscription: other.id });
  await stripe.subscriptions.cancel(other.id);
  assert.equal((await stripe.subscriptionSchedules.retrieve(id)).status, "canceled");
});

Deno.test("a metered item is billed for its last period when a phase replaces it", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const meter = await stripe.billing.meters.create({
    display_name: "Messages",
    event_name: "message",
    default_aggregation: { formula: "sum" },
  });
  const metered = await createPro(stripe, {
    unit_amount: 10,
    recurring: { interval: "month", usage_type: "metered", meter: meter.id },
  });
  const { customer, price, subscription } = await subscribe(rig);
  await stripe.subscriptionItems.create({ subscription: subscription.id, price: metered.id });
  const schedule = await stripe.subscriptionSchedules.create({ from_subscription: subscription.id });
  await stripe.subscriptionSchedules.update(schedule.id, {
    phases: [currentPhase(schedule), { items: [{ price: price.id, quantity: 2 }] }],
  });
  await rig.advanceTo("2026-04-10T00:00:00Z");
  await stripe.billing.meterEvents.create({
    event_name: "message",
    payload: { stripe_customer_id: customer.id, value: "7" },
    timestamp: at("2026-04-05"),
  });
  await rig.advanceTo("2026-05-01T02:00:00Z");
  const invoice = await newestInvoice(rig, subscription);
  assert.deepEqual(invoice.lines.data.map(({ amount }) => amount), [70, 3000]);
});
