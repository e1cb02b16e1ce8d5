import assert from "node:assert/strict";
import type { Pool } from "../../billing/db/sql.ts";
import type Stripe from "stripe";
import { connectStripe } from "../../billing/stripe.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { type Answer, type ApiClient, apiClient, newAdmin, type Person } from "./client.ts";

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

const SESSION = "/api/auth/session";
const CHECKOUT = "/api/stripe/create-checkout-session";
const PORTAL = "/api/stripe/create-portal-session";
const BILLING_INFO = "/api/community/billing-info";

function assertProblem(
  { status, headers, body }: Answer,
  wanted: [status: number, code: string],
  message?: string,
) {
  assert.deepEqual([status, body.code], wanted, message);
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.deepEqual([body.type, body.status], ["about:blank", wanted[0]]);
  assert.ok(body.title.length > 0);
  assert.doesNotMatch(JSON.stringify(body), /\bat \S+:\d+|\.ts\b|stack/i, "no stack trace");
}

/** Pays a checkout, and waits until Stripe has delivered all events. */
async function pay(sessionId: string) {
  await simulator("POST", `/_sim/checkout/${sessionId}/pay`);
  await simulator("GET", "/_sim/idle");
}

async function simulator(method: string, path: string, json?: unknown) {
  const response = await fetch(`${stack.urls.stripe}${path}`, {
    method,
    body: json === undefined ? undefined : JSON.stringify(json),
  });
  assert.ok(response.ok, `${method} ${path} answered ${response.status}: ${await response.text()}`);
}

async function upgrade(person: Person): Promise<string> {
  const token = await api.signIn(person);
  const { body } = await api.call("POST", CHECKOUT, { token, json: {} });
  await pay(body.sessionId);
  return token;
}

Deno.test("GET /api/health answers 200 when the database answers", async () => {
  const { status, body } = await api.call("GET", "/api/health");
  assert.deepEqual([status, body], [200, { ok: true }]);
});

Deno.test("errors under /api/ are problem documents, also 404 and 405", async () => {
  assertProblem(await api.call("GET", "/api/nothing"), [404, "not_found"]);
  const rows: [string, string, string][] = [
    ["GET", SESSION, "POST"],
    ["PUT", CHECKOUT, "POST"],
    ["DELETE", PORTAL, "POST"],
    ["POST", BILLING_INFO, "GET, HEAD"],
  ];
  for (const [method, path, allow] of rows) {
    const answer = await api.call(method, path);
    assertProblem(answer, [405, "method_not_allowed"], `${method} ${path}`);
    assert.equal(answer.headers.get("allow"), allow);
  }
});

Deno.test("bodies that are not JSON, of another shape or too large are refused", async () => {
  const token = await api.signIn(newAdmin());
  const rows: [string, BodyInit, [number, string]][] = [
    [SESSION, "{", [400, "invalid_json"]],
    [SESSION, "", [400, "invalid_json"]],
    [SESSION, "[]", [400, "invalid_request"]],
    [SESSION, '{"identityToken":7}', [400, "invalid_request"]],
    [SESSION, '{"identityToken":"x","more":1}', [400, "invalid_request"]],
    [SESSION, " ".repeat(17 * 1024), [413, "payload_too_large"]],
    [CHECKOUT, "null", [400, "invalid_request"]],
    [CHECKOUT, '{"planCode":["pro"]}', [400, "invalid_request"]],
    [CHECKOUT, '{"pluginId":".."}', [400, "invalid_request"]],
    [CHECKOUT, '{"uiMode":"popup"}', [400, "invalid_request"]],
    [CHECKOUT, '{"planCode":"gold"}', [404, "unknown_plan"]],
    [PORTAL, '{"pluginId":""}', [400, "invalid_request"]],
    [PORTAL, new Uint8Array([0xff, 0xfe]), [400, "invalid_json"]],
  ];
  for (const [path, body, wanted] of rows) {
    assertProblem(
      await api.call("POST", path, { token, body }),
      wanted,
      `${path} ${String(body).slice(0, 40)}`,
    );
  }
});

