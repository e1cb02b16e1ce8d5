import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type Stripe from "stripe";
import { createPro, openCheckout, pay, startSimulator, type TestSimulator } from "../testing.ts";
import { launchBrowser } from "./helpers/browser.ts";

type Features = Stripe.BillingPortal.ConfigurationCreateParams.Features;
type FlowData = Stripe.BillingPortal.SessionCreateParams.FlowData;

/** A customer on the monthly plan of 15 dollars. */
async function subscribe({ stripe, simulator }: TestSimulator) {
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({ name: "Gardeners" });
  const { id } = await openCheckout(stripe, pro.id, { customer: customer.id });
  await pay(simulator, id);
  const [subscription] = (await stripe.subscriptions.list({ customer: customer.id })).data;
  return { customer, pro, subscription };
}

/** Creates a portal session with these features. Returns its URL. */
async function openPortal(
  { stripe, simulator }: TestSimulator,
  customer: string,
  features: Features,
  flow?: FlowData,
) {
  const configuration = await stripe.billingPortal.configurations.create({ features });
  const session = await stripe.billingPortal.sessions.create({
    configuration: configuration.id,
    customer,
    flow_data: flow,
    return_url: `${simulator.url}/?back`,
  });
  return session.url;
}

async function withPage(work: (page: Page) => Promise<void>) {
  const browser = await launchBrowser();
  try {
    await work(await browser.newPage());
  } finally {
    await browser.close();
  }
}

/** Submits a form of the portal without a browser. */
async function send(address: string, fields: Record<string, string> = {}): Promise<Response> {
  return await fetch(address, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
}

Deno.test("a person can change the plan in the portal and sees the amount due", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { customer, pro, subscription } = await subscribe(rig);
  const team = await stripe.prices.create({
    currency: "usd",
    product_data: { name: "Team" },
    recurring: { interval: "month" },
    unit_amount: 4000,
  });
  const products = [pro, team].map((price) => ({ product: String(price.product), prices: [price.id] }));
  const url = await openPortal(rig, customer.id, {
    subscription_update: {
      enabled: true,
      default_allowed_updates: ["price"],
      products,
      proration_behavior: "always_invoice",
    },
  });
  await withPage(async (page) => {
    await page.goto(url);
    await page.getByRole("link", { name: "Update subscription" }).click();
    await page.getByRole("radio", { name: /Team/ }).check();
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("rowheader", { name: "Amount due today" }).waitFor();
    await page.getByRole("button", { name: "Confirm" }).click();
    await page.getByRole("heading", { name: /^Team, / }).waitFor();
  });
  const updated = await stripe.subscriptions.retrieve(subscription.id, { expand: ["latest_invoice"] });
  assert.equal(updated.items.data[0].price.id, team.id);
  assert.ok(typeof updated.latest_invoice === "object");
  assert.deepEqual([updated.latest_invoice?.billing_reason, updated.latest_invoice?.status], [
    "subscription_update",
    "paid",
  ]);
});

Deno.test("a new card in the portal becomes the default, and a declined one shows an error", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { customer, subscription } = await subscribe(rig);
  const url = await openPortal(rig, customer.id, { payment_method_update: { enabled: true } });
  await withPage(async (page) => {
    await page.goto(url);
    await page.getByRole("link", { name: "Update payment method" }).click();
    await page.getByRole("radio", { name: /0002/ }).check();
    await page.getByRole("button", { name: "Save card" }).click();
    await page.getByRole("alert").getByText("Your card was declined.").waitFor();
    await page.getByRole("radio", { name: /3184/ }).check();
    await page.getByRole("button", { name: "Save card" }).click();
    await page.getByRole("button", { name: "Complete authentication" }).click();
    await page.getByText("•••• 3184").waitFor();
  });
  const { default_payment_method: method } = await stripe.subscriptions.retrieve(subscription.id, {
    expand: ["default_payment_method"],
  });
  assert.ok(typeof method === "object" && method?.card?.last4 === "3184");
  const updated = await stripe.customers.retrieve(customer.id);
  assert.equal(!updated.deleted && updated.invoice_settings.default_payment_method, method.id);
});

Deno.test("the portal offers only the enabled features and refuses forms of others with 410", async () => {
  await using rig = await startSimulator();
  const { customer, subscription } = await subscribe(rig);
  const url = await openPortal(rig, customer.id, { invoice_history: { enabled: true } });
  const page = await (await fetch(url)).text();
  for (
    const label of [
      "Cancel subscription",
      "Update subscription",
      "Update payment method",
      "Update information",
    ]
  ) {
    assert.ok(!page.includes(label), label);
  }
  assert.match(page, /Invoice history/);
  const forbidden = [
    `${url}/subscriptions/${subscription.id}/cancel`,
    `${url}/subscriptions/${subscription.id}/update/confirm?price=price_1`,
    `${url}/payment-method`,
    `${url}/customer`,
  ];
  for (const address of forbidden) {
    const response = await send(address, { card: "4242424242424242" });
    assert.equal(response.status, 410, address);
    await response.body?.cancel();
  }
});

