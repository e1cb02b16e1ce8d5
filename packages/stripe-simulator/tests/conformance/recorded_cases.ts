/** The requests that were recorded, made anew against the simulator. */
import {
  createPro,
  openCheckout,
  pay,
  startSimulator,
  startSimulatorWithClock,
  type TestSimulator,
} from "../../testing.ts";

// deno-lint-ignore no-explicit-any -- shapes of several versions
type Json = any;
type Case = (version: string) => Promise<Json>;

const expansions = [
  "default_payment_method",
  "discounts",
  "latest_invoice.confirmation_secret",
  "latest_invoice.payments",
].map((path) => `expand[]=${path}`).join("&");

async function send(
  { simulator }: TestSimulator,
  [method, path, body]: [method: "DELETE" | "POST", path: string, body: string],
  version: string,
): Promise<Json> {
  const query = method === "DELETE" ? `?${body}` : "";
  const response = await fetch(`${simulator.url}${path}${query}`, {
    method,
    headers: { "authorization": "Bearer sk_test_suite", "stripe-version": version },
    ...(method === "POST" ? { body: new URLSearchParams(body) } : {}),
  });
  return await response.json();
}

/** A customer with a card, as in the recordings. */
async function jenny({ stripe }: TestSimulator, card: string | null = "pm_card_visa"): Promise<string> {
  const { id } = await stripe.customers.create({ email: "jenny@example.com", name: "Jenny Rosen" });
  if (card === null) return id;
  const method = await stripe.paymentMethods.attach(card, { customer: id });
  await stripe.customers.update(id, { invoice_settings: { default_payment_method: method.id } });
  return id;
}

async function subscribed(rig: TestSimulator, amount: number) {
  const [customer, price] = [
    await jenny(rig),
    await createPro(rig.stripe, { nickname: "Monthly", unit_amount: amount }),
  ];
  const subscription = await rig.stripe.subscriptions.create({ customer, items: [{ price: price.id }] });
  return { customer, price, subscription, item: subscription.items.data[0].id };
}

async function newestEvent(rig: TestSimulator, type: string): Promise<Json> {
  const response = await fetch(`${rig.simulator.url}/v1/events?type=${type}`, {
    headers: { authorization: "Bearer sk_test_suite" },
  });
  return (await response.json()).data[0];
}