Deno.test("POST /api/auth/session opens a session and stores a new community on the free plan", async () => {
  const admin = newAdmin({ title: "Chess Club", pluginId: "p1" });
  const { status, headers, body } = await api.call("POST", SESSION, {
    json: { identityToken: await api.identityToken(admin) },
  });
  assert.equal(status, 200);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.deepEqual(body.community, { id: admin.cid, title: "Chess Club" });
  assert.deepEqual([body.isAdmin, body.pluginId], [true, "p1"]);
  assert.ok(Date.parse(body.expiresAt) > Date.now());

  const info = await api.call("GET", BILLING_INFO, { token: body.token });
  assert.equal(info.body.plan.code, "free");
});

Deno.test("POST /api/auth/session stores a community's new title", async () => {
  const admin = newAdmin({ title: "Before" });
  await api.signIn(admin);
  const token = await api.signIn({ ...admin, title: "After" });
  const { body } = await api.call("GET", BILLING_INFO, { token });
  assert.equal(body.community.title, "After");
});

Deno.test("an identity token opens one session when it is sent twenty times at once", async () => {
  const identityToken = await api.identityToken(newAdmin());
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => api.call("POST", SESSION, { json: { identityToken } })),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    assertProblem(answer, [401, "used_identity_token"]);
  }
});

Deno.test("POST /api/auth/session refuses forged, expired and foreign identity tokens", async () => {
  const admin = newAdmin();
  const past = Math.floor(Date.now() / 1000) - 1000;
  const rows: [string, string][] = [
    [
      await api.identityToken(admin, {}, "a secret that the parent app does not know"),
      "invalid_identity_token",
    ],
    [await api.identityToken(admin, { iss: "https://evil.example" }), "invalid_identity_token"],
    [await api.identityToken(admin, { aud: "https://other.example" }), "invalid_identity_token"],
    [await api.identityToken(admin, { adm: "true" }), "invalid_identity_token"],
    [await api.identityToken(admin, { cid: undefined }), "invalid_identity_token"],
    [await api.identityToken(admin, { iat: past, exp: past + 60 }), "expired_identity_token"],
    [await api.sessionToken(admin), "invalid_identity_token"],
    ["no token at all", "invalid_identity_token"],
  ];
  for (const [identityToken, code] of rows) {
    assertProblem(await api.call("POST", SESSION, { json: { identityToken } }), [401, code]);
  }
  const [{ count }] = await sql`select count(*)::int from public.communities where id = ${admin.cid}`;
  assert.equal(count, 0);
});

Deno.test("calls with a missing, foreign, forged or expired session token are answered 401", async () => {
  const admin = newAdmin();
  const rows: [string | undefined, string][] = [
    [undefined, "missing_token"],
    ["nonsense", "invalid_token"],
    [await api.identityToken(admin), "invalid_token"],
    [await api.sessionToken(admin, {}, "a secret that Supabase does not know"), "invalid_token"],
    [await api.sessionToken(admin, { aud: "https://other.example" }), "invalid_token"],
    [await api.sessionToken(admin, { iss: "https://other.example" }), "invalid_token"],
    [await api.sessionToken(admin, { role: "service_role" }), "invalid_token"],
    [await api.sessionToken(admin, { exp: 1000 }), "expired_token"],
  ];
  for (const [token, code] of rows) {
    for (const [method, path] of [["GET", BILLING_INFO], ["POST", CHECKOUT], ["POST", PORTAL]]) {
      const answer = await api.call(method, path, { token, body: method === "POST" ? "{}" : undefined });
      assertProblem(answer, [401, code], `${method} ${path}`);
      assert.equal(answer.headers.get("www-authenticate"), "Bearer");
    }
  }
});

