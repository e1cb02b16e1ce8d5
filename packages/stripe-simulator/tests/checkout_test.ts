import assert from "node:assert/strict";
import type Stripe from "stripe";
import { createPro, openCheckout, pay, startSimulator } from "../testing.ts";

Deno.test("an open checkout has a url and no customer, subscription or invoice", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const session = await openCheckout(stripe, pro.id, {
    client_reference_id: "community-1",
    metadata: { community_id: "community-1" },
  });
  assert.match(session.id, /^cs_test_/);
  assert.equal(session.url, `${simulator.url}/c/pay/${session.id}`);
  assert.equal(session.status, "open");
  assert.equal(session.payment_status, "unpaid");
  assert.equal(session.ui_mode, "hosted_page");
  assert.equal(session.client_reference_id, "community-1");
  assert.equal(session.amount_total, 1500);
  assert.equal(session.expires_at, session.created + 24 * 60 * 60);
  assert.deepEqual([session.customer, session.subscription, session.invoice], [null, null, null]);
  assert.match(session.success_url ?? "", /session_id=\{CHECKOUT_SESSION_ID\}$/);
});

Deno.test("percent-encoded braces in success_url are not replaced by the session's id", async () => {
  await using rig = await startSimulator();
  const pro = await createPro(rig.stripe);
  const success_url = "https://a.example/?session_id=%7BCHECKOUT_SESSION_ID%7D";
  assert.equal((await openCheckout(rig.stripe, pro.id, { success_url })).success_url, success_url);
});

Deno.test("a paid checkout has a payment method, an active subscription and a paid first invoice", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({ email: "ada@example.com" });
  const opened = await openCheckout(stripe, pro.id, {
    customer: customer.id,
    metadata: { on: "session" },
    subscription_data: { metadata: { community_id: "1" } },
  });
  await pay(simulator, opened.id);

  const session = await stripe.checkout.sessions.retrieve(opened.id);
  assert.equal(session.status, "complete");
  assert.equal(session.payment_status, "paid");
  assert.equal(session.url, null);
  assert.equal(session.customer, customer.id);
  assert.equal(session.customer_details?.email, "ada@example.com");

  const subscription = await stripe.subscriptions.retrieve(session.subscription as string);
  assert.equal(subscription.status, "active");
  assert.equal(subscription.billing_mode.type, "flexible");
  assert.deepEqual(subscription.metadata, { community_id: "1" });
  const [item] = subscription.items.data;
  assert.equal(item.price.id, pro.id);
  assert.equal(item.quantity, 1);
  assert.equal(item.current_period_start, subscription.start_date);
  const days = (item.current_period_end - item.current_period_start) / 86_400;
  assert.ok(days >= 28 && days <= 31, `a month of ${days} days`);

  const invoice = await stripe.invoices.retrieve(session.invoice as string);
  assert.equal(invoice.id, subscription.latest_invoice);
  assert.equal(invoice.status, "paid");
  assert.equal(invoice.billing_reason, "subscription_create");
  assert.deepEqual([invoice.amount_due, invoice.amount_paid, invoice.amount_remaining], [1500, 1500, 0]);
  assert.equal(invoice.parent?.subscription_details?.subscription, subscription.id);
  assert.deepEqual(invoice.parent?.subscription_details?.metadata, { community_id: "1" });
  assert.match(invoice.number ?? "", /^\w{8}-0001$/);
  assert.equal(invoice.lines.data[0].description, "1 × Pro (at $15.00 / month)");
  assert.deepEqual(invoice.lines.data[0].period, {
    start: item.current_period_start,
    end: item.current_period_end,
  });

  const method = await stripe.paymentMethods.retrieve(subscription.default_payment_method as string);
  assert.equal(method.customer, customer.id);
  assert.equal(method.card?.last4, "4242");
});

Deno.test("a checkout without a customer creates one", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const opened = await openCheckout(stripe, pro.id, { customer_email: "new@example.com" });
  await pay(simulator, opened.id);
  const session = await stripe.checkout.sessions.retrieve(opened.id, { expand: ["customer"] });
  assert.ok(typeof session.customer === "object" && session.customer && !session.customer.deleted);
  assert.equal(session.customer.email, "new@example.com");
});

Deno.test("a checkout with a trial creates a trialing subscription with a first invoice of 0", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const opened = await openCheckout(stripe, pro.id, { subscription_data: { trial_period_days: 14 } });
  assert.equal(opened.amount_total, 0);
  await pay(simulator, opened.id);
  const session = await stripe.checkout.sessions.retrieve(opened.id, {
    expand: ["subscription", "invoice.payments"],
  });
  assert.equal(session.payment_status, "no_payment_required");
  assert.ok(session.subscription && typeof session.subscription === "object");
  const { subscription, invoice } = session;
  assert.equal(subscription.status, "trialing");
  assert.equal(subscription.trial_end! - subscription.trial_start!, 14 * 86_400);
  assert.equal(subscription.items.data[0].current_period_end, subscription.trial_end);
  assert.equal(subscription.billing_cycle_anchor, subscription.trial_end);
  assert.ok(invoice && typeof invoice === "object");
  assert.deepEqual([invoice.status, invoice.total, invoice.payments?.data], ["paid", 0, []]);
  assert.deepEqual((await stripe.charges.list()).data, []);
});

