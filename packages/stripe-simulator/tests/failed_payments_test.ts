import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  changeCard,
  type ClockSimulator,
  configure,
  createPayer,
  createPro,
  iso,
  startSimulatorWithClock,
  storySince,
  subscribe,
} from "../testing.ts";

/** A subscription whose card is declined from the first renewal on. */
async function subscribedWithBadCard(rig: ClockSimulator, card = "pm_card_chargeCustomerFail") {
  const subscribed = await subscribe(rig);
  await changeCard(rig, subscribed.customer.id, card);
  return subscribed;
}

const status = async ({ stripe }: ClockSimulator, { id }: { id: string }) =>
  (await stripe.subscriptions.retrieve(id)).status;

const newestInvoice = async ({ stripe }: ClockSimulator, { id }: { id: string }) =>
  (await stripe.invoices.list({ subscription: id, limit: 1 })).data[0];

Deno.test("a declined renewal makes the subscription past_due and schedules the next attempt", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { customer, subscription } = await subscribedWithBadCard(rig);
  await rig.advanceTo("2026-02-10T10:00:00Z");
  assert.equal(await status(rig, subscription), "past_due");
  const invoice = await newestInvoice(rig, subscription);
  assert.deepEqual(
    [
      invoice.status,
      invoice.attempt_count,
      invoice.attempted,
      iso(invoice.next_payment_attempt),
      invoice.amount_remaining,
    ],
    ["open", 1, true, "2026-02-13T10:00", 1500],
  );
  assert.equal((await rig.stripe.customers.retrieve(customer.id) as Stripe.Customer).delinquent, true);
  assert.deepEqual(await storySince(rig, "2026-02-10T10:00:00Z"), [
    "2026-02-10T10:00 invoice.finalized",
    "2026-02-10T10:00 payment_intent.created",
    "2026-02-10T10:00 charge.failed",
    "2026-02-10T10:00 payment_intent.payment_failed",
    "2026-02-10T10:00 invoice.updated",
    "2026-02-10T10:00 invoice.payment_failed",
    "2026-02-10T10:00 customer.updated",
    "2026-02-10T10:00 customer.subscription.updated",
  ]);
});

Deno.test("a retry with a good card makes the subscription active", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { customer, subscription } = await subscribedWithBadCard(rig);
  await rig.advanceTo("2026-02-11T00:00:00Z");
  await changeCard(rig, customer.id, "pm_card_visa");
  await rig.advanceTo("2026-02-13T10:00:00Z");
  assert.equal(await status(rig, subscription), "active");
  const invoice = await newestInvoice(rig, subscription);
  assert.deepEqual(
    [invoice.status, invoice.attempt_count, invoice.next_payment_attempt, invoice.amount_paid],
    [
      "paid",
      2,
      null,
      1500,
    ],
  );
  assert.equal((await rig.stripe.customers.retrieve(customer.id) as Stripe.Customer).delinquent, false);
});

for (
  const [rule, failed, expected] of [
    ["cancel", "leave_open", { status: "canceled", invoice: "open", reason: "payment_failed" }],
    ["mark_unpaid", "leave_open", { status: "unpaid", invoice: "open", reason: null }],
    ["leave_past_due", "leave_open", { status: "past_due", invoice: "open", reason: null }],
    ["mark_unpaid", "mark_uncollectible", { status: "unpaid", invoice: "uncollectible", reason: null }],
  ] as const
) {
  Deno.test(`after the last attempt, after_last_retry ${rule} and failed_invoice ${failed} make it ${expected.status}`, async () => {
    await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
    await configure(rig, { retry_after_days: [1, 2], after_last_retry: rule, failed_invoice: failed });
    const { subscription } = await subscribedWithBadCard(rig);
    await rig.advanceTo("2026-02-13T09:00:00Z");
    assert.equal(await status(rig, subscription), "past_due");
    await rig.advanceTo("2026-02-13T10:00:00Z");
    const ended = await rig.stripe.subscriptions.retrieve(subscription.id);
    const invoice = await newestInvoice(rig, subscription);
    assert.deepEqual(
      { status: ended.status, invoice: invoice.status, reason: ended.cancellation_details?.reason },
      expected,
    );
    assert.deepEqual([invoice.attempt_count, invoice.next_payment_attempt], [3, null]);
  });
}

