import assert from "node:assert/strict";
import {
  at,
  configure,
  createPro,
  iso,
  openCheckout,
  pay,
  startSimulator,
  startSimulatorWithClock,
  storySince,
  subscribe,
} from "../testing.ts";

const daySeconds = 86_400;

Deno.test("a renewal is drafted at the period's end, finalized an hour later and paid", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription } = await subscribe(rig);
  await rig.advanceTo("2026-02-10T09:00:00Z");
  const drafted = await rig.stripe.subscriptions.retrieve(subscription.id, { expand: ["latest_invoice"] });
  const [item] = drafted.items.data;
  assert.deepEqual([drafted.status, iso(item.current_period_start), iso(item.current_period_end)], [
    "active",
    "2026-02-10T09:00",
    "2026-03-10T09:00",
  ]);
  const draft = drafted.latest_invoice as { id: string; status: string; automatically_finalizes_at: number };
  assert.deepEqual([draft.status, iso(draft.automatically_finalizes_at)], ["draft", "2026-02-10T10:00"]);

  await rig.advanceTo("2026-02-10T10:00:00Z");
  const paid = await rig.stripe.invoices.retrieve(draft.id, { expand: ["payments"] });
  assert.deepEqual([
    paid.status,
    paid.billing_reason,
    paid.amount_paid,
    paid.amount_remaining,
    paid.attempt_count,
  ], [
    "paid",
    "subscription_cycle",
    1500,
    0,
    1,
  ]);
  assert.deepEqual([iso(paid.period_start), iso(paid.period_end)], ["2026-01-10T09:00", "2026-02-10T09:00"]);
  assert.deepEqual(
    paid.lines.data.map((line) => [line.amount, iso(line.period.start), iso(line.period.end)]),
    [[1500, "2026-02-10T09:00", "2026-03-10T09:00"]],
  );
  assert.deepEqual(paid.payments?.data.map(({ status, amount_paid }) => [status, amount_paid]), [[
    "paid",
    1500,
  ]]);
  assert.deepEqual(await storySince(rig, "2026-02-01T00:00:00Z"), [
    "2026-02-03T09:00 invoice.upcoming",
    "2026-02-10T09:00 customer.subscription.updated",
    "2026-02-10T09:00 invoice.created",
    "2026-02-10T10:00 invoice.finalized",
    "2026-02-10T10:00 payment_intent.created",
    "2026-02-10T10:00 charge.succeeded",
    "2026-02-10T10:00 payment_intent.succeeded",
    "2026-02-10T10:00 invoice.paid",
    "2026-02-10T10:00 invoice.payment_succeeded",
    "2026-02-10T10:00 invoice_payment.paid",
  ]);
});

Deno.test("a period ends on the last day of a shorter month and on the anchor's day in others", async () => {
  await using rig = await startSimulatorWithClock("2026-01-31T10:00:00Z");
  const { customer } = await subscribe(rig);
  for (const month of ["2026-03-31T09:00:00Z", "2026-05-31T09:00:00Z"]) await rig.advanceTo(month);
  const invoices = await rig.stripe.invoices.list({ customer: customer.id });
  assert.deepEqual(invoices.data.map((invoice) => iso(invoice.lines.data[0].period.end)), [
    "2026-05-31T10:00",
    "2026-04-30T10:00",
    "2026-03-31T10:00",
    "2026-02-28T10:00",
  ]);
});

Deno.test("a checkout of a customer on a test clock uses the clock's time", async () => {
  await using rig = await startSimulatorWithClock("2030-06-15T12:00:00Z");
  const { stripe } = rig;
  const price = await createPro(stripe);
  const customer = await stripe.customers.create({ test_clock: rig.clock });
  const { id, created } = await openCheckout(stripe, price.id, { customer: customer.id });
  await pay(rig.simulator, id);
  const [subscription] = (await stripe.subscriptions.list({ test_clock: rig.clock })).data;
  assert.deepEqual([created, subscription.created, subscription.test_clock], [
    at("2030-06-15T12:00:00Z"),
    at("2030-06-15T12:00:00Z"),
    rig.clock,
  ]);
  await rig.advanceTo("2030-07-15T13:00:00Z");
  const invoices = await stripe.invoices.list({ subscription: subscription.id });
  assert.deepEqual(invoices.data.map(({ status, billing_reason }) => [status, billing_reason]), [
    ["paid", "subscription_cycle"],
    ["paid", "subscription_create"],
  ]);
});

Deno.test("an open checkout on a test clock expires by the clock's time", async () => {
  await using rig = await startSimulatorWithClock("2030-06-15T12:00:00Z");
  const { stripe } = rig;
  const price = await createPro(stripe);
  const customer = await stripe.customers.create({ test_clock: rig.clock });
  const { id } = await openCheckout(stripe, price.id, { customer: customer.id });
  await rig.advanceTo("2030-06-16T12:00:00Z");
  assert.equal((await stripe.checkout.sessions.retrieve(id)).status, "expired");
});

Deno.test("trial_will_end is sent three days before the end of a trial, which is followed by paid periods", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription } = await subscribe(rig, { trial_period_days: 14 });
  assert.deepEqual([subscription.status, iso(subscription.trial_end)], ["trialing", "2026-01-24T09:00"]);
  await rig.advanceTo("2026-01-24T10:00:00Z");
  const active = await rig.stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([active.status, iso(active.items.data[0].current_period_end)], [
    "active",
    "2026-02-24T09:00",
  ]);
  const story = await storySince(rig, "2026-01-20T00:00:00Z");
  assert.deepEqual(story.slice(0, 4), [
    "2026-01-21T09:00 customer.subscription.trial_will_end",
    "2026-01-24T09:00 customer.subscription.updated",
    "2026-01-24T09:00 invoice.created",
    "2026-01-24T10:00 invoice.finalized",
  ]);
  await rig.advanceTo("2026-02-24T10:00:00Z");
  const invoices = await rig.stripe.invoices.list({ subscription: subscription.id });
  assert.deepEqual(invoices.data.map(({ amount_paid }) => amount_paid), [1500, 1500, 0]);
});

