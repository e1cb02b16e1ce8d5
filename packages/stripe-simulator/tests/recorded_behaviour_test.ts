// Behaviour of Stripe that is not in its documentation and was seen in recorded traffic.
import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  createPayer,
  createPro,
  openCheckout,
  pay,
  startSimulator,
  startSimulatorWithClock,
  subscribe,
  type TestSimulator,
} from "../testing.ts";

// deno-lint-ignore no-explicit-any -- requests by hand
type Json = any;

async function post({ simulator }: TestSimulator, path: string, body: string): Promise<Response> {
  return await fetch(`${simulator.url}${path}`, {
    method: "POST",
    headers: { "authorization": "Bearer sk_test_suite", "content-type": "application/x-www-form-urlencoded" },
    body,
  });
}

async function postJson(rig: TestSimulator, path: string, body: string): Promise<Json> {
  const response = await post(rig, path, body);
  const json = await response.json();
  assert.equal(response.status, 200, JSON.stringify(json));
  return json;
}

Deno.test("canceling now clears cancel_at of a scheduled cancellation", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription } = await subscribe(rig);
  await rig.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
  const canceled = await rig.stripe.subscriptions.cancel(subscription.id);
  assert.deepEqual([canceled.cancel_at, canceled.cancel_at_period_end, canceled.status], [
    null,
    false,
    "canceled",
  ]);
});

Deno.test("a first invoice that waits for authentication has attempt_count 0", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription } = await subscribe(rig, {}, "pm_card_authenticationRequired");
  const invoice = await rig.stripe.invoices.retrieve(String(subscription.latest_invoice));
  assert.deepEqual([subscription.status, invoice.attempt_count, invoice.attempted], ["incomplete", 0, true]);
});

Deno.test("a hand-made invoice of a subscription has billing_reason manual and its rendering", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { subscription, customer } = await subscribe(rig);
  const invoice = await rig.stripe.invoices.create({ customer: customer.id, subscription: subscription.id });
  assert.equal(invoice.billing_reason, "manual");
  assert.equal(invoice.rendering?.pdf?.page_size, "auto");
  assert.equal(invoice.parent?.subscription_details?.subscription, subscription.id);
});

Deno.test("events of Checkout: the subscription's have an idempotency key and no request, the others neither", async () => {
  await using rig = await startSimulator();
  const session = await openCheckout(rig.stripe, (await createPro(rig.stripe)).id);
  await pay(rig.simulator, session.id);
  const events = (await rig.stripe.events.list({ limit: 100 })).data;
  const requestOf = (type: string) => events.find((event) => event.type === type)?.request;
  const created = requestOf("customer.subscription.created");
  assert.equal(created?.id, null);
  assert.match(created?.idempotency_key ?? "", /^[0-9a-f-]{36}$/);
  for (const type of ["checkout.session.completed", "invoice.paid", "customer.created"]) {
    assert.deepEqual(requestOf(type), { id: null, idempotency_key: null }, type);
  }
});

Deno.test("a subscription has its plan, quantity and billing_mode.updated_at, from Checkout also payment options", async () => {
  await using rig = await startSimulator();
  const price = await createPro(rig.stripe);
  const session = await openCheckout(rig.stripe, price.id, {
    line_items: [{ price: price.id, quantity: 3 }],
  });
  await pay(rig.simulator, session.id);
  const [subscription]: Json[] = (await rig.stripe.subscriptions.list()).data;
  assert.deepEqual([subscription.plan.id, subscription.quantity], [price.id, 3]);
  assert.equal(subscription.billing_mode.updated_at, subscription.created);
  assert.equal(subscription.items.total_count, 1);
  assert.equal(
    subscription.payment_settings.payment_method_options.card.request_three_d_secure,
    "automatic",
  );
});

Deno.test("the line of a trial costs 0 and names the quantity with the product's unit", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const customer = await createPayer(rig);
  const product = await rig.stripe.products.create({ name: "Seats", unit_label: "seat" });
  const price = await rig.stripe.prices.create({
    currency: "usd",
    product: product.id,
    recurring: { interval: "month" },
    unit_amount: 500,
  });
  const subscription = await rig.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id, quantity: 2 }],
    trial_period_days: 5,
  });
  const { lines } = await rig.stripe.invoices.retrieve(String(subscription.latest_invoice));
  assert.equal(lines.data[0].description, "Free trial for 2 seat × Seats");
  assert.equal(String(lines.data[0].pricing?.unit_amount_decimal), "0");
  await rig.advanceTo("2026-01-16");
  const [renewal] = (await rig.stripe.invoices.list({ customer: customer.id })).data;
  assert.equal(renewal.lines.data[0].description, "2 seat × Seats (at $5.00 / month)");
});

Deno.test("an open session shows its template URLs, and the known details of its customer", async () => {
  await using rig = await startSimulator();
  const customer = await rig.stripe.customers.create({ email: "ada@example.com" });
  const price = await createPro(rig.stripe);
  const session = await openCheckout(rig.stripe, price.id, { customer: customer.id });
  assert.match(session.success_url ?? "", /session_id=\{CHECKOUT_SESSION_ID\}$/);
  assert.deepEqual([session.customer_details?.email, session.customer_details?.tax_exempt], [
    "ada@example.com",
    "none",
  ]);
  assert.deepEqual(session.collected_information, {
    business_name: null,
    individual_name: null,
    shipping_details: null,
  });
  assert.equal((await openCheckout(rig.stripe, price.id)).customer_details, null);
});

