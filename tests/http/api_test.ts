import assert from "node:assert/strict";
import type { Pool } from "../../billing/db/sql.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { type ApiClient, apiClient, assertProblem, newAdmin } from "./client.ts";

let stack: TestStack;
let api: ApiClient;
let sql: Pool;

Deno.test.beforeAll(async () => {
  stack = await startTestStack();
  api = apiClient(stack);
  sql = stack.database.connect("postgres");
});
Deno.test.afterAll(() => stack?.stop());

const SESSION = "/api/auth/session";
const CHECKOUT = "/api/stripe/create-checkout-session";
const PORTAL = "/api/stripe/create-portal-session";
const BILLING_INFO = "/api/community/billing-info";

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

Deno.test("billing info has invoices with links for admins, and none for members", async () => {
  const admin = newAdmin();
  const token = await api.upgrade(admin);
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
  const token = await api.upgrade(admin);
  const { body } = await api.call("GET", BILLING_INFO, { token });
  assert.equal(body.plan.code, "pro");
  assert.deepEqual([body.subscription.status, body.subscription.planCode], ["active", "pro"]);
  const { amount, unitAmount, quantity, currency, interval, intervalCount } = body.subscription;
  assert.deepEqual([amount, unitAmount, quantity, currency, interval, intervalCount], [
    2900,
    2900,
    1,
    "usd",
    "month",
    1,
  ]);
  assert.equal(body.community.hasBillingAccount, true);
  assert.ok(Date.parse(body.subscription.currentPeriodEnd) > Date.now());

  const open = await sql`
    select e.type, e.outcome, e.reason from billing.stripe_events e join billing.customers c on c.id = e.customer_id
    where c.community_id = ${admin.cid} and e.outcome not in ('applied', 'stale', 'ignored')`;
  assert.deepEqual([...open], []);
});

Deno.test("billing info says what is paid as Stripe has it, after the price list has changed", async () => {
  const admin = newAdmin();
  const token = await api.upgrade(admin);
  await sql`update public.plans set price_cents = 3900, currency = 'eur', billing_interval = 'year' where code = 'pro'`;
  try {
    const { body } = await api.call("GET", BILLING_INFO, { token });
    assert.deepEqual([body.plan.priceCents, body.plan.currency, body.plan.billingInterval], [
      3900,
      "eur",
      "year",
    ]);
    const { amount, currency, interval } = body.subscription;
    assert.deepEqual([amount, currency, interval], [2900, "usd", "month"]);
    const [overview] = await sql`
      select amount::int, currency, paid_cents from public.billing_overview where community_id = ${admin.cid}`;
    assert.deepEqual(overview, { amount: 2900, currency: "usd", paid_cents: { usd: 2900 } });
  } finally {
    await sql`update public.plans set price_cents = 2900, currency = 'usd', billing_interval = 'month' where code = 'pro'`;
  }
});

Deno.test("a title that is too long, empty or missing opens a session all the same", async () => {
  for (
    const [title, shown] of [
      ["x".repeat(5000), "x".repeat(199) + "…"],
      ["🌻".repeat(300), "🌻".repeat(199) + "…"],
      ["", null],
      ["  \u0000 ", null],
      ["half \ud800", "half \ufffd"],
      [undefined, null],
    ] as const
  ) {
    const admin = newAdmin();
    const identityToken = await api.identityToken(admin, { title });
    const { status, body } = await api.call("POST", SESSION, { json: { identityToken } });
    assert.deepEqual([status, body.community], [200, { id: admin.cid, title: shown ?? admin.cid }]);
    const info = await api.call("GET", BILLING_INFO, { token: body.token });
    assert.equal(info.body.community.title, shown ?? admin.cid);
  }
});

Deno.test("a parent app whose clock runs ahead is accepted within a minute, and told so beyond that", async () => {
  const now = Math.floor(Date.now() / 1000);
  const tokenFrom = (iat: number) => api.identityToken(newAdmin(), { iat, exp: iat + 120 });
  const open = async (iat: number) =>
    await api.call("POST", SESSION, { json: { identityToken: await tokenFrom(iat) } });
  assert.equal((await open(now + 50)).status, 200);
  const refused = await open(now + 90);
  assertProblem(refused, [401, "parent_clock_ahead"]);
  assert.match(refused.body.detail, /clock/);
});

Deno.test("NUL and half surrogate pairs are answered 400 by every route that takes text", async () => {
  const token = await api.signIn(newAdmin());
  const rows: [string, string][] = [
    [SESSION, '{"identityToken":"a\\u0000"}'],
    [CHECKOUT, '{"planCode":"\\u0000"}'],
    [CHECKOUT, '{"pluginId":"\\ud800"}'],
    [PORTAL, '{"pluginId":"a\\u0000"}'],
    ["/api/assistant/messages", '{"message":"a\\u0000b"}'],
    ["/api/assistant/messages", '{"message":"\\udc00"}'],
  ];
  for (const [path, body] of rows) {
    assertProblem(await api.call("POST", path, { token, body }), [400, "invalid_text"], body);
  }
  for (const claim of ["sub", "jti", "cid", "pluginId"]) {
    const identityToken = await api.identityToken(newAdmin(), { [claim]: "12345678\u0000" });
    assertProblem(await api.call("POST", SESSION, { json: { identityToken } }), [400, "invalid_text"], claim);
  }
  for (const path of ["/api/%00", "/%00", "/api/community/billing-info?x=%00", "/%ff%fe", "/api/%ed%a0%80"]) {
    const { status } = await api.call("GET", path, { token });
    assert.ok(status < 500, `${path}: ${status}`);
  }
});

Deno.test("a community sees nothing of another and cannot open its portal", async () => {
  const [garden, chess] = [newAdmin({ title: "Garden" }), newAdmin({ title: "Chess" })];
  await api.upgrade(garden);
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

Deno.test("the data API lets a person read their own community and write nothing, with a token that Supabase trusts", async () => {
  const admin = newAdmin();
  await api.upgrade(admin);
  await api.upgrade(newAdmin());
  const token = await api.sessionToken(admin, {}, stack.keys.supabaseJwtSecret);
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
