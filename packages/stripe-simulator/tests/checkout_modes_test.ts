import assert from "node:assert/strict";
import type Stripe from "stripe";
import { createPro, openCheckout, pay, startSimulator, type TestSimulator } from "../testing.ts";

/** Creates a one-time price. */
async function createOneTime(stripe: Stripe): Promise<Stripe.Price> {
  const product = await stripe.products.create({ name: "Book" });
  return await stripe.prices.create({ currency: "usd", product: product.id, unit_amount: 1500 });
}

async function types({ stripe }: TestSimulator): Promise<string[]> {
  const events = await stripe.events.list({ limit: 100 });
  return events.data.map((event) => event.type).reverse();
}

const success_url = "https://parent.example/";

Deno.test("a checkout in payment mode creates a payment and no subscription", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const price = await createOneTime(stripe);
  const { id } = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{ price: price.id, quantity: 2 }],
    payment_intent_data: { metadata: { order: "7" } },
    success_url,
  });
  await pay(simulator, id);
  const session = await stripe.checkout.sessions.retrieve(id, { expand: ["payment_intent"] });
  assert.deepEqual([session.status, session.payment_status, session.subscription, session.customer], [
    "complete",
    "paid",
    null,
    null,
  ]);
  assert.ok(typeof session.payment_intent === "object");
  assert.deepEqual([session.payment_intent?.amount_received, session.payment_intent?.metadata], [3000, {
    order: "7",
  }]);
});

Deno.test("a checkout in setup mode saves the card for its customer and charges nothing", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const customer = await stripe.customers.create({});
  const { id } = await stripe.checkout.sessions.create({ mode: "setup", customer: customer.id, success_url });
  await pay(simulator, id);
  const session = await stripe.checkout.sessions.retrieve(id, { expand: ["setup_intent.payment_method"] });
  assert.deepEqual([session.status, session.payment_status, session.amount_total], [
    "complete",
    "no_payment_required",
    null,
  ]);
  assert.ok(typeof session.setup_intent === "object" && session.setup_intent?.status === "succeeded");
  const method = session.setup_intent.payment_method;
  assert.ok(typeof method === "object" && method?.customer === customer.id);
  assert.deepEqual((await stripe.charges.list()).data, []);
  assert.deepEqual(await types(rig), [
    "customer.created",
    "payment_method.attached",
    "setup_intent.created",
    "setup_intent.succeeded",
    "checkout.session.completed",
  ]);
});

Deno.test("a declined card leaves a failed payment, no customer and no subscription", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const before = (await types(rig)).length;
  const { id } = await openCheckout(stripe, pro.id);
  await assert.rejects(pay(simulator, id, { card: "4000000000009995" }), /insufficient funds/);
  assert.deepEqual((await types(rig)).slice(before), [
    "charge.failed",
    "payment_intent.created",
    "payment_intent.payment_failed",
  ]);
  const [charge] = (await stripe.charges.list()).data;
  assert.deepEqual([charge.status, charge.paid, charge.failure_code, charge.outcome?.reason], [
    "failed",
    false,
    "card_declined",
    "insufficient_funds",
  ]);
  const intent = await stripe.paymentIntents.retrieve(String(charge.payment_intent));
  assert.deepEqual([intent.status, intent.last_payment_error?.decline_code], [
    "requires_payment_method",
    "insufficient_funds",
  ]);
  assert.deepEqual((await stripe.customers.list()).data, []);
  assert.deepEqual((await stripe.subscriptions.list()).data, []);
  assert.equal((await stripe.checkout.sessions.retrieve(id)).status, "open");
});

Deno.test("a declined card in setup mode leaves the session open for another card", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const { id } = await stripe.checkout.sessions.create({ mode: "setup", success_url });
  await assert.rejects(pay(simulator, id, { card: "4000000000000002" }), /declined/);
  assert.deepEqual(await types(rig), ["setup_intent.created", "setup_intent.setup_failed"]);
  await pay(simulator, id);
  assert.equal((await stripe.checkout.sessions.retrieve(id)).status, "complete");
});

Deno.test("a failed authentication leaves a failed payment intent without a charge", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const { id } = await openCheckout(stripe, pro.id);
  const card = "4000002500003155";
  await assert.rejects(pay(simulator, id, { card, authentication: "failed" }), /unable to authenticate/);
  assert.deepEqual((await stripe.charges.list()).data, []);
  const [intent] = (await stripe.paymentIntents.list()).data;
  assert.equal(intent.last_payment_error?.code, "payment_intent_authentication_failure");
  await pay(simulator, id, { card });
  assert.equal((await stripe.checkout.sessions.retrieve(id)).status, "complete");
});

const refusals: [name: string, params: Stripe.Checkout.SessionCreateParams, param: string][] = [
  [
    "payment mode with subscription_data",
    { mode: "payment", subscription_data: { description: "a" } },
    "subscription_data",
  ],
  [
    "setup mode with line_items",
    { mode: "setup", line_items: [{ price: "price_1", quantity: 1 }] },
    "line_items",
  ],
  ["subscription mode without line_items", { mode: "subscription" }, "line_items"],
  [
    "subscription mode with payment_intent_data",
    { mode: "subscription", payment_intent_data: { description: "a" } },
    "payment_intent_data",
  ],
];

for (const [name, params, param] of refusals) {
  Deno.test(`creating a checkout in ${name} is refused with 400`, async () => {
    await using rig = await startSimulator();

    await assert.rejects(rig.stripe.checkout.sessions.create({ success_url, ...params }), {
      statusCode: 400,
      param,
    });
  });
}

Deno.test("payment mode refuses a recurring price with 400", async () => {
  await using rig = await startSimulator();
  const pro = await createPro(rig.stripe);
  const request = rig.stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{ price: pro.id, quantity: 1 }],
    success_url,
  });
  await assert.rejects(request, { statusCode: 400, param: "line_items" });
});
