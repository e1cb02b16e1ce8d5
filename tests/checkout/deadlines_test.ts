// What waits for a Stripe, or for a parent app, that never answers: how long, and what goes on as before meanwhile.
import assert from "node:assert/strict";
import { generateKeyPair, SignJWT } from "jose";
import Stripe from "stripe";
import { type Answer, type ApiClient, assertProblem, newAdmin, type Person } from "../http/client.ts";
import { addCommunities } from "../support/communities.ts";
import { callSimulator, payCheckout } from "../support/simulator.ts";
import {
  assertOpenCheckout,
  BILLING_INFO,
  CHECKOUT,
  PORTAL,
  type Shop,
  silence,
  startShop,
  stripeError,
} from "./rig.ts";

let shop: Shop;
Deno.test.beforeAll(async () => void (shop = await startShop()));
Deno.test.afterAll(() => shop?.stop());

/** The browser gives up after 20 s. */
const CALLER_MS = 16_000;
/** Far less than any wait for something that does not answer. */
const AS_BEFORE_MS = 3_000;

async function timed<T>(work: Promise<T>): Promise<[result: T, milliseconds: number]> {
  const begun = performance.now();
  return [await work, performance.now() - begun];
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const signer = new Stripe("sk_test_signer").webhooks;

/** Delivers an event of Stripe's to the plugin server. */
async function deliver(api: ApiClient, event: unknown): Promise<Response> {
  const { urls: { plugin } } = api;
  const payload = JSON.stringify(event);
  const secret = shop.stack.keys.stripeWebhookSecret.split(",")[0];
  const signature = await signer.generateTestHeaderStringAsync({ payload, secret });
  const headers = { "stripe-signature": signature };
  return await fetch(`${plugin}/api/webhooks/stripe`, { method: "POST", body: payload, headers });
}

/** A community that has paid without any webhook, and the event that says so. */
async function paidUnnoticed(): Promise<{ admin: Person; token: string; event: Stripe.Event }> {
  const { api, stack, stripe } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const { body } = await api.call("POST", CHECKOUT, { token, json: {} });
  await callSimulator(stack, "POST", "/_sim/faults", { kind: "drop_delivery", target: "*", next: 1000 });
  try {
    await payCheckout(stack, body.sessionId);
  } finally {
    await callSimulator(stack, "DELETE", "/_sim/faults");
  }
  const { data } = await stripe.events.list({ type: "customer.subscription.created", limit: 10 });
  const { subscription } = await stripe.checkout.sessions.retrieve(body.sessionId);
  const event = data.find(({ data: { object } }) => "id" in object && object.id === subscription)!;
  return { admin, token, event };
}

Deno.test("with a silent Stripe, forty checkouts and portals end in 503 stripe_unavailable, and everything else goes on", async () => {
  const { api, between, sql } = shop;
  const known = newAdmin();
  const knownToken = await api.signIn(known);
  await api.call("POST", CHECKOUT, { token: knownToken, json: {} });
  const paid = await paidUnnoticed();
  const tokens = await Promise.all(Array.from({ length: 30 }, () => api.signIn(newAdmin())));

  let open = 0;
  const silent = between.replace((_, original) => {
    open++;
    return silence(original).finally(() => open--);
  });
  try {
    between.clear();
    const clicks = Promise.all([
      ...tokens.map((token) => timed(api.call("POST", CHECKOUT, { token, json: {} }))),
      ...Array.from({ length: 10 }, () => timed(api.call("POST", PORTAL, { token: knownToken, json: {} }))),
    ]);
    while (between.requests.length < 40) await pause(20);

    const meanwhile: [string, () => Promise<Answer | Response>][] = [
      ["sign-in", async () => {
        const json = { identityToken: await api.identityToken(newAdmin()) };
        return await api.call("POST", "/api/auth/session", { json });
      }],
      ["billing info", () => api.call("GET", BILLING_INFO, { token: knownToken })],
      [
        "quota",
        () => api.call("POST", "/api/assistant/messages", { token: knownToken, json: { message: "Hello" } }),
      ],
      ["webhook of another customer", () => deliver(api, paid.event)],
      ["health", () => api.call("GET", "/api/health")],
    ];
    for (const [name, ask] of meanwhile) {
      const [{ status }, milliseconds] = await timed(ask());
      assert.equal(status, 200, name);
      assert.ok(milliseconds < AS_BEFORE_MS, `${name} took ${milliseconds} ms`);
    }
    const info = await api.call("GET", BILLING_INFO, { token: paid.token });
    assert.equal(info.body.plan.code, "pro", "the webhook was applied");
    const held = await sql`
      select state, query from pg_stat_activity
      where usename = 'billing_service' and datname = current_database() and state <> 'idle'`;
    assert.deepEqual([...held], [], "nothing is held in the database");

    for (const [answer, milliseconds] of await clicks) {
      assertProblem(answer, [503, "stripe_unavailable"]);
      assert.ok(Number(answer.headers.get("retry-after")) > 0);
      assert.ok(milliseconds < CALLER_MS, `answered after ${milliseconds} ms`);
    }
    const asked = between.requests.length;
    await pause(1_000);
    assert.deepEqual([open, between.requests.length - asked], [0, 0], "nothing goes on after the answer");
  } finally {
    silent[Symbol.dispose]();
  }
  const { status, body } = await api.call("POST", CHECKOUT, { token: knownToken, json: {} });
  assert.equal(status, 200);
  await assertOpenCheckout(shop, known, body.sessionId);
});

Deno.test("with a silent Stripe, thirty webhooks about which it has to be asked are answered 503 in time, and others as before", async () => {
  const { api, between, sql } = shop;
  const person = newAdmin();
  const token = await api.signIn(person);
  const paid = await paidUnnoticed();
  const unclear: Stripe.Event[] = [];
  for (let index = 0; index < 30; index++) {
    const { cid } = newAdmin();
    await addCommunities(sql, cid);
    const customer = `cus_${crypto.randomUUID().slice(0, 8)}`;
    await sql`select billing.link_customer(${cid}, ${customer})`;
    const object = { ...paid.event.data.object, id: `sub_of_${customer}`, customer };
    // What a payload of an old version means is asked of Stripe.
    const event = { ...paid.event, id: `evt_of_${customer}`, api_version: "2019-12-03", data: { object } };
    unclear.push(event as Stripe.Event);
  }

  using _silent = between.replace((_, original) => silence(original));
  between.clear();
  const deliveries = Promise.all(unclear.map((event) => timed(deliver(api, event))));
  while (between.requests.length < 30) await pause(20);
  for (
    const [name, ask] of [
      ["webhook of another customer", () => deliver(api, paid.event)],
      ["billing info", () => api.call("GET", BILLING_INFO, { token })],
      ["sign-in", async () => ({ status: await api.signIn(newAdmin()) && 200 })],
    ] as [string, () => Promise<{ status: number }>][]
  ) {
    const [{ status }, milliseconds] = await timed(ask());
    assert.equal(status, 200, name);
    assert.ok(milliseconds < AS_BEFORE_MS, `${name} took ${milliseconds} ms`);
  }
  for (const [{ status }, milliseconds] of await deliveries) {
    assert.equal(status, 503);
    assert.ok(milliseconds < 10_000, `answered after ${milliseconds} ms`);
  }
  const ids = unclear.map(({ id }) => id);
  const recorded = await sql`select distinct outcome from billing.stripe_events where id = any (${ids})`;
  assert.deepEqual([...recorded], [{ outcome: "pending" }], "kept, and asked about later");
});

Deno.test("any other answer that never comes, from Stripe or the browser, ends before the caller gives up, too", async () => {
  const { api, between } = shop;
  const ways: [string, string, (original: Request) => Response | Promise<Response>, [number, string]][] = [
    [
      "an answer whose body never ends",
      "POST /v1/customers",
      () =>
        new Response(
          new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode('{"id":')) }),
          { headers: { "content-type": "application/json" } },
        ),
      [503, "stripe_unavailable"],
    ],
    ["silence at the last question", "POST /v1/checkout/sessions", silence, [503, "stripe_unavailable"]],
    [
      "a request in progress for ever",
      "POST /v1/customers",
      () =>
        stripeError(409, { type: "idempotency_error", code: "idempotency_key_in_use", message: "In use." }),
      [503, "stripe_busy"],
    ],
  ];
  const stripeWays = ways.map(async ([name, where, answer, wanted]) => {
    const admin = newAdmin();
    const token = await api.signIn(admin);
    using _way = between.replace(({ what, body }, original) =>
      what === where && decodeURIComponent(body).includes(admin.cid) ? answer(original) : undefined
    );
    const [answered, milliseconds] = await timed(api.call("POST", CHECKOUT, { token, json: {} }));
    assertProblem(answered, wanted, name);
    assert.ok(milliseconds < CALLER_MS, `${name}: answered after ${milliseconds} ms`);
  });
  await Promise.all([...stripeWays, sendNoBody()]);
});

