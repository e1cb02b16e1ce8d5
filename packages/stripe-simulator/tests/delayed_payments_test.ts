// Ways to pay that the bank answers after days: SEPA debits and bank transfers. And the predefined cards.
import assert from "node:assert/strict";
import {
  createPayer,
  createPro,
  iso,
  openCheckout,
  pay,
  startSimulator,
  startSimulatorWithClock,
  type TestSimulator,
} from "../testing.ts";

const goodIban = "DE89370400440532013000";
const badIban = "DE62370400440532013001";

async function typesOf({ stripe }: TestSimulator, ...patterns: string[]): Promise<string[]> {
  const events = (await stripe.events.list({ limit: 100 })).data.map(({ type }) => type).reverse();
  return events.filter((type) => patterns.some((pattern) => type.startsWith(pattern)));
}

async function settle({ simulator }: TestSimulator, intent: string, outcome: "failed" | "succeeded") {
  const response = await fetch(`${simulator.url}/_sim/payment_intents/${intent}/settle`, {
    method: "POST",
    body: JSON.stringify({ outcome }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  await response.body?.cancel();
}

/** A checkout of a subscription that was paid by a bank debit. */
async function debited(rig: TestSimulator) {
  const opened = await openCheckout(rig.stripe, (await createPro(rig.stripe)).id);
  await pay(rig.simulator, opened.id, { card: goodIban });
  const session = await rig.stripe.checkout.sessions.retrieve(opened.id, {
    expand: ["invoice", "subscription"],
  });
  const { invoice, subscription } = session;
  assert.ok(invoice && typeof invoice === "object" && subscription && typeof subscription === "object");
  const [payment] = (await rig.stripe.invoicePayments.list({ invoice: invoice.id })).data;
  return { session, invoice, subscription, intent: String(payment.payment.payment_intent) };
}

Deno.test("a checkout paid by SEPA debit is complete and unpaid, its invoice open, its payment processing", async () => {
  await using rig = await startSimulator();
  const { session, invoice, subscription, intent } = await debited(rig);
  assert.deepEqual([session.status, session.payment_status], ["complete", "unpaid"]);
  assert.deepEqual([invoice.status, invoice.attempted, subscription.status], ["open", true, "active"]);
  const payment = await rig.stripe.paymentIntents.retrieve(intent, {
    expand: ["latest_charge", "payment_method"],
  });
  const { latest_charge: charge, payment_method: method } = payment;
  assert.equal(payment.status, "processing");
  assert.ok(charge && typeof charge === "object" && method && typeof method === "object");
  assert.deepEqual([charge.status, charge.paid, charge.payment_method_details?.type], [
    "pending",
    false,
    "sepa_debit",
  ]);
  assert.deepEqual([method.type, method.sepa_debit?.last4], ["sepa_debit", "3000"]);
  assert.deepEqual(await typesOf(rig, "charge.", "invoice.paid", "invoice.payment_"), ["charge.pending"]);
});

Deno.test("a debit that the bank confirms pays the invoice, and the session's payment succeeded", async () => {
  await using rig = await startSimulator();
  const { session, invoice, intent } = await debited(rig);
  await settle(rig, intent, "succeeded");
  assert.equal((await rig.stripe.invoices.retrieve(invoice.id)).status, "paid");
  assert.equal((await rig.stripe.checkout.sessions.retrieve(session.id)).payment_status, "paid");
  assert.deepEqual(await typesOf(rig, "charge.", "invoice.paid", "checkout.session."), [
    "charge.pending",
    "checkout.session.completed",
    "charge.succeeded",
    "invoice.paid",
    "checkout.session.async_payment_succeeded",
  ]);
});

Deno.test("a debit that the bank returns leaves the invoice open and the subscription past_due", async () => {
  await using rig = await startSimulator();
  const { invoice, subscription, intent } = await debited(rig);
  await settle(rig, intent, "failed");
  assert.equal((await rig.stripe.invoices.retrieve(invoice.id)).status, "open");
  assert.equal((await rig.stripe.subscriptions.retrieve(subscription.id)).status, "past_due");
  assert.deepEqual(await typesOf(rig, "charge.failed", "invoice.payment_failed", "checkout.session.async"), [
    "charge.failed",
    "invoice.payment_failed",
    "checkout.session.async_payment_failed",
  ]);
});

Deno.test("on a test clock the bank answers after five days", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { stripe } = rig;
  const customer = await stripe.customers.create({ test_clock: rig.clock });
  const method = async (iban: string) => {
    const { id } = await stripe.paymentMethods.create({ type: "sepa_debit", sepa_debit: { iban } });
    await stripe.paymentMethods.attach(id, { customer: customer.id });
    return id;
  };
  const price = await createPro(stripe);
  const subscribeBy = async (iban: string) =>
    await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      default_payment_method: await method(iban),
    });
  const [good, bad] = [await subscribeBy(goodIban), await subscribeBy(badIban)];
  assert.deepEqual([good.status, bad.status], ["active", "active"]);
  await rig.advanceTo("2026-01-16");
  assert.equal((await stripe.subscriptions.retrieve(good.id)).status, "active");
  assert.equal((await stripe.subscriptions.retrieve(bad.id)).status, "past_due");
  const paid = await stripe.invoices.retrieve(String(good.latest_invoice));
  assert.equal(iso(paid.status_transitions.paid_at), "2026-01-15T09:00");
});

