// Attacks on the built server with its production permissions and default limits, and how honest people fare meanwhile. The
// figures that are printed are those of docs/security.md.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { Pool } from "../../billing/db/sql.ts";
import { type ApiClient, apiClient, assertProblem, newAdmin } from "../http/client.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";
import { ask, assertServed, figuresOf, press, report } from "./pressing.ts";
import { openSocket } from "./sockets.ts";

const SESSION = "/api/auth/session";
const CHECKOUT = "/api/stripe/create-checkout-session";
const PORTAL = "/api/stripe/create-portal-session";
const BILLING_INFO = "/api/community/billing-info";
const MESSAGES = "/api/assistant/messages";
const WEBHOOK = "/api/webhooks/stripe";

/** What the server logs about refusals. */
interface Line {
  reason: string;
  route: string;
  status: number;
  requestId: string;
  community?: string;
  count: number;
  advice?: string;
  leftOut?: number;
}

let stack: TestStack;
let api: ApiClient;
let sql: Pool;
const printed: string[] = [];

Deno.test.beforeAll(async () => {
  stack = await startTestStack({ onLine: (name, line) => name === "plugin" && printed.push(line) });
  api = apiClient(stack);
  sql = stack.database.connect("postgres");
});
Deno.test.afterAll(() => stack?.stop());

const refusals = (): Line[] =>
  printed.filter((line) => line.startsWith('{"event":"refused"')).map((line) => JSON.parse(line));

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const health = async () => (await api.call("GET", "/api/health")).status === 200;
const page = async () => {
  const response = await fetch(stack.urls.plugin);
  await response.body?.cancel();
  return response.status === 200;
};
const signIn = async () => {
  const json = { identityToken: await api.identityToken(newAdmin()) };
  return (await api.call("POST", SESSION, { json })).status === 200;
};

function signed(body: string, secret = stack.keys.stripeWebhookSecret.split(",")[0]): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1000);
  const mac = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { "stripe-signature": `t=${timestamp},v1=${mac}` };
}

async function webhook(body: BodyInit, headers: Record<string, string>): Promise<number> {
  const response = await fetch(`${stack.urls.plugin}${WEBHOOK}`, { method: "POST", body, headers });
  await response.body?.cancel();
  return response.status;
}

/** An event that changes nothing. */
const harmlessEvent = () => {
  const body = JSON.stringify({
    id: `evt_${crypto.randomUUID()}`,
    object: "event",
    type: "price.created",
    api_version: "2026-10-28.endive",
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    data: { object: { id: "price_1", object: "price" } },
  });
  return async () => await webhook(body, signed(body)) === 200;
};

Deno.test("a thousand silent, dripping and half-sent connections keep nobody out", async () => {
  const kinds = [
    "",
    "GET / HTTP/1.1\r\nHost: a.test\r\n",
    `POST ${SESSION} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 99\r\n\r\n{`,
  ];
  const sockets: Awaited<ReturnType<typeof openSocket>>[] = [];
  for (let i = 0; i < 1_000; i += 50) {
    const opened = await Promise.allSettled(Array.from({ length: 50 }, () => openSocket(stack.urls.plugin)));
    for (const result of opened) if (result.status === "fulfilled") sockets.push(result.value);
  }
  await Promise.all(sockets.map((socket, i) => socket.write(kinds[i % 3])));
  const dripping = setInterval(() => {
    sockets.forEach((socket, i) => i % 3 === 1 && void socket.write("X-More: 1\r\n"));
  }, 500);
  try {
    const served = {
      health: await ask(40, health),
      page: await ask(40, page),
      signIn: await ask(20, signIn),
    };
    report("1,000 half-open connections", served);
    assertServed(served.health, "health");
    assertServed(served.page, "page");
    assertServed(served.signIn, "sign-in");
    await pause(16_000);
    assert.equal(sockets.filter((socket) => !socket.isClosed).length, 0, "all are closed by now");
  } finally {
    clearInterval(dripping);
    sockets.forEach((socket) => socket.close());
  }
});

