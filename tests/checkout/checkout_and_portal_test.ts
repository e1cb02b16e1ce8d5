import assert from "node:assert/strict";
import type { Pool } from "../../billing/db/sql.ts";
import type Stripe from "stripe";
import { connectStripe } from "../../billing/stripe.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { callSimulator, payCheckout } from "../support/simulator.ts";
import { type ApiClient, apiClient, assertProblem, newAdmin } from "../http/client.ts";

let stack: TestStack;
let api: ApiClient;
let stripe: Stripe;
let sql: Pool;

Deno.test.beforeAll(async () => {
  stack = await startTestStack();
  api = apiClient(stack);
  stripe = connectStripe({ secretKey: stack.keys.stripeSecretKey, apiBase: stack.urls.stripe });
  sql = stack.database.connect("postgres");
});
Deno.test.afterAll(() => stack?.stop());

const CHECKOUT = "/api/stripe/create-checkout-session";
const PORTAL = "/api/stripe/create-portal-session";
const BILLING_INFO = "/api/community/billing-info";

Deno.test("a checkout is for the token's community, names it to Stripe, and returns to its page", async () => {
  const admin = newAdmin({ cid: `a/b c-${crypto.randomUUID()}`, title: "Slashes" });
  const token = await api.signIn(admin);
  const { status, body } = await api.call("POST", CHECKOUT, { token, json: { pluginId: "p 1" } });
  assert.equal(status, 200);
  const session = await stripe.checkout.sessions.retrieve(body.sessionId, { expand: ["line_items"] });
  assert.equal(body.url, session.url);
  assert.deepEqual([session.mode, session.client_reference_id, session.metadata], [
    "subscription",
    admin.cid,
    { dues_community_id: admin.cid, dues_attempt: "1" },
  ]);
  const page = `${stack.urls.parent}/c/${encodeURIComponent(admin.cid)}/plugin/p%201/`;
  const successUrl = session.success_url!.replace(session.id, "{CHECKOUT_SESSION_ID}");
  assert.equal(successUrl, `${page}?stripe_status=success&session_id={CHECKOUT_SESSION_ID}`);
  assert.equal(session.cancel_url, `${page}?stripe_status=cancel`);
  const [{ stripe_price_id }] = await sql`select stripe_price_id from public.plans where code = 'pro'`;
  assert.equal(session.line_items?.data[0].price?.id, stripe_price_id);

  const customer = await stripe.customers.retrieve(session.customer as string) as Stripe.Customer;
  assert.deepEqual([customer.name, customer.metadata], ["Slashes", { dues_community_id: admin.cid }]);
  const [row] = await sql`select stripe_customer_id from public.communities where id = ${admin.cid}`;
  assert.equal(row.stripe_customer_id, customer.id);
});

Deno.test("a checkout returns to the community page without a plugin id, and prefers the token's plugin id", async () => {
  const admin = newAdmin();
  const plain = await api.call("POST", CHECKOUT, { token: await api.signIn(admin), json: {} });
  const session = await stripe.checkout.sessions.retrieve(plain.body.sessionId);
  assert.equal(session.cancel_url, `${stack.urls.parent}/c/${admin.cid}/?stripe_status=cancel`);

  const token = await api.signIn({ ...admin, pluginId: "mine" });
  const own = await api.call("POST", CHECKOUT, { token, json: { pluginId: "other" } });
  const { cancel_url } = await stripe.checkout.sessions.retrieve(own.body.sessionId);
  assert.equal(cancel_url, `${stack.urls.parent}/c/${admin.cid}/plugin/mine/?stripe_status=cancel`);
});

/** A community's customers in Stripe, and their open checkout sessions. */
async function atStripe(communityId: string) {
  const customers: string[] = [];
  for await (const customer of stripe.customers.list({ limit: 100 })) {
    if (customer.metadata.dues_community_id === communityId) customers.push(customer.id);
  }
  const open: string[] = [];
  for (const customer of customers) {
    const { data } = await stripe.checkout.sessions.list({ customer, status: "open" });
    open.push(...data.map(({ id }) => id));
  }
  return { customers, open };
}

Deno.test("fifty simultaneous checkouts make one customer and one open session", async () => {
  const admin = newAdmin({ title: "Impatient" });
  const token = await api.signIn(admin);
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => api.call("POST", CHECKOUT, { token, json: {} })),
  );
  assert.deepEqual(answers.map(({ status }) => status), Array(50).fill(200));
  const sessions = new Set(answers.map(({ body }) => body.sessionId));
  assert.equal(sessions.size, 1);
  const [{ stripe_customer_id }] =
    await sql`select stripe_customer_id from public.communities where id = ${admin.cid}`;
  assert.deepEqual(await atStripe(admin.cid), { customers: [stripe_customer_id], open: [...sessions] });
});