Deno.test("the portal changes only the customer details in allowed_updates", async () => {
  await using rig = await startSimulator();
  const { customer } = await subscribe(rig);
  const url = await openPortal(rig, customer.id, {
    customer_update: { enabled: true, allowed_updates: ["email"] },
  });
  const response = await send(`${url}/customer`, { email: "new@example.com", name: "Somebody else" });
  assert.equal(response.status, 303);
  const updated = await rig.stripe.customers.retrieve(customer.id);
  assert.ok(!updated.deleted);
  assert.deepEqual([updated.email, updated.name], ["new@example.com", "Gardeners"]);
});

Deno.test("a cancellation in the portal stores reason and comment", async () => {
  await using rig = await startSimulator();
  const { customer, subscription } = await subscribe(rig);
  const url = await openPortal(rig, customer.id, {
    subscription_cancel: {
      enabled: true,
      cancellation_reason: { enabled: true, options: ["too_expensive", "other"] },
    },
  });
  const address = `${url}/subscriptions/${subscription.id}/cancel`;
  const page = await (await fetch(address)).text();
  assert.ok(page.includes("It is too expensive") && !page.includes("It is too complicated"));
  await send(address, { feedback: "too_expensive", comment: "a pity" });
  const { cancellation_details: details, cancel_at } = await rig.stripe.subscriptions.retrieve(
    subscription.id,
  );
  assert.deepEqual([details?.feedback, details?.comment, details?.reason], [
    "too_expensive",
    "a pity",
    "cancellation_requested",
  ]);
  assert.equal(cancel_at, subscription.items.data[0].current_period_end);
});

Deno.test("a portal session with a flow starts on its page and ends as after_completion says", async () => {
  await using rig = await startSimulator();
  const { customer, subscription } = await subscribe(rig);
  const features: Features = {
    payment_method_update: { enabled: true },
    subscription_cancel: { enabled: true, mode: "immediately" },
  };
  const cancel = await openPortal(rig, customer.id, features, {
    type: "subscription_cancel",
    subscription_cancel: { subscription: subscription.id },
    after_completion: { type: "redirect", redirect: { return_url: "https://parent.example/done" } },
  });
  const card = await openPortal(rig, customer.id, features, {
    type: "payment_method_update",
    after_completion: { type: "hosted_confirmation", hosted_confirmation: { custom_message: "See you!" } },
  });
  assert.equal((await fetch(card)).url, `${card}/payment-method`);
  const confirmation = await send(`${card}/payment-method`, { card: "5555555555554444" });
  assert.match(await confirmation.text(), /See you!/);

  const first = await fetch(cancel);
  assert.equal(first.url, `${cancel}/subscriptions/${subscription.id}/cancel`);
  assert.match(await first.text(), /Cancel your subscription\?/);
  const ended = await send(first.url);
  assert.deepEqual([ended.status, ended.headers.get("location")], [303, "https://parent.example/done"]);
  assert.equal((await rig.stripe.subscriptions.retrieve(subscription.id)).status, "canceled");
});

Deno.test("a subscription_update_confirm session shows the update", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { customer, pro, subscription } = await subscribe(rig);
  const yearly = await stripe.prices.create({
    currency: "usd",
    product: String(pro.product),
    recurring: { interval: "year" },
    unit_amount: 15_000,
  });
  const features: Features = {
    subscription_update: {
      enabled: true,
      default_allowed_updates: ["price"],
      products: [{ product: String(pro.product), prices: [pro.id, yearly.id] }],
    },
  };
  const url = await openPortal(rig, customer.id, features, {
    type: "subscription_update_confirm",
    subscription_update_confirm: {
      subscription: subscription.id,
      items: [{ id: subscription.items.data[0].id, price: yearly.id }],
    },
  });
  const page = await fetch(url);
  assert.match(await page.text(), /Pro, \$150\.00 \/ year/);
  const confirmed = await send(page.url);
  assert.equal(confirmed.status, 303);
  const updated = await stripe.subscriptions.retrieve(subscription.id);
  assert.equal(updated.items.data[0].price.id, yearly.id);
});

Deno.test("a flow with a disabled feature or another customer's subscription is refused with 400", async () => {
  await using rig = await startSimulator();
  const { customer, subscription } = await subscribe(rig);
  const { customer: other } = await subscribe(rig);
  const flow: FlowData = {
    type: "subscription_cancel",
    subscription_cancel: { subscription: subscription.id },
  };
  const on: Features = { subscription_cancel: { enabled: true } };
  await assert.rejects(openPortal(rig, customer.id, { invoice_history: { enabled: true } }, flow), {
    statusCode: 400,
    param: "flow_data[type]",
  });
  await assert.rejects(openPortal(rig, other.id, on, flow), {
    statusCode: 400,
    param: "flow_data[subscription_cancel][subscription]",
  });
});