Deno.test("one admin who opens checkouts as fast as possible keeps none of 21 others from paying", async () => {
  const attacker = newAdmin();
  const token = await api.signIn(attacker);
  const statuses = new Map<number, number>();
  const attack = press(6, 5_000, async (n) => {
    const json = { pluginId: `plugin-${n}`, uiMode: n % 2 ? "hosted" : "embedded" };
    const { status, headers } = await api.call("POST", n % 3 ? CHECKOUT : PORTAL, {
      token,
      json: n % 3 ? json : {},
    });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status === 429) assert.ok(Number(headers.get("retry-after")) > 0);
  });
  await pause(300);
  const times: number[] = [];
  const honest = await Promise.all(Array.from({ length: 21 }, async () => {
    const buyer = await api.signIn(newAdmin());
    const began = performance.now();
    const { status } = await api.call("POST", CHECKOUT, { token: buyer, json: {} });
    times.push(performance.now() - began);
    return status;
  }));
  const hook = await ask(5, harmlessEvent());
  for (let i = 0; i < 100 && !statuses.has(429); i++) await pause(200);
  await attack.stop();
  const figures = figuresOf(21, honest.filter((status) => status === 200).length, times);
  report("checkouts of one admin, six in flight", {
    buyers: figures,
    hook,
    attacker: Object.fromEntries(statuses),
  });
  assertServed(figures, "buyers");
  assertServed(hook, "webhooks");
  assert.ok((statuses.get(429) ?? 0) > 0, "the attacker is told to wait");
});

Deno.test("megabytes without a signature of ours cost next to nothing", async () => {
  const megabyte = new Uint8Array(1024 * 1024 - 1);
  const old = Math.floor(Date.now() / 1000) - 3600;
  const headers: Record<string, string>[] = [
    {},
    { "stripe-signature": "nonsense" },
    { "stripe-signature": `t=${old},v1=${"0".repeat(64)}` },
  ];
  const attack = press(
    8,
    3_000,
    (n) => webhook(megabyte, headers[n % 3]).then((status) => assert.equal(status, 400)),
  );
  const served = { health: await ask(60, health), webhooks: await ask(30, harmlessEvent()) };
  const sent = await attack.stop();
  report("unsigned megabytes, eight in flight", { sent, ...served });
  assertServed(served.health, "health");
  assertServed(served.webhooks, "webhooks");

  const forged = press(
    4,
    400,
    (n) => webhook(megabyte, { "stripe-signature": signed("", `whsec_wrong${n}`)["stripe-signature"] }),
  );
  const beside = await ask(40, health);
  const hashed = await forged.stop();
  report("megabytes with a fresh wrong signature, four in flight", { sent: hashed, health: beside });
  assertServed(beside, "health");
});

Deno.test("junk identity and session tokens reach no database and use up nobody's limit", async () => {
  const before = await sql`select count(*) from billing.used_identity_tokens`;
  const attack = press(16, 20_000, async (n) => {
    const junk = await api.identityToken(newAdmin(), {}, `a wrong secret of thirty-two characters ${n % 10}`);
    const { status } = n % 2
      ? await api.call("POST", SESSION, { json: { identityToken: junk } })
      : await api.call("GET", BILLING_INFO, { token: junk });
    assert.equal(status, 401);
  });
  const served = { signIn: await ask(30, signIn), health: await ask(30, health) };
  const sent = await attack.stop();
  const after = await sql`select count(*) from billing.used_identity_tokens`;
  report("junk tokens, sixteen in flight", { sent, ...served });
  assertServed(served.signIn, "sign-in");
  assertServed(served.health, "health");
  assert.equal(Number(after[0].count) - Number(before[0].count), 30);
});

