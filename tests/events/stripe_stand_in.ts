import Stripe from "stripe";
import { connectStripe } from "../../billing/stripe.ts";

/** Answers only what the webhook asks Stripe: the current state of objects, and the data of thin events. */
export function startStripeStandIn() {
  const subscriptions = new Map<string, unknown>();
  const thinEvents = new Map<string, unknown>();
  let asked = 0;
  let isDown = false;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked++;
    if (isDown) {
      const headers = { "stripe-should-retry": "false" };
      return Response.json({ error: { type: "api_error" } }, { status: 500, headers });
    }
    const id = new URL(request.url).pathname.split("/").at(-1)!;
    const found = subscriptions.get(id) ?? thinEvents.get(id);
    return found
      ? Response.json(found, { headers: { date: new Date().toUTCString() } })
      : Response.json({ error: { type: "invalid_request_error", code: "resource_missing" } }, {
        status: 404,
      });
  });
  return {
    subscriptions,
    thinEvents,
    stripe: connectStripe({ secretKey: "sk_test_tests", apiBase: `http://127.0.0.1:${server.addr.port}` }),
    setDown: (down: boolean) => void (isDown = down),
    /** How many requests it had. */
    asked: () => asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const SECRET = "whsec_current";
export const secrets = ["whsec_coming", SECRET];

const signer = new Stripe("sk_test_signer").webhooks;

export interface DeliveryOptions {
  secret?: string;
  /** Unix seconds of the signature. */
  timestamp?: number;
  headers?: HeadersInit;
}

/** A delivery as Stripe sends it: signed over the exact bytes. */
export async function delivery(body: unknown, { secret = SECRET, timestamp, headers }: DeliveryOptions = {}) {
  const payload = typeof body === "string" ? body : JSON.stringify(body);
  const signature = await signer.generateTestHeaderStringAsync({
    payload,
    secret,
    ...(timestamp === undefined ? {} : { timestamp }),
  });
  return new Request("http://127.0.0.1/functions/v1/stripe-webhook", {
    method: "POST",
    headers: { "stripe-signature": signature, ...headers },
    body: payload,
  });
}

/** An item of a subscription, as Stripe describes it. */
export const subscriptionItem = (price: string, more: Record<string, unknown> = {}) => ({
  id: `si_${price}`,
  object: "subscription_item",
  current_period_start: 1_700_000_000,
  current_period_end: 1_702_592_000,
  quantity: 1,
  price: {
    id: price,
    object: "price",
    product: `prod_${price}`,
    currency: "usd",
    unit_amount: 2900,
    unit_amount_decimal: "2900",
    recurring: { interval: "month", interval_count: 1, usage_type: "licensed" },
  },
  ...more,
});

/** The items of a subscription: all of them, or the first of more. */
export const itemList = (items: object[], { has_more = false } = {}) => ({
  object: "list",
  data: items,
  has_more,
});

/** A subscription of customer `cus_garden`, as Stripe describes it. */
export const subscription = (status: string, more: Record<string, unknown> = {}) => ({
  id: "sub_1",
  object: "subscription",
  customer: "cus_garden",
  status,
  currency: "usd",
  start_date: 1_700_000_000,
  trial_start: null,
  trial_end: null,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  ended_at: null,
  cancellation_details: { reason: null, feedback: null, comment: null },
  collection_method: "charge_automatically",
  pause_collection: null,
  pending_update: null,
  latest_invoice: null,
  discounts: [],
  schedule: null,
  items: itemList([subscriptionItem("price_pro")]),
  ...more,
});

/** An invoice of customer `cus_garden` for the subscription `sub_1`, as Stripe describes it. */
export const invoice = (status: string, more: Record<string, unknown> = {}) => ({
  id: "in_1",
  object: "invoice",
  customer: "cus_garden",
  number: "A-0001",
  status,
  billing_reason: "subscription_cycle",
  currency: "usd",
  subtotal: 2900,
  total: 2900,
  total_discount_amounts: [],
  total_taxes: [],
  amount_due: 2900,
  amount_paid: status === "paid" ? 2900 : 0,
  hosted_invoice_url: null,
  invoice_pdf: null,
  created: 1_700_000_000,
  status_transitions: { paid_at: null },
  parent: { type: "subscription_details", subscription_details: { subscription: "sub_1" } },
  lines: itemList([invoiceLine("price_pro")]),
  ...more,
});

/** A line of an invoice, as Stripe describes it. */
export const invoiceLine = (price: string, amount = 2900) => ({
  id: `il_${price}`,
  object: "line_item",
  amount,
  pricing: { type: "price_details", price_details: { price, product: `prod_${price}` } },
});

let events = 0;

/** An event as Stripe describes it, with an id of its own. */
export const stripeEvent = (type: string, created: number, object: unknown) => ({
  id: `evt_${++events}`,
  object: "event",
  type,
  created,
  livemode: false,
  api_version: Stripe.API_VERSION,
  data: { object },
});