Deno.test("a declined card is refused with the network's code and Stripe's advice", async () => {
  await using rig = await startSimulator();
  const { id } = await rig.stripe.customers.create({});
  const response = await post(rig, "/v1/payment_methods/pm_card_chargeDeclined/attach", `customer=${id}`);
  const { error } = await response.json();
  assert.deepEqual([response.status, response.headers.get("stripe-should-retry")], [402, "false"]);
  assert.deepEqual({ ...error, request_log_url: "", doc_url: "" }, {
    advice_code: "try_again_later",
    code: "card_declined",
    decline_code: "generic_decline",
    doc_url: "",
    message: "Your card was declined.",
    network_decline_code: "01",
    param: "",
    request_log_url: "",
    type: "card_error",
  });
  assert.ok(error.request_log_url.endsWith(response.headers.get("request-id")));
});

Deno.test("a request without a valid key gets www-authenticate", async () => {
  await using rig = await startSimulator();
  const response = await fetch(`${rig.simulator.url}/v1/customers`);
  assert.deepEqual([response.status, response.headers.get("www-authenticate")], [
    401,
    'Basic realm="Stripe"',
  ]);
  await response.body?.cancel();
});

Deno.test("True and False are booleans, and items[][plan] is items[0][price]", async () => {
  await using rig = await startSimulator();
  const price = await createPro(rig.stripe);
  const other = await createPro(rig.stripe);
  const customer = await rig.stripe.customers.create({
    payment_method: "pm_card_visa",
    invoice_settings: { default_payment_method: "pm_card_visa" },
  });
  const subscription = await postJson(
    rig,
    "/v1/subscriptions",
    `customer=${customer.id}&items[][plan]=${price.id}&items[][quantity]=2&items[][plan]=${other.id}&off_session=True`,
  );
  assert.deepEqual(
    subscription.items.data.map((item: Json) => [item.price.id, item.quantity]),
    [[price.id, 2], [other.id, 1]],
  );
  const updated = await postJson(rig, `/v1/subscriptions/${subscription.id}`, "cancel_at_period_end=True");
  assert.equal(updated.cancel_at_period_end, true);
});

Deno.test("an invoice item without a currency has the customer's, and payment methods are listed without a customer", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { customer } = await subscribe(rig);
  const item = await postJson(rig, "/v1/invoiceitems", `customer=${customer.id}&amount=1900`);
  assert.equal(item.currency, "usd");
  assert.equal((await rig.stripe.paymentMethods.list({ type: "card" })).data.length, 1);
});

Deno.test("customers, subscriptions, invoices, prices and products can be searched", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { stripe } = rig;
  const { customer, price, subscription } = await subscribe(rig, { metadata: { community: "7" } });
  await stripe.customers.update(customer.id, { email: "ada@example.com" });
  await stripe.prices.update(price.id, { lookup_key: "pro" });
  const found = [
    await stripe.customers.search({ query: 'email:"ada@example.com"' }),
    await stripe.subscriptions.search({ query: "metadata['community']:'7' AND status:'active'" }),
    await stripe.invoices.search({ query: `subscription:"${subscription.id}"` }),
    await stripe.prices.search({ query: 'lookup_key:"pro"' }),
    await stripe.products.search({ query: 'name~"Pr"' }),
  ];
  assert.deepEqual(found.map(({ data }: { data: Json[] }) => data[0]?.id), [
    customer.id,
    subscription.id,
    subscription.latest_invoice,
    price.id,
    price.product,
  ]);
  await assert.rejects(stripe.customers.search({ query: "colour:'red'" }).then(() => {}), {
    statusCode: 400,
    param: "query",
  });
  for (const name of ["a", "b", "c"]) await stripe.products.create({ name });
  const first = await stripe.products.search({ query: "active:'true'", limit: 3 });
  const rest = await stripe.products.search({
    query: "active:'true'",
    limit: 3,
    page: first.next_page ?? "",
  });
  assert.deepEqual([first.data.length, first.has_more, rest.data.length, rest.has_more], [3, true, 1, false]);
});

Deno.test("tax and invoice_credit_balance of a customer and refunds of a charge can be expanded", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  const { customer } = await subscribe(rig);
  const shown = await rig.stripe.customers.retrieve(customer.id, {
    expand: ["tax", "invoice_credit_balance"],
  }) as Stripe.Customer;
  assert.equal(typeof shown.tax, "object");
  assert.deepEqual(shown.invoice_credit_balance, {});
  const [charge] = (await rig.stripe.charges.list({ customer: customer.id, expand: ["data.refunds"] })).data;
  assert.deepEqual(charge.refunds?.data, []);
  assert.match(charge.receipt_url ?? "", /^https:/);
  assert.match(String(charge.balance_transaction), /^txn_/);
});