Deno.test("half-sent and malformed quota requests hold no units and leave no rows", async () => {
  const member = newAdmin();
  const token = await api.signIn(member);
  const head =
    `POST ${MESSAGES} HTTP/1.1\r\nHost: a.test\r\nAuthorization: Bearer ${token}\r\nContent-Length: 40\r\n\r\n{`;
  const sockets = await Promise.all(Array.from({ length: 60 }, () => openSocket(stack.urls.plugin)));
  await Promise.all(sockets.map((socket) => socket.write(head)));
  const malformed = await Promise.all(
    ["{", "[]", '{"message":7}', '{"message":""}', "x".repeat(20_000), '{"message":"\\u0000"}'].map(async (
      body,
    ) => (await api.call("POST", MESSAGES, { token, body })).status),
  );
  assert.deepEqual(malformed, [400, 400, 400, 400, 413, 400]);
  assert.equal((await api.call("GET", MESSAGES, { token })).status, 405);
  await pause(200);
  const rows =
    await sql`select count(*)::int as count from public.usage_events where community_id = ${member.cid}`;
  assert.deepEqual([...rows], [{ count: 0 }]);
  const honest = await api.call("POST", MESSAGES, { token, json: { message: "Hello" } });
  assert.equal(honest.status, 200);
  sockets.forEach((socket) => socket.close());
});

Deno.test("a person is told 429 with Retry-After beyond their own limit, and the community's other people are not", async () => {
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const colleague = await api.signIn({ ...admin, sub: "ben" });
  let refused: Awaited<ReturnType<ApiClient["call"]>> | undefined;
  for (let i = 0; i < 14 && !refused; i++) {
    const answer = await api.call("POST", PORTAL, { token, json: {} });
    if (answer.status === 429) refused = answer;
  }
  assert.ok(refused);
  assertProblem(refused, [429, "too_many_requests"]);
  assert.ok(Number(refused.headers.get("retry-after")) >= 1);
  assertProblem(await api.call("POST", PORTAL, { token: colleague, json: {} }), [409, "no_customer"]);
});

Deno.test("a demoted admin is out of checkout and portal after two minutes and of everything after five", async () => {
  const admin = newAdmin();
  await api.signIn(admin);
  const now = Math.floor(Date.now() / 1000);
  const aged = (seconds: number) => api.sessionToken(admin, { iat: now - seconds, exp: now + 600 });
  const rows: [number, string, string, number, string | undefined][] = [
    [100, "POST", PORTAL, 409, "no_customer"],
    [130, "POST", PORTAL, 401, "stale_session"],
    [130, "POST", CHECKOUT, 401, "stale_session"],
    [130, "GET", BILLING_INFO, 200, undefined],
    [310, "GET", BILLING_INFO, 401, "expired_token"],
    [310, "POST", CHECKOUT, 401, "expired_token"],
  ];
  for (const [age, method, path, status, code] of rows) {
    const json = method === "POST" ? {} : undefined;
    const answer = await api.call(method, path, { token: await aged(age), json });
    assert.deepEqual([answer.status, answer.body.code], [status, code], `${path} after ${age} s`);
  }
});

Deno.test("signed bodies that are no UTF-8, begin with a byte order mark, or name a type of every object are refused or ignored", async () => {
  const invalid = new Uint8Array([0x7b, 0xff, 0x7d]);
  const timestamp = Math.floor(Date.now() / 1000);
  const secret = stack.keys.stripeWebhookSecret.split(",")[0];
  const sign = (bytes: Uint8Array) => ({
    "stripe-signature": `t=${timestamp},v1=${
      createHmac("sha256", secret).update(`${timestamp}.`).update(bytes).digest("hex")
    }`,
  });
  assert.equal(await webhook(invalid, sign(invalid)), 400);
  const marked = new TextEncoder().encode('\ufeff{"object":"event"}');
  assert.equal(await webhook(marked, sign(marked)), 400);
  for (const type of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    const body = JSON.stringify({
      id: `evt_${type}`,
      object: "event",
      type,
      api_version: "2026-10-28.endive",
      created: timestamp,
      livemode: false,
      data: { object: { id: "x", object: "customer" } },
    });
    assert.equal(await webhook(body, signed(body)), 200, type);
  }
});

