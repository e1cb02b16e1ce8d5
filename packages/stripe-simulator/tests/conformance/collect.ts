import type Stripe from "stripe";
import { createPro, openCheckout, pay, type TestSimulator } from "../../testing.ts";

/** Objects as JSON, by the name of their official sample. */
export type Found = Map<string, unknown>;

/** Creates one object of each type, as a small business would. */
export async function collectObjects(rig: TestSimulator): Promise<Found> {
  const found: Found = new Map();
  const note = (kind: string, object: unknown) => found.set(kind, JSON.parse(JSON.stringify(object)));
  await sell(rig, note);
  await saveCard(rig, note);
  await openPortal(rig, note);
  await configureWebhooks(rig, note);
  await meterUsage(rig, note);
  await remove(rig, note);
  return found;
}

type Note = (kind: string, object: unknown) => void;

async function sell({ stripe, simulator }: TestSimulator, note: Note) {
  const price = await createPro(stripe, { lookup_key: "pro_monthly", nickname: "Pro" });
  const customer = await stripe.customers.create({ email: "ada@example.com", name: "Ada" });
  const { id } = await openCheckout(stripe, price.id, { customer: customer.id });
  await pay(simulator, id);
  const session = await stripe.checkout.sessions.retrieve(id);
  const subscription = await stripe.subscriptions.retrieve(String(session.subscription));
  const invoice = await stripe.invoices.retrieve(String(session.invoice));
  const [payment] = (await stripe.invoicePayments.list({ invoice: invoice.id })).data;
  const intent = await stripe.paymentIntents.retrieve(String(payment.payment.payment_intent));
  note("price", await stripe.prices.retrieve(price.id));
  note("product", await stripe.products.retrieve(String(price.product)));
  note("customer", await stripe.customers.retrieve(customer.id));
  note("checkout.session", session);
  note("item", (await stripe.checkout.sessions.listLineItems(id)).data[0]);
  note("subscription", subscription);
  note("subscription_item", await stripe.subscriptionItems.retrieve(subscription.items.data[0].id));
  note("plan", subscription.items.data[0].plan);
  note("invoice", invoice);
  note("line_item", invoice.lines.data[0]);
  note("invoice_payment", payment);
  note("payment_intent", intent);
  note("charge", await stripe.charges.retrieve(String(intent.latest_charge)));
  note("payment_method", await stripe.paymentMethods.retrieve(String(intent.payment_method)));
  note(
    "invoiceitem",
    await stripe.invoiceItems.create({ customer: customer.id, amount: 500, currency: "usd" }),
  );
}

async function saveCard({ stripe, simulator }: TestSimulator, note: Note) {
  const customer = await stripe.customers.create({});
  const { id } = await stripe.checkout.sessions.create({
    mode: "setup",
    customer: customer.id,
    success_url: "https://parent.example/",
  });
  await pay(simulator, id);
  const session = await stripe.checkout.sessions.retrieve(id);
  note("setup_intent", await stripe.setupIntents.retrieve(String(session.setup_intent)));
}

async function openPortal({ stripe }: TestSimulator, note: Note) {
  const [subscription] = (await stripe.subscriptions.list()).data;
  const configuration = await stripe.billingPortal.configurations.create({
    business_profile: { headline: "Billing" },
    features: { subscription_cancel: { enabled: true } },
  });
  note("billing_portal.configuration", configuration);
  const session = await stripe.billingPortal.sessions.create({
    customer: String(subscription.customer),
    configuration: configuration.id,
    return_url: "https://parent.example/",
    flow_data: { type: "subscription_cancel", subscription_cancel: { subscription: subscription.id } },
  });
  note("billing_portal.session", session);
}

async function configureWebhooks({ stripe }: TestSimulator, note: Note) {
  const endpoint = await stripe.webhookEndpoints.create({
    url: "http://127.0.0.1:9/hook",
    enabled_events: ["invoice.paid"],
  });
  note("webhook_endpoint", endpoint);
  note("deleted_webhook_endpoint", await stripe.webhookEndpoints.del(endpoint.id));
  note("event", (await stripe.events.list({ limit: 1 })).data[0]);
}

async function meterUsage({ stripe }: TestSimulator, note: Note) {
  const customer = await stripe.customers.create({});
  const meter = await stripe.billing.meters.create({
    display_name: "Chat messages",
    event_name: "chat",
    default_aggregation: { formula: "sum" },
  });
  note("billing.meter", meter);
  const now = Math.floor(Date.now() / 1000);
  const event: Stripe.Billing.MeterEventCreateParams = {
    event_name: "chat",
    identifier: "first",
    payload: { stripe_customer_id: customer.id, value: "3" },
  };
  note("billing.meter_event", await stripe.billing.meterEvents.create(event));
  const summaries = await stripe.billing.meters.listEventSummaries(meter.id, {
    customer: customer.id,
    start_time: now - (now % 3600) - 3600,
    end_time: now - (now % 3600) + 7200,
    value_grouping_window: "hour",
  });
  note("billing.meter_event_summary", summaries.data[0]);
  const adjustment = await stripe.billing.meterEventAdjustments.create({
    event_name: "chat",
    type: "cancel",
    cancel: { identifier: "first" },
  });
  note("billing.meter_event_adjustment", adjustment);
}

async function remove({ stripe }: TestSimulator, note: Note) {
  const customer = await stripe.customers.create({});
  const item = await stripe.invoiceItems.create({ customer: customer.id, amount: 500, currency: "usd" });
  note("deleted_invoiceitem", await stripe.invoiceItems.del(item.id));
  const draft = await stripe.invoices.create({ customer: customer.id });
  note("deleted_invoice", await stripe.invoices.del(draft.id));
  note("deleted_customer", await stripe.customers.del(customer.id));
  const product = await stripe.products.create({ name: "Unsold" });
  note("deleted_product", await stripe.products.del(product.id));
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: 1_790_000_000 });
  note("test_helpers.test_clock", clock);
  note("deleted_test_helpers.test_clock", await stripe.testHelpers.testClocks.del(clock.id));
}
