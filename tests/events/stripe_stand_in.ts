import Stripe from "stripe";
import { connectStripe } from "../../billing/stripe.ts";

/** Answers only what the webhook asks Stripe: the current state of objects, and the data of thin events. */
export function startStripeStandIn() {
  const objects = new Map<string, unknown>();
  const lists = new Map<string, unknown[]>();
  let asked = 0;
  let isDown = false;
  let isSilent = false;
  let beforeAnswer: ((id: string) => Promise<void>) | undefined;
  const stopped = new AbortController();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    asked++;
    if (isSilent) await new Promise((resolve) => stopped.signal.addEventListener("abort", resolve));
    if (isDown) {
      const headers = { "stripe-should-retry": "false" };
      return Response.json({ error: { type: "api_error" } }, { status: 500, headers });
    }
    const { pathname, searchParams } = new URL(request.url);
    const list = lists.get(searchParams.get("subscription") ?? pathname.split("/").at(-2)!);
    if (list && /subscription_items|lines$/.test(pathname)) {
      return Response.json(pageOf(list as { id: string }[], searchParams.get("starting_after")));
    }
    const id = pathname.split("/").at(-1)!;
    const found = objects.get(id);
    const answer = found
      ? Response.json(found, { headers: { date: new Date().toUTCString() } })
      : Response.json({ error: { type: "invalid_request_error", code: "resource_missing" } }, {
        status: 404,
      });
    await beforeAnswer?.(id);
    return answer;
  });
  return {
    /** What Stripe has, by id. */
    objects,
    /** The items or lines of an object, all of them, by its id. */
    lists,
    stripe: connectStripe({ secretKey: "sk_test_tests", apiBase: `http://127.0.0.1:${server.addr.port}` }),
    setDown: (down: boolean) => void (isDown = down),
    /** It takes requests and does not answer them. */
    setSilent: (silent: boolean) => void (isSilent = silent),
    /** What happens between a question and the arrival of its answer. */
    setBeforeAnswer: (work: typeof beforeAnswer) => void (beforeAnswer = work),
    /** How many requests it had. */
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await server.shutdown();
    },
  };
}

/** Two objects a page, so that lists are long early. */
function pageOf(list: { id: string }[], after: string | null) {
  const from = list.findIndex(({ id }) => id === after) + 1;
  return { object: "list", data: list.slice(from, from + 2), has_more: from + 2 < list.length };
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
