// A community's Stripe customer: made once, whatever the community is called and whatever Stripe answers; replaced when Stripe
// no longer has it; never another app's.
import assert from "node:assert/strict";
import fc from "fast-check";
import { assertProblem, newAdmin } from "../http/client.ts";
import { callSimulator, payCheckout } from "../support/simulator.ts";
import {
  assertOpenCheckout,
  BILLING_INFO,
  CHECKOUT,
  customerOf,
  customersAtStripe,
  deleteCustomer,
  openAnomalies,
  PORTAL,
  type Shop,
  startShop,
  stripeError,
} from "./rig.ts";

let shop: Shop;
Deno.test.beforeAll(async () => void (shop = await startShop()));
Deno.test.afterAll(() => shop?.stop());

const addFault = (fault: Record<string, unknown>) => callSimulator(shop.stack, "POST", "/_sim/faults", fault);

Deno.test("a community with any text as its id can pay", async () => {
  const { api, stack } = shop;
  const suffix = crypto.randomUUID();
  for (const name of ["花園", "Сад и огород", "🌻🪴", "حديقة", "jardín ñ", "a/b?c=d#e", `"quoted" 'id'`]) {
    const admin = newAdmin({ cid: `${name} ${suffix}`, title: name });
    const token = await api.signIn(admin);
    const { status, body } = await api.call("POST", CHECKOUT, { token, json: {} });
    assert.equal(status, 200, name);
    await payCheckout(stack, body.sessionId);
    const info = await api.call("GET", BILLING_INFO, { token });
    assert.equal(info.body.plan.code, "pro", name);
  }
});

Deno.test("a community with a random id of up to 128 characters gets a customer and a checkout of its own", async () => {
  const { api } = shop;
  const ids = fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 }).map((text) =>
    `${text}${crypto.randomUUID()}`
  ).filter((id) => id.length <= 128 && id === id.trim() && !/\p{Cc}/u.test(id) && id.isWellFormed());
  await fc.assert(
    fc.asyncProperty(ids, async (cid) => {
      const admin = newAdmin({ cid, title: "Random" });
      const { status, body } = await api.call("POST", CHECKOUT, { token: await api.signIn(admin), json: {} });
      assert.equal(status, 200);
      await assertOpenCheckout(shop, admin, body.sessionId);
      const customers = await customersAtStripe(shop, admin);
      assert.deepEqual(customers.map(({ id }) => id), [await customerOf(shop, admin)]);
    }),
    { numRuns: 20 },
  );
});

Deno.test("a checkout succeeds after Stripe answered 500 when it was to create the customer", async () => {
  const { api, between } = shop;
  const admin = newAdmin({ cid: `花園-${crypto.randomUUID()}` });
  const token = await api.signIn(admin);
  await addFault({ kind: "api_error", target: "POST /v1/customers", status: 500, next: 1 });
  between.clear();
  const { status, body } = await api.call("POST", CHECKOUT, { token, json: {} });
  assert.equal(status, 200);
  await assertOpenCheckout(shop, admin, body.sessionId);
  const keys = between.requests.filter(({ what }) => what === "POST /v1/customers").map((
    { idempotencyKey },
  ) => idempotencyKey);
  assert.deepEqual(
    [keys.length, new Set(keys).size, keys[0] === keys[1]],
    [3, 2, true],
    "the same key, then another",
  );
});

Deno.test("a checkout succeeds after Stripe answered 500 when it was to create the session", async () => {
  const { api } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  await addFault({ kind: "api_error", target: "POST /v1/checkout/sessions", status: 500, next: 1 });
  const { status, body } = await api.call("POST", CHECKOUT, { token, json: {} });
  assert.equal(status, 200);
  await assertOpenCheckout(shop, admin, body.sessionId);
  assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).body.sessionId, body.sessionId);
});

Deno.test("checkouts while Stripe fails are answered 503, and the first one afterwards succeeds", async () => {
  const { api } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  await addFault({ kind: "api_error", target: "POST /v1/customers", status: 500, next: 1000 });
  try {
    for (let click = 0; click < 2; click++) {
      const answer = await api.call("POST", CHECKOUT, { token, json: {} });
      assertProblem(answer, [503, "stripe_unavailable"]);
      assert.ok(Number(answer.headers.get("retry-after")) > 0);
    }
  } finally {
    await callSimulator(shop.stack, "DELETE", "/_sim/faults");
  }
  assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).status, 200);
  assert.equal((await customersAtStripe(shop, admin)).length, 1);
});