Deno.test("a bank transfer in payment mode is settled later too", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const product = await stripe.products.create({ name: "Workshop" });
  const price = await stripe.prices.create({ currency: "eur", product: product.id, unit_amount: 9900 });
  const opened = await openCheckout(stripe, price.id, { mode: "payment" });
  await pay(rig.simulator, opened.id, { card: "bank_transfer" });
  const session = await stripe.checkout.sessions.retrieve(opened.id);
  assert.deepEqual([session.status, session.payment_status], ["complete", "unpaid"]);
  await settle(rig, String(session.payment_intent), "succeeded");
  assert.equal((await stripe.checkout.sessions.retrieve(opened.id)).payment_status, "paid");
});

const cards: [name: string, brand: string, status: string][] = [
  ["pm_card_amex", "amex", "active"],
  ["pm_card_jcb", "jcb", "active"],
  ["pm_card_mastercard_prepaid", "mastercard", "active"],
  ["pm_card_de", "visa", "active"],
  ["pm_card_threeDSecure2Required", "visa", "incomplete"],
  ["pm_card_threeDSecureOptional", "visa", "active"],
  ["pm_card_authenticationRequiredSetupForOffSession", "visa", "incomplete"],
  ["pm_card_chargeCustomerFail", "visa", "incomplete"],
];

for (const [name, brand, status] of cards) {
  Deno.test(`a subscription with ${name} is ${status}`, async () => {
    await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
    const customer = await createPayer(rig, name);
    const [method] = (await rig.stripe.customers.listPaymentMethods(customer.id)).data;
    assert.equal(method.card?.brand, brand);
    const price = await createPro(rig.stripe);
    const subscription = await rig.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    });
    assert.equal(subscription.status, status);
  });
}

const declines: [name: string, code: string, declineCode: string, param: string][] = [
  ["pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card", ""],
  ["pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card", ""],
  ["pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", ""],
  ["pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "exp_month"],
  ["pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "cvc"],
  ["pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error", ""],
];

for (const [name, code, decline_code, param] of declines) {
  Deno.test(`attaching ${name} is refused with ${decline_code}`, async () => {
    await using rig = await startSimulator();
    const { id } = await rig.stripe.customers.create({});
    await assert.rejects(rig.stripe.paymentMethods.attach(name, { customer: id }), {
      statusCode: 402,
      code,
      decline_code,
      param,
    });
  });
}
