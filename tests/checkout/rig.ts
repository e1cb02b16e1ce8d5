/** The stack with a Stripe whose answers a test can replace, and plugin servers with other environments. */
import assert from "node:assert/strict";
import type Stripe from "stripe";
import type { Pool } from "../../billing/db/sql.ts";
import { connectStripe } from "../../billing/stripe.ts";
import { Children } from "../../local/processes/children.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { type ApiClient, apiClient, type Person } from "../http/client.ts";
import { buildApp } from "../support/build.ts";
import { callSimulator } from "../support/simulator.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** A request that the plugin sent to Stripe. */
export interface StripeRequest {
  /** "POST /v1/customers" */
  what: string;
  body: string;
  idempotencyKey: string | null;
}

/** Answers a request instead of the simulator; undefined leaves it to the simulator. */
export type Answer = (
  request: StripeRequest,
  original: Request,
) => Response | Promise<Response> | undefined;

/** Stands between the plugin and the simulator. */
export interface StripeBetween {
  url: string;
  /** Every request since the last call of clear(). */
  requests: StripeRequest[];
  /** Asks `answer` first. `using` ends it. */
  replace(answer: Answer): Disposable;
  clear(): void;
  stop(): Promise<void>;
}

/** Stands in front of the simulator. */
export function startStripeBetween(simulatorUrl: string): StripeBetween {
  const requests: StripeRequest[] = [];
  const answers = new Set<Answer>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (original) => {
    const { pathname, search } = new URL(original.url);
    const body = await original.text();
    const idempotencyKey = original.headers.get("idempotency-key");
    const request = { what: `${original.method} ${pathname}`, body, idempotencyKey };
    requests.push(request);
    for (const answer of answers) {
      const response = await answer(request, original);
      if (response) return response;
    }
    const headers = new Headers(original.headers);
    headers.delete("host");
    headers.delete("content-length");
    return await fetch(`${simulatorUrl}${pathname}${search}`, {
      method: original.method,
      headers,
      body: original.method === "POST" ? body : undefined,
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    replace(answer) {
      answers.add(answer);
      return { [Symbol.dispose]: () => void answers.delete(answer) };
    },
    clear: () => void requests.splice(0),
    // Requests that are never answered must not hold it open.
    async stop() {
      answers.clear();
      const closed = server.shutdown();
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 500))]);
    },
  };
}

/** An error as Stripe answers it. */
export function stripeError(
  status: number,
  error: Record<string, unknown>,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ error: { type: "invalid_request_error", ...error } }, {
    status,
    headers: { "request-id": "req_refused", ...headers },
  });
}

/** Never answers. The connection stays open until the client closes it. */
export const silence = (original: Request): Promise<Response> =>
  new Promise((resolve) =>
    original.signal.addEventListener("abort", () => resolve(new Response(null, { status: 499 })))
  );

export interface Shop {
  stack: TestStack;
  between: StripeBetween;
  /** The test's own client of the simulator. */
  stripe: Stripe;
  /** As the operator. */
  sql: Pool;
  /** Of the plugin that asks Stripe through `between`. */
  api: ApiClient;
  /** Another plugin server, with these variables instead. */
  startPlugin(env: Record<string, string>): Promise<ApiClient>;
  stop(): Promise<void>;
}

/** Starts it all. */
export async function startShop(): Promise<Shop> {
  await buildApp();
  const stack = await startTestStack({ app: "none" });
  const between = startStripeBetween(stack.urls.stripe);
  const children = new Children();
  const startPlugin = async (env: Record<string, string>) => {
    const [port] = freePorts(1);
    const plugin = `http://127.0.0.1:${port}`;
    await children.start({
      name: "plugin",
      module: "local/processes/serve_module.ts",
      args: ["_fresh/server.js", String(port)],
      env: { ...stack.env, PLUGIN_URL: plugin, STRIPE_API_BASE: between.url, ...env },
      readyWhen: { url: `${plugin}/api/health` },
    });
    return apiClient({ keys: stack.keys, urls: { ...stack.urls, plugin } });
  };
  return {
    stack,
    between,
    stripe: connectStripe({ secretKey: stack.keys.stripeSecretKey, apiBase: stack.urls.stripe }),
    sql: stack.database.connect("postgres"),
    api: await startPlugin({}),
    startPlugin,
    async stop() {
      await children.stop();
      await between.stop();
      await stack.stop();
    },
  };
}

export const CHECKOUT = "/api/stripe/create-checkout-session";
export const PORTAL = "/api/stripe/create-portal-session";
export const BILLING_INFO = "/api/community/billing-info";

/** The Stripe customer that a community has in the database. */
export async function customerOf({ sql }: Shop, { cid }: Person): Promise<string | null> {
  const [row] = await sql`select stripe_customer_id from public.communities where id = ${cid}`;
  return row.stripe_customer_id;
}

/** A community's customers at Stripe, by the metadata that only Dues writes. */
export async function customersAtStripe({ stripe }: Shop, { cid }: Person): Promise<Stripe.Customer[]> {
  const all = await Array.fromAsync(stripe.customers.list({ limit: 100 }));
  return all.filter(({ metadata }) => metadata.dues_community_id === cid);
}

/** Deletes a customer in Stripe. With `isLost` the webhook is not delivered. */
export async function deleteCustomer(shop: Shop, id: string, { isLost = true } = {}): Promise<void> {
  if (isLost) {
    const fault = { kind: "drop_delivery", target: "customer.deleted", next: 1 };
    await callSimulator(shop.stack, "POST", "/_sim/faults", fault);
  }
  await shop.stripe.customers.del(id);
  await callSimulator(shop.stack, "GET", "/_sim/idle");
}

/** The open anomalies of a kind. */
export async function openAnomalies({ sql }: Shop, kind: string) {
  const rows = await sql`
    select object_id, community_id, detail from billing.anomalies
    where kind = ${kind} and resolved_at is null order by object_id`;
  return [...rows];
}

/** Asserts the id of a checkout session that is open and the community's. */
export async function assertOpenCheckout({ stripe }: Shop, { cid }: Person, sessionId: string) {
  const session = await stripe.checkout.sessions.retrieve(sessionId);
  assert.deepEqual([session.status, session.metadata?.dues_community_id], ["open", cid]);
}