Deno.test("ten simultaneous checkouts make one customer although Stripe keeps a 500 for the first key", async () => {
  const { api } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  await addFault({ kind: "api_error", target: "POST /v1/customers", status: 500, next: 1 });
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => api.call("POST", CHECKOUT, { token, json: {} })),
  );
  assert.deepEqual(answers.map(({ status }) => status), Array(10).fill(200));
  assert.equal(new Set(answers.map(({ body }) => body.sessionId)).size, 1);
  assert.equal((await customersAtStripe(shop, admin)).length, 1);
});

Deno.test("a refusal that Stripe keeps for a key does not outlive its cause", async () => {
  const { api, between } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const kept = new Set<string | null>();
  let isRefusing = true;
  using _stored = between.replace(({ what, idempotencyKey }) => {
    if (what !== "POST /v1/customers") return undefined;
    const refusal = { message: "The provided key does not have the required permissions." };
    if (kept.has(idempotencyKey)) return stripeError(403, refusal, { "idempotent-replayed": "true" });
    if (!isRefusing) return undefined;
    kept.add(idempotencyKey);
    return stripeError(403, refusal);
  });
  assertProblem(await api.call("POST", CHECKOUT, { token, json: {} }), [503, "stripe_permission_missing"]);
  isRefusing = false;
  assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).status, 200);
});

/** An admin whose community has a customer, which then is deleted in Stripe without a word. */
async function adminWithLostCustomer() {
  const admin = newAdmin();
  const token = await shop.api.signIn(admin);
  await shop.api.call("POST", CHECKOUT, { token, json: {} });
  const lost = (await customerOf(shop, admin))!;
  await deleteCustomer(shop, lost);
  return { admin, token, lost };
}

Deno.test("the portal of a customer that was deleted in the dashboard is answered no_customer, and a checkout makes another", async () => {
  const { api } = shop;
  for (const flow of [undefined, "payment_method_update"]) {
    const { admin, token, lost } = await adminWithLostCustomer();
    const json = flow ? { flow } : {};
    assertProblem(await api.call("POST", PORTAL, { token, json }), [409, "no_customer"]);
    assert.equal(await customerOf(shop, admin), null);
    assertProblem(await api.call("POST", PORTAL, { token, json }), [409, "no_customer"]);
    assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).status, 200);
    assert.notEqual(await customerOf(shop, admin), lost);
    assert.equal((await api.call("POST", PORTAL, { token, json })).status, 200);
  }
});

Deno.test("a deleted customer is replaced wherever Stripe first says that it has none", async () => {
  const { api, between } = shop;
  const missing = (param: string, id: string) =>
    stripeError(400, { code: "resource_missing", param, message: `No such customer: '${id}'` });
  for (
    const [where, param] of [
      ["GET /v1/checkout/sessions", "customer"],
      ["GET /v1/subscriptions", "customer"],
      ["POST /v1/checkout/sessions", "customer"],
    ]
  ) {
    const admin = newAdmin();
    const token = await api.signIn(admin);
    await api.call("POST", CHECKOUT, { token, json: {} });
    const lost = (await customerOf(shop, admin))!;
    using _only = between.replace(({ what, body }, { url }) =>
      what === where && `${url} ${body}`.includes(lost) ? missing(param, lost) : undefined
    );
    const { status, body } = await api.call("POST", CHECKOUT, { token, json: { uiMode: "embedded" } });
    assert.equal(status, 200, where);
    await assertOpenCheckout(shop, admin, body.sessionId);
    assert.notEqual(await customerOf(shop, admin), lost, where);
  }
});

Deno.test("a customer that was deleted between creating and naming it is replaced", async () => {
  const { api, between } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  let lost = 0;
  using _deleted = between.replace(({ what }) => {
    const id = what.match(/^POST \/v1\/customers\/(cus_\w+)$/)?.[1];
    if (id === undefined || lost++ > 0) return undefined;
    return stripeError(404, { code: "resource_missing", param: "id", message: `No such customer: '${id}'` });
  });
  assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).status, 200);
  assert.equal(lost, 2, "named twice");
});