/** Sends a request whose body never arrives. */
async function sendNoBody() {
  const { api } = shop;
  const token = await api.signIn(newAdmin());
  const { hostname, port } = new URL(api.urls.plugin);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const begun = performance.now();
  const head =
    `POST ${CHECKOUT} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\n` +
    "content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
  await connection.write(new TextEncoder().encode(head));
  const bytes = new Uint8Array(4096);
  const length = await connection.read(bytes) ?? 0;
  const answer = new TextDecoder().decode(bytes.subarray(0, length));
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /body_timeout/);
  assert.ok(performance.now() - begun < CALLER_MS);
}

Deno.test("a checkout succeeds when Stripe is silent once", async () => {
  const { api, between } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  let times = 0;
  using _once = between.replace(({ what }, original) =>
    what === "POST /v1/customers" && times++ === 0 ? silence(original) : undefined
  );
  const [{ status, body }, milliseconds] = await timed(api.call("POST", CHECKOUT, { token, json: {} }));
  assert.equal(status, 200);
  assert.ok(milliseconds < CALLER_MS);
  await assertOpenCheckout(shop, admin, body.sessionId);
});

Deno.test("with a parent app whose keys never arrive, sign-in is answered 503 parent_unavailable and sessions go on", async () => {
  const { stack, startPlugin } = shop;
  await using hanging = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url, signal }) =>
      url.endsWith("/headers.json")
        ? new Response(new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode("{")) }))
        : new Promise<Response>((resolve) => signal.addEventListener("abort", () => resolve(new Response()))),
  );
  const admin = newAdmin();
  await shop.api.signIn(admin);
  await Promise.all(["silent.json", "headers.json"].map(async (path) => {
    const api = await startPlugin({
      PARENT_APP_JWT_SECRET: "",
      PARENT_APP_JWKS_URL: `http://127.0.0.1:${hanging.addr.port}/${path}`,
    });
    const signIns = Promise.all(Array.from({ length: 20 }, async () => {
      const json = { identityToken: await es256Token(stack.urls.parent, api.urls.plugin) };
      return await timed(api.call("POST", "/api/auth/session", { json }));
    }));
    const token = await api.sessionToken(admin);
    const [info, milliseconds] = await timed(api.call("GET", BILLING_INFO, { token }));
    assert.equal(info.status, 200);
    assert.ok(milliseconds < AS_BEFORE_MS, `billing info took ${milliseconds} ms`);
    for (const [answer, milliseconds] of await signIns) {
      assertProblem(answer, [503, "parent_unavailable"]);
      assert.ok(milliseconds < 10_000, `answered after ${milliseconds} ms`);
    }
  }));
});

/** An identity token that only keys from the parent app could verify. */
async function es256Token(issuer: string, audience: string): Promise<string> {
  const { privateKey } = await generateKeyPair("ES256");
  return await new SignJWT({
    sub: "ann",
    cid: "garden",
    adm: true,
    title: "Garden",
    jti: crypto.randomUUID(),
  })
    .setProtectedHeader({ alg: "ES256", kid: "k1" }).setIssuer(issuer).setAudience(audience)
    .setIssuedAt().setExpirationTime("1m").sign(privateKey);
}