Deno.test("every answer has the headers: pages, files, problems, 404, 405, 413 and redirects", async () => {
  const token = await api.signIn(newAdmin());
  const asked: [string, RequestInit, number][] = [
    ["/", {}, 200],
    ["/", { method: "HEAD" }, 200],
    ["/", { method: "POST", body: "x" }, 405],
    ["/", { method: "PUT" }, 405],
    ["/", { method: "DELETE" }, 405],
    ["/", { method: "OPTIONS" }, 405],
    ["/nothing", {}, 404],
    ["/nothing/", {}, 404],
    ["/favicon.ico", {}, 404],
    ["/style.css", {}, 200],
    ["/style.css?__frsh_c=other", {}, 307],
    ["/style.css", { method: "POST" }, 405],
    ["/%", {}, 400],
    ["/%ff", {}, 400],
    ["/%00", {}, 400],
    ["/api/%zz", {}, 400],
    ["/api/nothing", {}, 404],
    ["/api/health", {}, 200],
    ["/api/health/", {}, 200],
    ["/api/health", { method: "PATCH" }, 405],
    [SESSION, { method: "POST", body: "x".repeat(20_000) }, 413],
    [BILLING_INFO, { headers: { authorization: `Bearer ${token}` } }, 200],
    [BILLING_INFO, {}, 401],
    [WEBHOOK, { method: "POST", body: "{}" }, 400],
  ];
  const ids = new Set<string>();
  for (const [path, init, status] of asked) {
    const response = await fetch(`${stack.urls.plugin}${path}`, { redirect: "manual", ...init });
    await response.body?.cancel();
    const { headers } = response;
    const which = `${init.method ?? "GET"} ${path}`;
    assert.equal(response.status, status, which);
    assert.equal(headers.get("x-content-type-options"), "nosniff", which);
    assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors/, which);
    assert.match(headers.get("permissions-policy") ?? "", /camera=\(\)/, which);
    assert.match(headers.get("cross-origin-resource-policy") ?? "", /^(same|cross)-origin$/, which);
    assert.equal(headers.get("cross-origin-opener-policy"), "same-origin-allow-popups", which);
    assert.equal(headers.get("referrer-policy"), "strict-origin-when-cross-origin", which);
    assert.ok(headers.get("cache-control"), which);
    if (status === 405) assert.ok(headers.get("allow"), which);
    ids.add(headers.get("x-request-id") ?? "");
  }
  assert.equal(ids.size, asked.length, "each answer has an id of its own");
});

Deno.test("what is refused is logged in one line with reason, route, community and the id of the answer, and no secret", async () => {
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const wrongParent = await api.identityToken(admin, {}, "another secret of at least 32 characters");
  const body = "{}";
  const answers: [string, Promise<Response>][] = [
    [
      "no_customer",
      fetch(`${stack.urls.plugin}${PORTAL}`, {
        method: "POST",
        body,
        headers: { authorization: `Bearer ${token}` },
      }),
    ],
    [
      "invalid_identity_token",
      fetch(`${stack.urls.plugin}${SESSION}`, {
        method: "POST",
        body: JSON.stringify({ identityToken: wrongParent }),
      }),
    ],
    [
      "invalid_signature",
      fetch(`${stack.urls.plugin}${WEBHOOK}?a=secret-in-a-query`, {
        method: "POST",
        body,
        headers: signed(body, "whsec_wrong"),
      }),
    ],
  ];
  // The log writes thirty lines a minute for each reason, and earlier tests were refused for these, too.
  const counts = new Map<string, number>();
  for (const { reason, count } of refusals()) counts.set(reason, Math.max(counts.get(reason) ?? 0, count));
  for (const [reason, answer] of answers) {
    const response = await answer;
    await response.body?.cancel();
    const id = response.headers.get("x-request-id");
    await pause(100);
    const line = refusals().find(({ requestId }) => requestId === id);
    if (!line) {
      assert.ok((counts.get(reason) ?? 0) >= 30, `${reason} is not in the log`);
      continue;
    }
    assert.equal(line.reason, reason);
    assert.ok(line.count > 0);
    if (reason === "no_customer") assert.equal(line.community, admin.cid);
    else assert.ok(line.advice, "says which setting may be wrong");
  }
  const all = printed.join("\n");
  for (const secret of [token, wrongParent, "secret-in-a-query", stack.keys.stripeWebhookSecret]) {
    assert.ok(!all.includes(secret));
  }
  const written = refusals().filter(({ reason }) => reason === "invalid_token").length;
  assert.ok(written <= 65, `${written} lines: a flood does not fill the log`);
});