Deno.test("a name that Stripe does not accept keeps nobody from paying", async () => {
  const { api, between } = shop;
  using _refused = between.replace(({ what }) =>
    /^POST \/v1\/customers\/cus_/.test(what)
      ? stripeError(400, { param: "name", message: "Invalid string: …; must be at most 4 characters" })
      : undefined
  );
  const token = await api.signIn(newAdmin());
  assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).status, 200);
});

Deno.test("a customer that Stripe never keeps is replaced once a request, and the answer is 503 customer_missing", async () => {
  const { api, between } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  between.clear();
  {
    using _gone = between.replace(({ what }) =>
      what === "GET /v1/subscriptions"
        ? stripeError(400, {
          code: "resource_missing",
          param: "customer",
          message: "No such customer: 'cus_x'",
        })
        : undefined
    );
    assertProblem(await api.call("POST", CHECKOUT, { token, json: {} }), [503, "customer_missing"]);
  }
  assert.equal(between.requests.filter(({ what }) => what === "POST /v1/customers").length, 2);
  const [anomaly] = await openAnomalies(shop, "stripe_refused");
  assert.equal(anomaly.community_id, admin.cid);
  assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).status, 200);
});

Deno.test("a customer and a session of the other mode are noticed: the checkout makes new ones, the portal says no_customer", async () => {
  const { api, sql, stack } = shop;
  for (const path of [CHECKOUT, PORTAL]) {
    const admin = newAdmin();
    const token = await api.signIn(admin);
    const other = `cus_live${crypto.randomUUID().slice(0, 8)}`;
    await callSimulator(stack, "POST", "/_sim/live_objects", { id: other });
    await sql`select billing.link_customer(${admin.cid}, ${other})`;
    const answer = await api.call("POST", path, { token, json: {} });
    if (path === PORTAL) assertProblem(answer, [409, "no_customer"]);
    else await assertOpenCheckout(shop, admin, answer.body.sessionId);
    assert.notEqual(await customerOf(shop, admin), other);
  }

  const admin = newAdmin();
  const token = await api.signIn(admin);
  const first = await api.call("POST", CHECKOUT, { token, json: {} });
  await sql`update billing.checkout_attempts set session_id = 'cs_live_elsewhere' where community_id = ${admin.cid}`;
  const second = await api.call("POST", CHECKOUT, { token, json: {} });
  assert.equal(second.status, 200);
  assert.notEqual(second.body.sessionId, first.body.sessionId);
  assert.equal((await shop.stripe.checkout.sessions.retrieve(first.body.sessionId)).status, "expired");
});

Deno.test("the portal under a key of another mode or account forgets no customer of a community that pays", async () => {
  const { api, stack, between } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const { body } = await api.call("POST", CHECKOUT, { token, json: {} });
  await payCheckout(stack, body.sessionId);
  const customer = await customerOf(shop, admin);
  for (
    const [message, code] of [
      [
        `No such customer: '${customer}'; a similar object exists in live mode, but a test mode key was used to make this request.`,
        "stripe_mode_mismatch",
      ],
      [`No such customer: '${customer}'`, "customer_missing"],
    ]
  ) {
    using _elsewhere = between.replace(({ what }) => {
      const isPortal = what === "POST /v1/billing_portal/sessions";
      if (!isPortal && what !== `GET /v1/customers/${customer}`) return undefined;
      const param = isPortal ? "customer" : "id";
      return stripeError(isPortal ? 400 : 404, { code: "resource_missing", param, message });
    });
    assertProblem(await api.call("POST", PORTAL, { token, json: {} }), [503, code]);
    assert.equal(await customerOf(shop, admin), customer);
  }
  assert.equal((await api.call("POST", PORTAL, { token, json: {} })).status, 200);
  assert.deepEqual(await openAnomalies(shop, "stripe_refused"), []);
});

Deno.test("the portal forgets a deleted customer although its subscription seems to go on", async () => {
  const { api, stack } = shop;
  const admin = newAdmin();
  const token = await api.upgrade(admin);
  await callSimulator(stack, "POST", "/_sim/faults", { kind: "drop_delivery", target: "*", next: 1000 });
  try {
    await deleteCustomer(shop, (await customerOf(shop, admin))!, { isLost: false });
  } finally {
    await callSimulator(stack, "DELETE", "/_sim/faults");
  }
  assertProblem(await api.call("POST", PORTAL, { token, json: {} }), [409, "no_customer"]);
  assert.equal(await customerOf(shop, admin), null);
});