/** By the name of the shape in `fixtures/recorded_shapes.json`. */
export const recordedCases: Record<string, Case> = {
  async "interval change in flexible mode"(version) {
    await using rig = await startSimulator();
    const { item, price, subscription } = await subscribed(rig, 2500);
    const yearly = await rig.stripe.prices.create({
      currency: "usd",
      nickname: "Yearly",
      product: String(price.product),
      recurring: { interval: "year" },
      unit_amount: 25000,
    });
    const body = `cancel_at_period_end=false&items[0][id]=${item}&items[0][price]=${yearly.id}` +
      `&items[0][quantity]=1&proration_behavior=always_invoice&trial_end=now&${expansions}`;
    return await send(rig, ["POST", `/v1/subscriptions/${subscription.id}`, body], version);
  },

  async "cancellation of a subscription that was set to cancel"(version) {
    await using rig = await startSimulator();
    const { subscription } = await subscribed(rig, 1000);
    await rig.stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
    return await send(rig, ["DELETE", `/v1/subscriptions/${subscription.id}`, expansions], version);
  },

  async "first payment that waits for authentication"(version) {
    await using rig = await startSimulator();
    const customer = await jenny(rig, "pm_card_authenticationRequired");
    const price = await createPro(rig.stripe, { nickname: "Monthly", unit_amount: 2500 });
    const body = `items[0][price]=${price.id}&customer=${customer}&${expansions}`;
    return await send(rig, ["POST", "/v1/subscriptions", body], version);
  },

  async "invoice item without currency"(version) {
    await using rig = await startSimulator();
    const customer = await jenny(rig);
    const { id } = await rig.stripe.invoices.create({ customer });
    return await send(
      rig,
      ["POST", "/v1/invoiceitems", `customer=${customer}&invoice=${id}&amount=1900`],
      version,
    );
  },

  async "attaching an unknown payment method"(version) {
    await using rig = await startSimulator();
    return await send(
      rig,
      ["POST", "/v1/payment_methods/invalid/attach", `customer=${await jenny(rig, null)}`],
      version,
    );
  },

  async "attaching a declined card"(version) {
    await using rig = await startSimulator();
    const path = "/v1/payment_methods/pm_card_chargeDeclined/attach";
    return await send(rig, ["POST", path, `customer=${await jenny(rig, null)}`], version);
  },

  async "draft of a subscription made by hand"(version) {
    await using rig = await startSimulator();
    const { customer, subscription } = await subscribed(rig, 2500);
    return await send(
      rig,
      ["POST", "/v1/invoices", `subscription=${subscription.id}&customer=${customer}`],
      version,
    );
  },

  async "invoice item with an amount"(version) {
    await using rig = await startSimulator();
    const body = `customer=${await jenny(rig)}&amount=1000&currency=usd&description=Fee`;
    return await send(rig, ["POST", "/v1/invoiceitems", body], version);
  },

  async "open checkout session"(version) {
    await using rig = await startSimulator();
    const { id: customer } = await rig.stripe.customers.create({ email: "jenny@example.com" });
    const price = await createPro(rig.stripe, { unit_amount: 1000 });
    const url = "http://localhost:3000/?stripe_checkout_session_id={CHECKOUT_SESSION_ID}";
    const body = `customer=${customer}&mode=subscription&success_url=${url}&cancel_url=${url}` +
      `&line_items[0][price]=${price.id}&line_items[0][quantity]=1`;
    return await send(rig, ["POST", "/v1/checkout/sessions", body], version);
  },

  async "subscription in a trial"(version) {
    await using rig = await startSimulator();
    const [customer, price] = [
      await jenny(rig),
      await createPro(rig.stripe, { nickname: "Monthly", unit_amount: 2500 }),
    ];
    const body = `items[0][price]=${price.id}&trial_period_days=15&customer=${customer}&${expansions}`;
    return await send(rig, ["POST", "/v1/subscriptions", body], version);
  },

  async "event of an ended subscription"(version) {
    await using rig = await startSimulator({ log: () => {} });
    await listen(rig);
    const price = await createPro(rig.stripe, { currency: "jpy", unit_amount: 2980 });
    const session = await openCheckout(rig.stripe, price.id);
    await pay(rig.simulator, session.id);
    rig.simulator.account.defaultVersion = version;
    const [{ id }] = (await rig.stripe.subscriptions.list()).data;
    await rig.stripe.subscriptions.cancel(id);
    return await newestEvent(rig, "customer.subscription.deleted");
  },

  async "event of a renewed subscription"(version) {
    await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
    await listen(rig);
    const { id: customer } = await rig.stripe.customers.create({ test_clock: rig.clock });
    const price = await createPro(rig.stripe, {
      currency: "brl",
      recurring: { interval: "day" },
      unit_amount: 200,
    });
    const session = await openCheckout(rig.stripe, price.id, {
      customer,
      subscription_data: { billing_mode: { type: "classic" } },
    });
    await pay(rig.simulator, session.id);
    rig.simulator.account.defaultVersion = version;
    await rig.advanceTo("2026-01-11T09:30:00Z");
    return await newestEvent(rig, "customer.subscription.updated");
  },

  async "event of a paid invoice before basil"(version) {
    await using rig = await startSimulator({ log: () => {} });
    await listen(rig);
    const [customer, price] = [
      await jenny(rig),
      await createPro(rig.stripe, { nickname: "Monthly", unit_amount: 2500 }),
    ];
    rig.simulator.account.defaultVersion = version;
    await rig.stripe.subscriptions.create({ customer, items: [{ price: price.id, quantity: 10 }] });
    return await newestEvent(rig, "invoice.paid");
  },
};

/** One endpoint that never answers, so that the events have a pending webhook. */
async function listen({ stripe }: TestSimulator) {
  await stripe.webhookEndpoints.create({ enabled_events: ["*"], url: "http://127.0.0.1:9/hook" });
}