Deno.test("an unpaid subscription gets drafts without auto_advance and is active after its newest invoice is paid", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  await configure(rig, { retry_after_days: [], after_last_retry: "mark_unpaid" });
  const { customer, subscription } = await subscribedWithBadCard(rig);
  await rig.advanceTo("2026-03-10T09:00:00Z");
  await rig.advanceTo("2026-03-11T09:00:00Z");
  assert.equal(await status(rig, subscription), "unpaid");
  const draft = await newestInvoice(rig, subscription);
  assert.deepEqual([draft.status, draft.auto_advance], ["draft", false]);
  await changeCard(rig, customer.id, "pm_card_visa");
  assert.equal((await rig.stripe.invoices.pay(draft.id)).status, "paid");
  assert.equal(await status(rig, subscription), "active");
});

Deno.test("invoices.pay succeeds with a good card and is refused with 402 with a declined one", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { customer, subscription } = await subscribedWithBadCard(rig);
  await rig.advanceTo("2026-02-10T10:00:00Z");
  const before = await newestInvoice(rig, subscription);
  await assert.rejects(rig.stripe.invoices.pay(before.id), {
    type: "StripeCardError",
    statusCode: 402,
    code: "card_declined",
    decline_code: "generic_decline",
  });
  const after = await rig.stripe.invoices.retrieve(before.id);
  assert.deepEqual([after.attempt_count, after.next_payment_attempt], [1, before.next_payment_attempt]);
  const card = await rig.stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
  const paid = await rig.stripe.invoices.pay(before.id, { payment_method: card.id });
  assert.deepEqual([paid.status, paid.amount_remaining], ["paid", 0]);
  assert.equal(await status(rig, subscription), "active");
  await assert.rejects(rig.stripe.invoices.pay(before.id), {
    statusCode: 400,
    message: "Invoice is already paid",
  });
});

Deno.test("the newest finalized invoice determines the status of the subscription", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  await configure(rig, { retry_after_days: [], after_last_retry: "leave_past_due" });
  const { customer, subscription } = await subscribedWithBadCard(rig);
  await rig.advanceTo("2026-02-11T00:00:00Z");
  const older = await newestInvoice(rig, subscription);
  await rig.advanceTo("2026-03-11T00:00:00Z");
  const newer = await newestInvoice(rig, subscription);
  await changeCard(rig, customer.id, "pm_card_visa");
  await rig.stripe.invoices.pay(older.id);
  assert.equal(await status(rig, subscription), "past_due");
  await rig.stripe.invoices.pay(newer.id);
  assert.equal(await status(rig, subscription), "active");
});

for (const action of ["voidInvoice", "markUncollectible"] as const) {
  Deno.test(`${action} of a failed invoice makes the subscription active`, async () => {
    await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
    const { subscription } = await subscribedWithBadCard(rig);
    await rig.advanceTo("2026-02-10T10:00:00Z");
    const { id } = await newestInvoice(rig, subscription);
    const closed = await rig.stripe.invoices[action](id);
    assert.equal(closed.status, action === "voidInvoice" ? "void" : "uncollectible");
    assert.equal(await status(rig, subscription), "active");
    if (action === "markUncollectible") {
      assert.equal(closed.status_details?.uncollectible?.reason, "user_forgiven");
      return;
    }
    const [payment] = (await rig.stripe.invoicePayments.list({ invoice: id })).data;
    assert.equal(payment.status, "canceled");
    await assert.rejects(rig.stripe.invoices.pay(id), { statusCode: 400 });
  });
}

Deno.test("paid_out_of_band marks an invoice as paid", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription } = await subscribedWithBadCard(rig);
  await rig.advanceTo("2026-02-10T10:00:00Z");
  const { id } = await newestInvoice(rig, subscription);
  const paid = await rig.stripe.invoices.pay(id, { paid_out_of_band: true });
  assert.deepEqual([paid.status, paid.amount_remaining], ["paid", 0]);
  assert.equal(await status(rig, subscription), "active");
});