Deno.test("a member reads billing info and is answered 403 to checkout and portal", async () => {
  const member = newAdmin({ adm: false });
  const token = await api.signIn(member);
  assert.equal((await api.call("GET", BILLING_INFO, { token })).body.isAdmin, false);
  for (const path of [CHECKOUT, PORTAL]) {
    // A body cannot make an admin.
    assertProblem(await api.call("POST", path, { token, json: {} }), [403, "not_admin"]);
    assertProblem(await api.call("POST", path, { token, json: { adm: true } }), [400, "invalid_request"]);
  }
  const [{ stripe_customer_id }] =
    await sql`select stripe_customer_id from public.communities where id = ${member.cid}`;
  assert.equal(stripe_customer_id, null);
});

Deno.test("GET /api/community/billing-info returns plan, limits, usage and plans on offer", async () => {
  const admin = newAdmin({ title: "Readers" });
  const { status, body } = await api.call("GET", BILLING_INFO, { token: await api.signIn(admin) });
  assert.equal(status, 200);
  const free = { code: "free", name: "Free", priceCents: 0, currency: "usd", billingInterval: null };
  const limits = [
    { feature: "active_wizard", windowSeconds: 0, period: "rolling", quota: 1 },
    { feature: "ai_chat_message", windowSeconds: 30 * 86400, period: "rolling", quota: 100 },
  ];
  assert.deepEqual({ ...body, plans: undefined }, {
    community: { id: admin.cid, title: "Readers", hasBillingAccount: false },
    isAdmin: true,
    plan: free,
    limits,
    usage: [
      { ...limits[0], used: 0, resetsAt: null, daily: [] },
      { ...limits[1], used: 0, resetsAt: null, daily: Array(30).fill(0) },
    ],
    plans: undefined,
    subscription: null,
    invoices: [],
  });
  assert.deepEqual(body.plans.map(({ code }: { code: string }) => code), ["free", "pro"]);
  assert.deepEqual(body.plans[0], { ...free, limits });
});

Deno.test("a session of an unknown community is answered 404", async () => {
  const token = await api.sessionToken(newAdmin());
  assertProblem(await api.call("GET", BILLING_INFO, { token }), [404, "unknown_community"]);
  assertProblem(await api.call("POST", CHECKOUT, { token, json: {} }), [404, "unknown_community"]);
});

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
    { community_id: admin.cid, attempt: "1" },
  ]);
  const page = `${stack.urls.parent}/c/${encodeURIComponent(admin.cid)}/plugin/p%201/`;
  const successUrl = session.success_url!.replace(session.id, "{CHECKOUT_SESSION_ID}");
  assert.equal(successUrl, `${page}?stripe_status=success&session_id={CHECKOUT_SESSION_ID}`);
  assert.equal(session.cancel_url, `${page}?stripe_status=cancel`);
  const [{ stripe_price_id }] = await sql`select stripe_price_id from public.plans where code = 'pro'`;
  assert.equal(session.line_items?.data[0].price?.id, stripe_price_id);

  const customer = await stripe.customers.retrieve(session.customer as string) as Stripe.Customer;
  assert.deepEqual([customer.name, customer.metadata], ["Slashes", { community_id: admin.cid }]);
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
    if (customer.metadata.community_id === communityId) customers.push(customer.id);
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