Deno.test("another app's customer and session that name the same community are never ours", async () => {
  const { api, stripe, stack } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  const theirs = await stripe.customers.create({ metadata: { community_id: admin.cid } });
  const [{ stripe_price_id: price }] = await shop.sql`
    select stripe_price_id from public.plans where code = 'pro'`;
  const sessionOf = (customer: string) =>
    stripe.checkout.sessions.create({
      mode: "subscription",
      customer,
      client_reference_id: admin.cid,
      line_items: [{ price, quantity: 1 }],
      metadata: { community_id: admin.cid, attempt: "0" },
      success_url: "https://other.example/",
    });
  const theirSession = await sessionOf(theirs.id);
  await callSimulator(stack, "GET", "/_sim/idle");

  const first = await api.call("POST", CHECKOUT, { token, json: {} });
  const ours = (await customerOf(shop, admin))!;
  assert.notEqual(ours, theirs.id, "not adopted");
  const onOurs = await sessionOf(ours);
  const second = await api.call("POST", CHECKOUT, { token, json: { uiMode: "embedded" } });
  assert.equal(second.status, 200);
  const status = async (id: string) => (await stripe.checkout.sessions.retrieve(id)).status;
  assert.equal(await status(first.body.sessionId), "expired", "ours is");
  assert.deepEqual(
    [await status(theirSession.id), await status(onOurs.id)],
    ["open", "open"],
    "theirs are not",
  );

  await payCheckout(stack, theirSession.id);
  const { body } = await api.call("GET", BILLING_INFO, { token });
  assert.equal(body.plan.code, "free", "what their customer pays gives this community nothing");
  assert.equal(await customerOf(shop, admin), ours, "not linked");
});

/** Subscribes the community's customer to another app's product, besides Dues. */
async function subscribeElsewhere(customer: string, more: { plan?: string; addOns?: number } = {}) {
  const { stripe } = shop;
  const product = await stripe.products.create({ name: "Another app" });
  const priceOf = async (amount: number) =>
    (await stripe.prices.create({
      product: product.id,
      currency: "usd",
      unit_amount: amount,
      recurring: { interval: "month" },
    })).id;
  const items: { price: string }[] = [];
  for (let index = 0; index < (more.addOns ?? 1); index++) items.push({ price: await priceOf(100 + index) });
  if (more.plan) items.push({ price: more.plan });
  const card = await stripe.paymentMethods.attach("pm_card_visa", { customer });
  // Stripe takes 20 items at once.
  const { id } = await stripe.subscriptions.create({
    customer,
    items: items.slice(0, 20),
    default_payment_method: card.id,
  });
  for (const item of items.slice(20)) await stripe.subscriptionItems.create({ subscription: id, ...item });
}

Deno.test("a subscription that sells no plan blocks no checkout, before and after its webhook", async () => {
  const { api, stack } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  await api.call("POST", CHECKOUT, { token, json: {} });
  await subscribeElsewhere((await customerOf(shop, admin))!);
  assert.equal((await api.call("POST", CHECKOUT, { token, json: { uiMode: "embedded" } })).status, 200);
  await callSimulator(stack, "GET", "/_sim/idle");
  assert.equal((await api.call("POST", CHECKOUT, { token, json: { uiMode: "embedded" } })).status, 200);
});

Deno.test("a subscription that sells the plan behind 24 add-ons blocks a checkout before its webhook", async () => {
  const { api, sql } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  await api.call("POST", CHECKOUT, { token, json: {} });
  const [{ stripe_price_id: plan }] = await sql`select stripe_price_id from public.plans where code = 'pro'`;
  await addFault({ kind: "drop_delivery", target: "*", next: 1000 });
  try {
    await subscribeElsewhere((await customerOf(shop, admin))!, { plan, addOns: 24 });
    assertProblem(
      await api.call("POST", CHECKOUT, { token, json: { uiMode: "embedded" } }),
      [409, "already_subscribed"],
    );
  } finally {
    await callSimulator(shop.stack, "DELETE", "/_sim/faults");
  }
});