Deno.test("a renewal with a card that always requires authentication emits invoice.payment_action_required", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription } = await subscribedWithBadCard(rig, "pm_card_authenticationRequired");
  await rig.advanceTo("2026-02-10T10:00:00Z");
  assert.equal(await status(rig, subscription), "past_due");
  const types = (await storySince(rig, "2026-02-10T10:00:00Z")).map((line) => line.split(" ")[1]);
  assert.deepEqual(types.filter((type) => type !== "customer.updated"), [
    "invoice.finalized",
    "payment_intent.created",
    "payment_intent.requires_action",
    "invoice.updated",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "customer.subscription.updated",
  ]);
  const { id } = await newestInvoice(rig, subscription);
  await assert.rejects(rig.stripe.invoices.pay(id), { code: "invoice_payment_intent_requires_action" });
});

Deno.test("a subscription is incomplete until its first invoice is paid", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { customer, subscription } = await subscribe(rig, {}, "pm_card_chargeCustomerFail");
  assert.equal(subscription.status, "incomplete");
  assert.deepEqual(
    (await storySince(rig, "2026-01-10T09:00:00Z")).map((line) => line.split(" ")[1]).slice(-8),
    [
      "charge.failed",
      "customer.updated",
      "customer.subscription.created",
      "payment_intent.created",
      "payment_intent.payment_failed",
      "invoice.created",
      "invoice.finalized",
      "invoice.payment_failed",
    ],
  );
  await changeCard(rig, customer.id, "pm_card_visa");
  await rig.advanceTo("2026-01-11T00:00:00Z");
  assert.equal(await status(rig, subscription), "incomplete");
  await rig.stripe.invoices.pay(String(subscription.latest_invoice));
  assert.equal(await status(rig, subscription), "active");
});

Deno.test("an incomplete subscription expires after 23 hours and its invoice is void", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription } = await subscribe(rig, {}, "pm_card_chargeCustomerFail");
  await rig.advanceTo("2026-01-11T07:59:59Z");
  assert.equal(await status(rig, subscription), "incomplete");
  await rig.advanceTo("2026-01-11T08:00:00Z");
  const expired = await rig.stripe.subscriptions.retrieve(subscription.id, { expand: ["latest_invoice"] });
  assert.deepEqual([expired.status, (expired.latest_invoice as Stripe.Invoice).status], [
    "incomplete_expired",
    "void",
  ]);
  assert.deepEqual(await storySince(rig, "2026-01-11T00:00:00Z"), [
    "2026-01-11T08:00 payment_intent.canceled",
    "2026-01-11T08:00 invoice.voided",
    "2026-01-11T08:00 customer.subscription.updated",
  ]);
});

Deno.test("payment_behavior determines the result of a failed or missing first payment", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { stripe } = rig;
  const price = await createPro(stripe);
  const customer = await createPayer(rig, "pm_card_chargeCustomerFail");
  const create = (fields: Partial<Stripe.SubscriptionCreateParams>) =>
    stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }], ...fields });
  await assert.rejects(create({ payment_behavior: "error_if_incomplete" }), {
    statusCode: 402,
    code: "card_declined",
  });
  assert.deepEqual((await stripe.subscriptions.list({ customer: customer.id, status: "all" })).data, []);
  const waiting = await create({
    payment_behavior: "default_incomplete",
    expand: ["latest_invoice.payments"],
  });
  const invoice = waiting.latest_invoice as Stripe.Invoice;
  assert.deepEqual([waiting.status, invoice.status, invoice.attempted], ["incomplete", "open", false]);
  const intent = await stripe.paymentIntents.retrieve(
    invoice.payments?.data[0].payment.payment_intent as string,
  );
  assert.deepEqual([intent.status, intent.amount], ["requires_payment_method", 1500]);
  const cardless = await stripe.customers.create({ test_clock: rig.clock });
  await assert.rejects(stripe.subscriptions.create({ customer: cardless.id, items: [{ price: price.id }] }), {
    statusCode: 400,
    code: "resource_missing",
  });
});