Deno.test("a repeated checkout returns the same session; with another plugin id a new one", async () => {
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const click = async (json: unknown) => (await api.call("POST", CHECKOUT, { token, json })).body.sessionId;
  const first = await click({});
  assert.equal(await click({}), first);
  const second = await click({ pluginId: "elsewhere" });
  assert.notEqual(second, first);
  assert.deepEqual((await atStripe(admin.cid)).open, [second], "the first is expired");
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
      await simulator("POST", "/_sim/faults", { kind: "drop_delivery", target: "customer.deleted", next: 1 });
    }
    await stripe.customers.del(deleted);
    await simulator("GET", "/_sim/idle");
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

Deno.test("billing info has invoices with links for admins, and none for members", async () => {
  const admin = newAdmin();
  const token = await upgrade(admin);
  const { body } = await api.call("GET", BILLING_INFO, { token });
  assert.equal(body.invoices.length, 1);
  const [invoice] = body.invoices;
  assert.deepEqual([invoice.status, invoice.amountDueCents, invoice.amountPaidCents, invoice.currency], [
    "paid",
    2900,
    2900,
    "usd",
  ]);
  assert.ok(invoice.number && invoice.hostedInvoiceUrl && invoice.invoicePdf);
  const member = await api.signIn({ ...admin, adm: false });
  assert.deepEqual((await api.call("GET", BILLING_INFO, { token: member })).body.invoices, []);
});

Deno.test("a paid checkout sets the pro plan, through the edge function stripe-webhook", async () => {
  const admin = newAdmin();
  const token = await upgrade(admin);
  const { body } = await api.call("GET", BILLING_INFO, { token });
  assert.equal(body.plan.code, "pro");
  assert.deepEqual([body.subscription.status, body.subscription.planCode], ["active", "pro"]);
  assert.equal(body.community.hasBillingAccount, true);
  assert.ok(Date.parse(body.subscription.currentPeriodEnd) > Date.now());

  const open = await sql`
    select e.type, e.outcome, e.reason from billing.stripe_events e join billing.customers c on c.id = e.customer_id
    where c.community_id = ${admin.cid} and e.outcome not in ('applied', 'stale', 'ignored')`;
  assert.deepEqual([...open], []);
});

Deno.test("a checkout is answered 409 when the community has a live subscription", async () => {
  const token = await upgrade(newAdmin());
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
    await pay(body.sessionId);
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
  await upgrade(admin);
  assert.equal((await open("subscription_cancel")).status, 200);
});

Deno.test("a community sees nothing of another and cannot open its portal", async () => {
  const [garden, chess] = [newAdmin({ title: "Garden" }), newAdmin({ title: "Chess" })];
  await upgrade(garden);
  const token = await api.signIn(chess);
  const { body } = await api.call("GET", BILLING_INFO, { token });
  assert.deepEqual([body.community.title, body.plan.code, body.subscription, body.invoices], [
    "Chess",
    "free",
    null,
    [],
  ]);
  assertProblem(await api.call("POST", PORTAL, { token, json: {} }), [409, "no_customer"]);
});

Deno.test("the data API lets a person read their own community and write nothing", async () => {
  const admin = newAdmin();
  await upgrade(admin);
  await upgrade(newAdmin());
  const token = await api.signIn(admin);
  const rest = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${stack.urls.supabase}/rest/v1/${path}`, {
      method,
      headers: {
        apikey: stack.keys.supabasePublishableKey,
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json().catch(() => null) };
  };
  assert.deepEqual((await rest("GET", "communities?select=id")).body, [{ id: admin.cid }]);
  assert.equal((await rest("GET", "subscriptions?select=id,status")).body.length, 1);
  for (
    const [method, path, body] of [
      ["GET", "communities?select=stripe_customer_id", undefined],
      ["PATCH", `communities?id=eq.${admin.cid}`, { title: "Mine" }],
      ["POST", "subscriptions", { id: "sub_mine", community_id: admin.cid }],
      ["DELETE", "plans?code=eq.free", undefined],
    ] as const
  ) {
    assert.equal((await rest(method, path, body)).status, 403, `${method} ${path}`);
  }
});

Deno.test("POST /api/webhooks/stripe checks the signature like the edge function", async () => {
  assertProblem(await api.call("POST", "/api/webhooks/stripe", { body: "{}" }), [400, "invalid_signature"]);
  assertProblem(await api.call("GET", "/api/webhooks/stripe"), [405, "method_not_allowed"]);
});

Deno.test("pages allow only the parent app as frame ancestor, and scripts only with a nonce", async () => {
  for (const [path, expected] of [["/", 200], ["/nowhere", 404]] as const) {
    const { status, headers } = await api.call("GET", path);
    assert.equal(status, expected, path);
    assert.match(headers.get("content-type")!, /^text\/html/, path);
    const policy = headers.get("content-security-policy")!;
    assert.ok(policy.includes(`frame-ancestors ${stack.urls.parent};`));
    assert.match(policy, /script-src 'self' 'nonce-[\w-]+'/);
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
    assert.equal(headers.get("x-frame-options"), null);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});
