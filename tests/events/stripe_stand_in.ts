import Stripe from "stripe";
import { connectStripe } from "../../billing/stripe.ts";

/** Answers only what the webhook asks Stripe: the current state of subscriptions, and the data of thin events. */
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

/** A subscription of customer `cus_garden`, as Stripe describes it. */
export const subscription = (status: string, more: Record<string, unknown> = {}) => ({
  id: "sub_1",
  object: "subscription",
  customer: "cus_garden",
  status,
  start_date: 1_700_000_000,
  cancel_at: null,
  cancel_at_period_end: false,
  canceled_at: null,
  ended_at: null,
  trial_end: null,
  items: {
    object: "list",
    data: [{
      id: "si_1",
      current_period_start: 1_700_000_000,
      current_period_end: 1_702_592_000,
      price: { id: "price_pro", recurring: { usage_type: "licensed" } },
    }],
  },
  ...more,
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