Deno.test("trial_will_end is sent immediately for a trial of less than three days", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  await subscribe(rig, { trial_period_days: 2 });
  await rig.advanceTo("2026-01-10T09:00:01Z");
  const story = await storySince(rig, "2026-01-10T09:00:00Z");
  assert.equal(story.at(-1), "2026-01-10T09:00 customer.subscription.trial_will_end");
});

for (
  const [behavior, status, reason] of [
    ["cancel", "canceled", undefined],
    ["pause", "paused", "trial_end_without_payment_method"],
    ["create_invoice", "past_due", undefined],
  ] as const
) {
  Deno.test(`a trial without a payment method ends ${status} with missing_payment_method ${behavior}`, async () => {
    await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
    const { stripe } = rig;
    const price = await createPro(stripe);
    const customer = await stripe.customers.create({ test_clock: rig.clock });
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      trial_period_days: 7,
      trial_settings: { end_behavior: { missing_payment_method: behavior } },
    });
    await rig.advanceTo("2026-01-17T10:00:00Z");
    const ended = await stripe.subscriptions.retrieve(id);
    assert.equal(ended.status, status);
    assert.equal(ended.status_details?.paused.subscription.type, reason);
    await rig.advanceTo("2026-03-10T10:00:00Z");
    const invoices = await stripe.invoices.list({ customer: customer.id });
    assert.equal(invoices.data.length, behavior === "create_invoice" ? 2 : 1);
  });
}

Deno.test("cancel_at_period_end cancels a subscription at its period's end without renewal", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription, customer } = await subscribe(rig);
  await rig.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  await rig.advanceTo("2026-03-01T00:00:00Z");
  const ended = await rig.stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([
    ended.status,
    iso(ended.ended_at),
    iso(ended.canceled_at),
    ended.cancellation_details?.reason,
  ], [
    "canceled",
    "2026-02-10T09:00",
    "2026-01-10T09:00",
    "cancellation_requested",
  ]);
  assert.equal((await rig.stripe.invoices.list({ customer: customer.id })).data.length, 1);
  assert.deepEqual(await storySince(rig, "2026-02-01T00:00:00Z"), [
    "2026-02-10T09:00 customer.subscription.deleted",
  ]);
});

Deno.test("cancel_at cancels a subscription at its time, after earlier renewals", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription } = await subscribe(rig);
  await rig.stripe.subscriptions.update(subscription.id, { cancel_at: at("2026-02-20T00:00:00Z") });
  await rig.advanceTo("2026-03-10T00:00:00Z");
  const ended = await rig.stripe.subscriptions.retrieve(subscription.id);
  assert.deepEqual([ended.status, iso(ended.ended_at)], ["canceled", "2026-02-20T00:00"]);
  assert.equal((await rig.stripe.invoices.list({ subscription: subscription.id })).data.length, 2);
});

for (
  const [behavior, statuses] of [
    ["keep_as_draft", ["draft", "draft", "paid"]],
    ["mark_uncollectible", ["uncollectible", "uncollectible", "paid"]],
    ["void", ["void", "void", "paid"]],
  ] as const
) {
  Deno.test(`pause_collection ${behavior} charges nothing and keeps the status`, async () => {
    await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
    const { subscription } = await subscribe(rig);
    await rig.stripe.subscriptions.update(subscription.id, {
      pause_collection: { behavior, resumes_at: at("2026-03-20T00:00:00Z") },
    });
    await rig.advanceTo("2026-03-10T09:00:00Z");
    const invoices = () => rig.stripe.invoices.list({ subscription: subscription.id });
    assert.deepEqual((await invoices()).data.map(({ status }) => status), statuses);
    assert.equal((await rig.stripe.subscriptions.retrieve(subscription.id)).status, "active");
    await rig.advanceTo("2026-04-10T12:00:00Z");
    assert.equal((await rig.stripe.subscriptions.retrieve(subscription.id)).pause_collection, null);
    assert.equal((await invoices()).data[0].status, "paid");
  });
}

Deno.test("a subscription without a test clock is renewed in real time", async () => {
  let now = at("2026-01-10T09:00:00Z");
  await using rig = await startSimulator({ now: () => now });
  const { stripe } = rig;
  const price = await createPro(stripe);
  const customer = await stripe.customers.create({
    payment_method: "pm_card_visa",
    invoice_settings: { default_payment_method: "pm_card_visa" },
  });
  const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
  now += 31 * daySeconds;
  const invoices = await stripe.invoices.list({ subscription: id });
  assert.deepEqual(invoices.data.map(({ status }) => status), ["draft", "paid"]);
  now += 3600;
  assert.equal((await stripe.invoices.list({ subscription: id })).data[0].status, "paid");
});

Deno.test("draft_seconds and upcoming_days set the draft time and the advance notice of renewals", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  await configure(rig, { draft_seconds: 60, upcoming_days: 0 });
  await subscribe(rig);
  await rig.advanceTo("2026-02-10T09:01:00Z");
  const story = await storySince(rig, "2026-02-01T00:00:00Z");
  assert.equal(story.some((line) => line.includes("invoice.upcoming")), false);
  assert.ok(story.includes("2026-02-10T09:01 invoice.paid"));
});
