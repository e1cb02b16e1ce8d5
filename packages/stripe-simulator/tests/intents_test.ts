// Payments and set-ups that are made through the API, sources, invoices that are sent, requests of older versions.
import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  createPayer,
  createPro,
  startSimulator,
  startSimulatorWithClock,
  subscribe,
  type TestSimulator,
} from "../testing.ts";

// deno-lint-ignore no-explicit-any -- requests by hand
type Json = any;

async function typesOf({ stripe }: TestSimulator, ...starts: string[]): Promise<string[]> {
  const types = (await stripe.events.list({ limit: 100 })).data.map(({ type }) => type).reverse();
  return types.filter((type) => starts.some((start) => type.startsWith(start)));
}

async function post(
  { simulator }: TestSimulator,
  path: string,
  body: string,
  version?: string,
): Promise<Json> {
  const response = await fetch(`${simulator.url}${path}`, {
    method: "POST",
    headers: {
      "authorization": "Bearer sk_test_suite",
      ...(version === undefined ? {} : { "stripe-version": version }),
    },
    body: new URLSearchParams(body),
  });
  return { status: response.status, ...await response.json() };
}

Deno.test("a payment intent is created, confirmed and succeeds", async () => {
  await using rig = await startSimulator();
  const open = await rig.stripe.paymentIntents.create({ amount: 500, currency: "usd" });
  assert.equal(open.status, "requires_payment_method");
  const paid = await rig.stripe.paymentIntents.confirm(open.id, { payment_method: "pm_card_visa" });
  assert.deepEqual([paid.status, paid.amount_received], ["succeeded", 500]);
  await assert.rejects(rig.stripe.paymentIntents.confirm(open.id, { payment_method: "pm_card_visa" }), {
    code: "payment_intent_unexpected_state",
  });
  assert.deepEqual(await typesOf(rig, "payment_intent.", "charge."), [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
  ]);
});

Deno.test("a declined payment intent is a card error with its charge and the intent", async () => {
  await using rig = await startSimulator();
  const error = await rig.stripe.paymentIntents.create({
    amount: 500,
    confirm: true,
    currency: "usd",
    payment_method: "pm_card_visa_chargeDeclined",
  }).catch((error: Stripe.errors.StripeCardError) => error);
  assert.ok("statusCode" in error && error.statusCode === 402);
  assert.match(String(error.charge), /^ch_/);
  assert.equal(error.payment_intent?.last_payment_error?.network_decline_code, "01");
});

Deno.test("a payment intent with manual capture reserves the amount, which is captured or canceled", async () => {
  await using rig = await startSimulator();
  const reserve = () =>
    rig.stripe.paymentIntents.create({
      amount: 500,
      capture_method: "manual",
      confirm: true,
      currency: "usd",
      payment_method: "pm_card_visa",
    });
  const [one, two] = [await reserve(), await reserve()];
  assert.deepEqual([one.status, one.amount_capturable], ["requires_capture", 500]);
  const captured = await rig.stripe.paymentIntents.capture(one.id);
  assert.deepEqual([captured.status, captured.amount_received], ["succeeded", 500]);
  const canceled = await rig.stripe.paymentIntents.cancel(two.id, { cancellation_reason: "abandoned" });
  assert.deepEqual([canceled.status, canceled.cancellation_reason], ["canceled", "abandoned"]);
});

Deno.test("a setup intent saves a card, waits for authentication, or is declined", async () => {
  await using rig = await startSimulator();
  const { id: customer } = await rig.stripe.customers.create({});
  const create = (card: string) =>
    rig.stripe.setupIntents.create({ customer, payment_method: card, confirm: true });
  assert.equal((await create("pm_card_visa")).status, "succeeded");
  assert.equal((await rig.stripe.customers.listPaymentMethods(customer)).data.length, 1);
  const waiting = await create("pm_card_authenticationRequired");
  assert.equal(waiting.status, "requires_action");
  assert.equal((await rig.stripe.setupIntents.cancel(waiting.id)).status, "canceled");
  await assert.rejects(create("pm_card_chargeDeclined"), { statusCode: 402, code: "card_declined" });
  assert.deepEqual((await typesOf(rig, "setup_intent.")).filter((type) => type !== "setup_intent.created"), [
    "setup_intent.succeeded",
    "setup_intent.requires_action",
    "setup_intent.canceled",
    "setup_intent.setup_failed",
  ]);
});

Deno.test("a source is saved as card, becomes the default source and pays", async () => {
  await using rig = await startSimulator();
  const customer = await rig.stripe.customers.create({ source: "tok_visa" });
  assert.match(String(customer.default_source), /^card_/);
  const source = await rig.stripe.customers.createSource(customer.id, { source: "tok_mastercard" });
  assert.deepEqual([source.object, Reflect.get(source, "brand")], ["card", "Mastercard"]);
  const price = await createPro(rig.stripe);
  const { status } = await rig.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
  });
  assert.equal(status, "active");
});

Deno.test("an invoice with send_invoice is sent with its due date and not collected", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const customer = await createPayer(rig);
  await rig.stripe.invoiceItems.create({ customer: customer.id, amount: 900, currency: "usd" });
  const draft = await rig.stripe.invoices.create({
    auto_advance: true,
    collection_method: "send_invoice",
    customer: customer.id,
    days_until_due: 7,
    pending_invoice_items_behavior: "include",
  });
  const sent = await rig.stripe.invoices.sendInvoice(draft.id);
  assert.deepEqual([sent.status, sent.due_date], ["open", draft.created + 7 * 86_400]);
  await rig.advanceTo("2026-01-20");
  assert.equal((await rig.stripe.invoices.retrieve(draft.id)).attempted, false);
  assert.deepEqual(await typesOf(rig, "invoice.sent"), ["invoice.sent"]);
  await assert.rejects(
    rig.stripe.invoices.create({ customer: customer.id, collection_method: "send_invoice" }),
    {
      param: "days_until_due",
    },
  );
});

Deno.test("a request of an older version uses the names of its time, the newest version refuses them", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { price, subscription } = await subscribe(rig);
  const session =
    `mode=subscription&line_items[0][price]=${price.id}&line_items[0][quantity]=1&ui_mode=hosted` +
    "&success_url=https://a.example/&payment_method_types[]=card";
  const clover = await post(rig, "/v1/checkout/sessions", session, "2025-09-30.clover");
  assert.deepEqual([clover.status, clover.ui_mode], ["open", "hosted"]);
  const endive = await post(rig, "/v1/checkout/sessions", session, "2026-10-28.endive");
  assert.deepEqual([endive.status, endive.error.param], [400, "payment_method_types"]);
  const anchor = (version: string) =>
    post(rig, `/v1/subscriptions/${subscription.id}`, "billing_cycle_anchor=now", version);
  assert.equal((await anchor("2026-08-26.dahlia")).object, "subscription");
  assert.equal((await anchor("2026-10-28.endive")).status, 400);
});