const declines: [card: string, message: RegExp][] = [
  ["4000000000000002", /declined/],
  ["4000000000009995", /insufficient funds/],
  ["4000000000000069", /expired/],
  ["4000000000000341", /declined/],
];

for (const [card, message] of declines) {
  Deno.test(`the card ${card} is declined without creating a subscription, and another card can pay`, async () => {
    await using rig = await startSimulator();
    const { stripe, simulator } = rig;
    const pro = await createPro(stripe);
    const { id } = await openCheckout(stripe, pro.id);
    await assert.rejects(pay(simulator, id, { card }), message);
    assert.equal((await stripe.checkout.sessions.retrieve(id)).status, "open");
    assert.deepEqual((await stripe.customers.list()).data, []);
    assert.deepEqual((await stripe.subscriptions.list({ status: "all" })).data, []);
    assert.deepEqual((await stripe.invoices.list()).data, []);
    await pay(simulator, id);
    assert.equal((await stripe.checkout.sessions.retrieve(id)).status, "complete");
  });
}

Deno.test("a complete checkout cannot be paid again", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const { id } = await openCheckout(stripe, pro.id);
  await pay(simulator, id);
  await assert.rejects(pay(simulator, id), /status of complete/);
  assert.equal((await stripe.subscriptions.list()).data.length, 1);
});

Deno.test("an expired checkout has no url, cannot be paid and cannot be expired again", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const { id } = await openCheckout(stripe, pro.id);
  const expired = await stripe.checkout.sessions.expire(id);
  assert.deepEqual([expired.status, expired.url], ["expired", null]);
  await assert.rejects(pay(simulator, id), /status of expired/);
  await assert.rejects(stripe.checkout.sessions.expire(id), { statusCode: 400 });
  const [event] = (await stripe.events.list({ type: "checkout.session.expired" })).data;
  assert.equal((event.data.object as Stripe.Checkout.Session).id, id);
});

Deno.test("checkout sessions can be listed by customer and status, and their line items retrieved", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({});
  const mine = await openCheckout(stripe, pro.id, { customer: customer.id });
  const other = await openCheckout(stripe, pro.id);
  await stripe.checkout.sessions.expire(other.id);
  const ids = async (params: Stripe.Checkout.SessionListParams) =>
    (await stripe.checkout.sessions.list(params)).data.map(({ id }) => id);
  assert.deepEqual(await ids({ customer: customer.id }), [mine.id]);
  assert.deepEqual(await ids({ status: "open" }), [mine.id]);
  assert.deepEqual(await ids({ status: "expired" }), [other.id]);
  const items = await stripe.checkout.sessions.listLineItems(mine.id);
  assert.deepEqual(
    items.data.map(({ amount_total, description, quantity }) => [amount_total, description, quantity]),
    [
      [1500, "Pro", 1],
    ],
  );
});

type CreateParams = Partial<Stripe.Checkout.SessionCreateParams>;

const refusals: [name: string, fields: (price: string) => CreateParams, param: string][] = [
  ["the old ui_mode hosted", () => ({ ui_mode: "hosted" }), "ui_mode"],
  ["the old ui_mode embedded", () => ({ ui_mode: "embedded" }), "ui_mode"],
  ["the old ui_mode custom", () => ({ ui_mode: "custom" }), "ui_mode"],
  [
    "payment_method_types, which the API has dropped",
    (price) => Object.assign({ line_items: [{ price, quantity: 1 }] }, { payment_method_types: ["card"] }),
    "payment_method_types",
  ],
  ["a missing success_url", () => ({ success_url: undefined }), "success_url"],
  ["a return_url on a hosted page", () => ({ return_url: "https://a.example/" }), "return_url"],
  ["a relative URL", () => ({ success_url: "/relative" }), "success_url"],
  ["missing line items", () => ({ line_items: undefined }), "line_items"],
  [
    "an unknown price",
    () => ({ line_items: [{ price: "price_none", quantity: 1 }] }),
    "line_items[0][price]",
  ],
  ["a missing quantity", (price) => ({ line_items: [{ price }] }), "line_items[0][quantity]"],
  ["customer and e-mail at once", () => ({ customer: "cus_1", customer_email: "a@b.co" }), "customer_email"],
  ["an unknown customer", () => ({ customer: "cus_none" }), "customer"],
  ["a reference that is too long", () => ({ client_reference_id: "x".repeat(201) }), "client_reference_id"],
  ["an expiry that is too soon", () => ({ expires_at: Math.floor(Date.now() / 1000) + 60 }), "expires_at"],
];

for (const [name, fields, param] of refusals) {
  Deno.test(`creating a checkout with ${name} is refused with 400`, async () => {
    await using rig = await startSimulator();
    const pro = await createPro(rig.stripe);
    await assert.rejects(openCheckout(rig.stripe, pro.id, fields(pro.id)), { statusCode: 400, param });
  });
}

Deno.test("a subscription checkout refuses a one-time and an inactive price with 400", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const once = await stripe.prices.create({
    currency: "usd",
    product_data: { name: "Mug" },
    unit_amount: 100,
  });
  await assert.rejects(openCheckout(stripe, once.id), { statusCode: 400, param: "line_items" });
  const pro = await createPro(stripe);
  await stripe.prices.update(pro.id, { active: false });
  await assert.rejects(openCheckout(stripe, pro.id), { statusCode: 400, param: "line_items[0][price]" });
});
