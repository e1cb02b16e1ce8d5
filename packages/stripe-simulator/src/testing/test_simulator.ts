import Stripe from "stripe";
import { type RunningSimulator, serveSimulator, type SimulatorOptions } from "../server/start_server.ts";

/** A running simulator with the official SDK connected to it. Disposing it stops it. */
export interface TestSimulator extends AsyncDisposable {
  stripe: Stripe;
  simulator: RunningSimulator;
  /** The lines of the simulator's log. */
  log: string[];
}

/**
 * Starts a simulator on a free port, with an empty account. Failed webhooks are retried immediately, so that no test
 * waits for them.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<TestSimulator> {
  const log: string[] = [];
  const simulator = await serveSimulator({
    retryDelays: [1, 1, 1],
    log: (line) => log.push(line),
    ...options,
  });
  return {
    stripe: connect(simulator),
    simulator,
    log,
    async [Symbol.asyncDispose]() {
      await simulator.stop();
    },
  };
}

/** The official SDK, connected to a simulator. */
export function connect(
  { host, port }: { host: string; port: number },
  config: { key?: string; maxNetworkRetries?: number } = {},
): Stripe {
  const { key = "sk_test_suite", maxNetworkRetries = 0 } = config;
  return new Stripe(key, { host, port, protocol: "http", telemetry: false, maxNetworkRetries });
}

/** Creates a product and its monthly price of 15 dollars. */
export function createPro(
  stripe: Stripe,
  fields: Partial<Stripe.PriceCreateParams> = {},
): Promise<Stripe.Price> {
  return stripe.products.create({ name: "Pro" }).then((product) =>
    stripe.prices.create({
      currency: "usd",
      product: product.id,
      recurring: { interval: "month" },
      unit_amount: 1500,
      ...fields,
    })
  );
}

/** Creates a hosted checkout session for one unit of a price. */
export function openCheckout(
  stripe: Stripe,
  price: string,
  fields: Partial<Stripe.Checkout.SessionCreateParams> = {},
): Promise<Stripe.Checkout.Session> {
  return stripe.checkout.sessions.create({
    mode: "subscription",
    line_items: [{ price, quantity: 1 }],
    success_url: "https://parent.example/c/1/?stripe_status=success&session_id={CHECKOUT_SESSION_ID}",
    cancel_url: "https://parent.example/c/1/?stripe_status=cancel",
    ...fields,
  });
}

/**
 * Pays a checkout session as a person does on its page. `fields` are those of the control API: `card`, `address`,
 * `tax_id`, `promotion_code` and others. Throws when the card is declined.
 */
export async function pay(simulator: { url: string }, session: string, fields: Record<string, unknown> = {}) {
  const response = await fetch(`${simulator.url}/_sim/checkout/${session}/pay`, {
    method: "POST",
    body: JSON.stringify(fields),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error.message);
}

/** A webhook endpoint that records every event. */
export interface Receiver extends AsyncDisposable {
  url: string;
  requests: { body: string; signature: string }[];
  /** The types of the received events, in order. */
  types(): string[];
  /** The received events, in order. */
  events(): Stripe.Event[];
}

/** Starts a webhook endpoint. It responds with `answer`, or with 200. */
export function startReceiver(answer: (event: Stripe.Event) => Response | Promise<Response> = ok): Receiver {
  const requests: Receiver["requests"] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const body = await request.text();
    requests.push({ body, signature: request.headers.get("stripe-signature") ?? "" });
    return answer(JSON.parse(body));
  });
  const events = (): Stripe.Event[] => requests.map(({ body }) => JSON.parse(body));
  return {
    url: `http://127.0.0.1:${server.addr.port}/hook`,
    requests,
    events,
    types: () => events().map((event) => event.type),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

function ok(): Response {
  return new Response("ok");
}
