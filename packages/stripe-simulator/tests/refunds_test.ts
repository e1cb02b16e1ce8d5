import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  type ClockSimulator,
  createPayer,
  eventsSince,
  startSimulatorWithClock,
  subscribe,
  type TestSimulator,
} from "../testing.ts";

/** A monthly subscription of 15 dollars, its paid invoice and the charge that paid it. */
async function paid(card?: string) {
  const rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const subscribed = await subscribe(rig, {}, card);
  const invoice = await rig.stripe.invoices.retrieve(String(subscribed.subscription.latest_invoice));
  const [charge] = (await rig.stripe.charges.list({ customer: subscribed.customer.id })).data;
  return { ...rig, ...subscribed, invoice, charge };
}

const typesOf = async (rig: TestSimulator) => (await eventsSince(rig, "2026-04-01")).map(({ type }) => type);

async function control({ simulator }: TestSimulator, path: string, body: object) {
  const response = await fetch(`${simulator.url}/_sim${path}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer;
}

const newestInvoice = async ({ stripe }: ClockSimulator, { id }: { id: string }) =>
  (await stripe.invoices.list({ subscription: id, limit: 1 })).data[0];

Deno.test("a charge is refunded in part and then wholly, and not more", async () => {
  await using rig = await paid();
  const { stripe, charge } = rig;
  const part = await stripe.refunds.create({
    charge: charge.id,
    amount: 500,
    reason: "requested_by_customer",
  });
  assert.deepEqual([part.amount, part.status, part.payment_intent], [
    500,
    "succeeded",
    charge.payment_intent,
  ]);
  await assert.rejects(stripe.refunds.create({ charge: charge.id, amount: 1100 }), {
    code: "amount_too_large",
    message: "Refund amount ($11.00) is greater than unrefunded amount on charge ($10.00)",
  });
  await stripe.refunds.create({ payment_intent: String(charge.payment_intent) });
  const refunded = await stripe.charges.retrieve(charge.id, { expand: ["refunds"] });
  assert.deepEqual([refunded.amount_refunded, refunded.refunded, refunded.refunds?.data.length], [
    1500,
    true,
    2,
  ]);
  await assert.rejects(stripe.refunds.create({ charge: charge.id }), { code: "charge_already_refunded" });
  const events = (await eventsSince(rig, "2026-04-01")).filter(({ type }) => /refund/.test(type));
  assert.deepEqual(events.map(({ type }) => type), [
    "charge.refunded",
    "refund.created",
    "charge.refunded",
    "refund.created",
  ]);
  assert.deepEqual(events[0].data.previous_attributes, { amount_refunded: 0 });
  assert.equal((await stripe.refunds.list({ charge: charge.id })).data.length, 2);
});

Deno.test("a credit note of a paid invoice is refunded, credited or settled outside", async () => {
  await using rig = await paid();
  const { stripe, invoice, customer, charge } = rig;
  await assert.rejects(stripe.creditNotes.create({ invoice: invoice.id, amount: 900 }), { statusCode: 400 });
  const note = await stripe.creditNotes.create({
    invoice: invoice.id,
    amount: 900,
    refund_amount: 500,
    credit_amount: 300,
    out_of_band_amount: 100,
    reason: "product_unsatisfactory",
  });
  assert.deepEqual([note.total, note.type, note.status, note.post_payment_amount, note.number], [
    900,
    "post_payment",
    "issued",
    900,
    `${invoice.number}-CN-01`,
  ]);
  assert.equal(note.refunds[0].amount_refunded, 500);
  assert.equal((await stripe.charges.retrieve(charge.id)).amount_refunded, 500);
  assert.equal((await stripe.invoices.retrieve(invoice.id)).post_payment_credit_notes_amount, 900);
  const { balance } = await stripe.customers.retrieve(customer.id) as Stripe.Customer;
  const [transaction] = (await stripe.customers.listBalanceTransactions(customer.id)).data;
  assert.deepEqual([balance, transaction.amount, transaction.type, transaction.credit_note], [
    -300,
    -300,
    "credit_note",
    note.id,
  ]);
  await assert.rejects(stripe.creditNotes.create({ invoice: invoice.id, amount: 700, refund_amount: 700 }), {
    param: "amount",
  });
  assert.ok((await typesOf(rig)).includes("credit_note.created"));
  assert.deepEqual((await stripe.creditNotes.list({ invoice: invoice.id })).data.map(({ id }) => id), [
    note.id,
  ]);
});

Deno.test("a credit note of an open invoice lowers what is due, and pays it when nothing is left", async () => {
  await using rig = await paid();
  const { stripe, customer } = rig;
  await stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: "usd" });
  const draft = await stripe.invoices.create({
    customer: customer.id,
    auto_advance: false,
    pending_invoice_items_behavior: "include",
  });
  const { lines } = await stripe.invoices.finalizeInvoice(draft.id);
  const line = { type: "invoice_line_item", invoice_line_item: lines.data[0].id, amount: 500 } as const;
  const preview = await stripe.creditNotes.preview({ invoice: draft.id, lines: [line] });
  const note = await stripe.creditNotes.create({ invoice: draft.id, lines: [line] });
  assert.deepEqual([preview.total, note.total, note.type], [500, 500, "pre_payment"]);
  const lowered = await stripe.invoices.retrieve(draft.id);
  assert.deepEqual([lowered.amount_remaining, lowered.pre_payment_credit_notes_amount], [1500, 500]);
  assert.equal((await stripe.creditNotes.voidCreditNote(note.id)).status, "void");
  assert.equal((await stripe.invoices.retrieve(draft.id)).amount_remaining, 2000);
  await stripe.creditNotes.create({ invoice: draft.id, amount: 2000 });
  assert.equal((await stripe.invoices.retrieve(draft.id)).status, "paid");
});

Deno.test("a lowered invoice is paid with what is left", async () => {
  await using rig = await paid();
  const { stripe, customer } = rig;
  await stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: "usd" });
  const { id } = await stripe.invoices.create({
    customer: customer.id,
    pending_invoice_items_behavior: "include",
  });
  await stripe.invoices.finalizeInvoice(id);
  await stripe.creditNotes.create({ invoice: id, amount: 500 });
  const { status, amount_paid } = await stripe.invoices.pay(id);
  const [charge] = (await stripe.charges.list({ customer: customer.id, limit: 1 })).data;
  assert.deepEqual([status, amount_paid, charge.amount], ["paid", 1500, 1500]);
});

Deno.test("a customer's balance is used by invoices, and every change is a transaction", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const { customer, subscription } = await subscribe(rig);
  const credit = await stripe.customers.createBalanceTransaction(customer.id, {
    amount: -2000,
    currency: "usd",
    description: "Sorry for the outage",
  });
  assert.deepEqual([credit.ending_balance, credit.type], [-2000, "adjustment"]);
  assert.equal((await stripe.customers.retrieveBalanceTransaction(customer.id, credit.id)).id, credit.id);
  await rig.advanceTo("2026-05-01T01:00:00Z");
  const invoice = await newestInvoice(rig, subscription);
  assert.deepEqual([invoice.amount_due, invoice.starting_balance, invoice.ending_balance], [0, -2000, -500]);
  const { data } = await stripe.customers.listBalanceTransactions(customer.id);
  assert.deepEqual(data.map(({ amount, type, invoice }) => [amount, type, invoice]), [
    [1500, "applied_to_invoice", invoice.id],
    [-2000, "adjustment", null],
  ]);
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id });
  await rig.advanceTo("2026-06-01T01:00:00Z");
  assert.deepEqual([preview.amount_due, (await newestInvoice(rig, subscription)).amount_paid], [1000, 1000]);
});

Deno.test("customers start with a balance and have it changed", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const customer = await createPayer(rig, "pm_card_visa", { balance: -100 });
  await stripe.customers.update(customer.id, { balance: 300 });
  const { data } = await stripe.customers.listBalanceTransactions(customer.id);
  assert.deepEqual(data.map(({ amount, ending_balance }) => [amount, ending_balance]), [[400, 300], [
    -100,
    -100,
  ]]);
});

Deno.test("a dispute takes the money back, refuses refunds, and is lost or won", async () => {
  await using rig = await paid();
  const { stripe, charge } = rig;
  const { id } = await control(rig, `/charges/${charge.id}/dispute`, { reason: "product_not_received" });
  const dispute = await stripe.disputes.retrieve(id);
  assert.deepEqual([dispute.status, dispute.reason, dispute.amount, dispute.charge], [
    "needs_response",
    "product_not_received",
    1500,
    charge.id,
  ]);
  assert.equal((await stripe.charges.retrieve(charge.id)).disputed, true);
  await assert.rejects(stripe.refunds.create({ charge: charge.id }), { code: "charge_disputed" });
  const lost = await control(rig, `/disputes/${id}/close`, { status: "lost" });
  assert.equal(lost.status, "lost");
  assert.deepEqual((await typesOf(rig)).filter((type) => /dispute/.test(type)), [
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.closed",
  ]);
});

Deno.test("the card for disputes pays and is disputed; winning evidence brings the money back", async () => {
  await using rig = await paid("pm_card_createDispute");
  const { stripe, subscription } = rig;
  assert.equal(subscription.status, "active");
  await rig.advanceTo("2026-04-01T01:00:00Z");
  const [dispute] = (await stripe.disputes.list()).data;
  const won = await stripe.disputes.update(dispute.id, {
    evidence: { uncategorized_text: "winning_evidence" },
    submit: true,
  });
  assert.equal(won.status, "won");
  assert.deepEqual((await typesOf(rig)).filter((type) => /dispute/.test(type)).slice(2), [
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_reinstated",
  ]);
});

Deno.test("a voided invoice gives the balance back that it used", async () => {
  await using rig = await startSimulatorWithClock("2026-04-01T00:00:00Z");
  const { stripe } = rig;
  const customer = await createPayer(rig, "pm_card_visa", { balance: -500 });
  await stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: "usd" });
  const { id } = await stripe.invoices.create({
    customer: customer.id,
    pending_invoice_items_behavior: "include",
  });
  assert.equal((await stripe.invoices.finalizeInvoice(id)).amount_due, 1500);
  await stripe.invoices.voidInvoice(id);
  const { data } = await stripe.customers.listBalanceTransactions(customer.id);
  assert.deepEqual(data.map(({ amount, type }) => [amount, type]), [
    [-500, "unapplied_from_invoice"],
    [500, "applied_to_invoice"],
    [-500, "initial"],
  ]);
});