Deno.test("a repeated checkout returns the same session, also with another plugin id; embedded is another one", async () => {
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const click = async (json: unknown) => (await api.call("POST", CHECKOUT, { token, json })).body.sessionId;
  const first = await click({});
  assert.equal(await click({}), first);
  assert.equal(await click({ pluginId: "elsewhere" }), first);
  const second = await click({ uiMode: "embedded" });
  assert.notEqual(second, first);
  assert.deepEqual((await atStripe(admin.cid)).open, [second], "the first is expired");
});

Deno.test("simultaneous checkouts for different things leave one open session", async () => {
  for (let round = 0; round < 5; round++) {
    const admin = newAdmin();
    const token = await api.signIn(admin);
    const clicks = ["here", "there", "elsewhere"].map((pluginId) =>
      api.call("POST", CHECKOUT, { token, json: { pluginId } })
    );
    const answers = await Promise.all(clicks);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
    const { customers, open } = await atStripe(admin.cid);
    assert.deepEqual([customers.length, open.length], [1, 1]);
    assert.ok(answers.some(({ body }) => body.sessionId === open[0]));
  }
});

Deno.test("a checkout does not return a session that has expired in Stripe", async () => {
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const first = await api.call("POST", CHECKOUT, { token, json: {} });
  await stripe.checkout.sessions.expire(first.body.sessionId);
  const second = await api.call("POST", CHECKOUT, { token, json: {} });
  assert.notEqual(second.body.sessionId, first.body.sessionId);
  assert.deepEqual((await atStripe(admin.cid)).open, [second.body.sessionId]);
});

Deno.test("the next checkout replaces a customer that was deleted in Stripe, with or without its event", async () => {
  for (const isDelivered of [true, false]) {
    const admin = newAdmin();
    const token = await api.signIn(admin);
    await api.call("POST", CHECKOUT, { token, json: {} });
    const [{ stripe_customer_id: deleted }] =
      await sql`select stripe_customer_id from public.communities where id = ${admin.cid}`;
    if (!isDelivered) {
      await callSimulator(stack, "POST", "/_sim/faults", {
        kind: "drop_delivery",
        target: "customer.deleted",
        next: 1,
      });
    }
    await stripe.customers.del(deleted);
    await callSimulator(stack, "GET", "/_sim/idle");
    const { status } = await api.call("POST", CHECKOUT, { token, json: {} });
    assert.equal(status, 200);
    const [{ stripe_customer_id: current }] =
      await sql`select stripe_customer_id from public.communities where id = ${admin.cid}`;
    assert.notEqual(current, deleted);
    const former =
      await sql`select id from billing.customers where community_id = ${admin.cid} and deleted_at is not null`;
    assert.deepEqual([...former], [{ id: deleted }]);
  }
});

Deno.test("a checkout is answered 409 when the community has a live subscription", async () => {
  const token = await api.upgrade(newAdmin());
  assertProblem(await api.call("POST", CHECKOUT, { token, json: {} }), [409, "already_subscribed"]);
});

Deno.test("a checkout is answered 409 after paying, before the webhook has arrived", async () => {
  const token = await api.signIn(newAdmin());
  const { body } = await api.call("POST", CHECKOUT, { token, json: {} });
  const url = `${stack.urls.supabase}/functions/v1/stripe-webhook`;
  const { data: endpoints } = await stripe.webhookEndpoints.list();
  const endpoint = endpoints.find((endpoint) => endpoint.url === url)!;
  await stripe.webhookEndpoints.update(endpoint.id, { disabled: true });
  try {
    await payCheckout(stack, body.sessionId);
    assert.equal((await api.call("GET", BILLING_INFO, { token })).body.plan.code, "free");
    assertProblem(await api.call("POST", CHECKOUT, { token, json: {} }), [409, "already_subscribed"]);
  } finally {
    await stripe.webhookEndpoints.update(endpoint.id, { disabled: false });
  }
});

Deno.test("create-portal-session answers 409 without a billing account, else a portal that returns to the community page", async () => {
  const admin = newAdmin();
  const token = await api.signIn(admin);
  assertProblem(await api.call("POST", PORTAL, { token, json: {} }), [409, "no_customer"]);
  await api.call("POST", CHECKOUT, { token, json: {} });
  const { status, body } = await api.call("POST", PORTAL, { token, json: {} });
  assert.equal(status, 200);
  const page = await fetch(body.portalUrl);
  assert.equal(page.status, 200);
  const escaped = `/c/${admin.cid}/?stripe_status=portal_return`;
  assert.ok((await page.text()).includes(escaped));
});

Deno.test("create-portal-session opens at the flow; subscription_cancel needs a subscription", async () => {
  const admin = newAdmin();
  const token = await api.signIn(admin);
  await api.call("POST", CHECKOUT, { token, json: {} });
  const open = (flow: string) => api.call("POST", PORTAL, { token, json: { flow } });
  assert.equal((await open("payment_method_update")).status, 200);
  assertProblem(await open("subscription_cancel"), [409, "no_subscription"]);
  assertProblem(await open("subscription_update"), [400, "invalid_request"]);
  await api.upgrade(admin);
  assert.equal((await open("subscription_cancel")).status, 200);
});
