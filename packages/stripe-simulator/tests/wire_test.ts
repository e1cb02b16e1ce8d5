import assert from "node:assert/strict";
import Stripe from "stripe";
import { connect, createPro, openCheckout, pay, startSimulator } from "../testing.ts";

const endive = "2026-10-28.endive";

const keys: [key: string, status: 200 | 401, code?: string][] = [
  ["sk_test_abc", 200],
  ["rk_test_abc", 200],
  ["pk_test_abc", 401, "secret_key_required"],
  ["sk_live_abc", 401],
  ["nonsense", 401],
];

for (const [key, status, code] of keys) {
  Deno.test(`a request with the key ${key} is answered with ${status}`, async () => {
    await using rig = await startSimulator();
    const request = connect(rig.simulator, { key }).customers.list();
    if (status === 200) return assert.deepEqual((await request).data, []);
    await assert.rejects(request, { type: "StripeAuthenticationError", statusCode: 401, code });
  });
}

Deno.test("every reply has a request id, the API version and the date", async () => {
  await using rig = await startSimulator();
  const { lastResponse } = await rig.stripe.customers.create({}, { idempotencyKey: "key-1" });
  assert.match(lastResponse.requestId, /^req_\w+$/);
  assert.equal(lastResponse.apiVersion, endive);
  assert.equal(lastResponse.idempotencyKey, "key-1");
  assert.ok(Math.abs(Date.parse(header(lastResponse.headers, "date") ?? "") - Date.now()) < 5_000);
  const error = await failure(rig.stripe.customers.retrieve("cus_none"));
  assert.match(error.requestId ?? "", /^req_\w+$/);
});

Deno.test("a request with another API version is refused with 400", async () => {
  await using rig = await startSimulator();
  const error = await failure(rig.stripe.customers.list({}, { apiVersion: "2020-08-27" }));
  assert.equal(error.statusCode, 400);
  assert.match(error.message, /2020-08-27.*2026-10-28\.endive/);
});

Deno.test("an endpoint that is not simulated answers 404 and is logged", async () => {
  await using rig = await startSimulator();
  const error = await failure(rig.stripe.quotes.list());
  assert.equal(error.statusCode, 404);
  assert.equal(error.type, "StripeInvalidRequestError");
  assert.deepEqual(rig.log, ["not simulated: GET /v1/quotes"]);
});

const refusals: [
  name: string,
  request: (stripe: Stripe) => Promise<unknown>,
  expected: { statusCode: number; code: string; param: string },
][] = [
  ["an unknown id in the path", (stripe) => stripe.customers.retrieve("cus_none"), {
    statusCode: 404,
    code: "resource_missing",
    param: "id",
  }],
  [
    "an unknown id in the parameters",
    (stripe) => stripe.billingPortal.sessions.create({ customer: "cus_none" }),
    {
      statusCode: 400,
      code: "resource_missing",
      param: "customer",
    },
  ],
  ["a missing parameter", (stripe) => stripe.products.create({ name: undefined! }), {
    statusCode: 400,
    code: "parameter_missing",
    param: "name",
  }],
  ["an unknown parameter", (stripe) => stripe.customers.create(unknownParameter), {
    statusCode: 400,
    code: "parameter_unknown",
    param: "colour",
  }],
  ["an empty parameter", (stripe) => stripe.products.create({ name: "" }), {
    statusCode: 400,
    code: "parameter_invalid_empty",
    param: "name",
  }],
  ["a page that is too long", (stripe) => stripe.customers.list({ limit: 101 }), {
    statusCode: 400,
    code: "parameter_invalid_integer",
    param: "limit",
  }],
  ["an unknown cursor", (stripe) => stripe.customers.list({ starting_after: "cus_none" }), {
    statusCode: 400,
    code: "resource_missing",
    param: "starting_after",
  }],
];

for (const [name, request, expected] of refusals) {
  Deno.test(`${name} is refused with ${expected.statusCode} ${expected.code}`, async () => {
    await using rig = await startSimulator();
    await assert.rejects(request(rig.stripe), { type: "StripeInvalidRequestError", ...expected });
  });
}

Deno.test("metadata is merged, removed key by key, and removed as a whole", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const { id } = await stripe.customers.create({ metadata: { a: "1", b: "2" } });
  const update = async (metadata: Stripe.Emptyable<Stripe.MetadataParam>) =>
    (await stripe.customers.update(id, { metadata })).metadata;
  assert.deepEqual(await update({ b: "3", c: "4" }), { a: "1", b: "3", c: "4" });
  assert.deepEqual(await update({ a: "" }), { b: "3", c: "4" });
  assert.deepEqual(await update(""), {});
});

Deno.test("lists have pages, newest first", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) await stripe.customers.create({ name });
  const paged = await stripe.customers.list({ limit: 2 }).autoPagingToArray({ limit: 100 });
  assert.deepEqual(paged.map((customer) => customer.name), names.toReversed());

  const first = await stripe.customers.list({ limit: 2 });
  assert.equal(first.has_more, true);
  assert.equal(first.url, "/v1/customers");
  const second = await stripe.customers.list({ limit: 2, starting_after: first.data[1].id });
  const back = await stripe.customers.list({ limit: 2, ending_before: second.data[0].id });
  assert.deepEqual(back.data.map(({ id }) => id), first.data.map(({ id }) => id));
  assert.equal(back.has_more, false);
});

Deno.test("expand replaces ids by objects", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({ name: "Ada" });
  const opened = await openCheckout(stripe, pro.id, { customer: customer.id });
  await pay(simulator, opened.id);

  const plain = await stripe.checkout.sessions.retrieve(opened.id);
  assert.equal(plain.customer, customer.id);
  assert.equal(plain.line_items, undefined);

  const whole = await stripe.checkout.sessions.retrieve(opened.id, {
    expand: ["customer", "line_items.data.price.product", "subscription.latest_invoice.payments"],
  });
  assert.ok(typeof whole.customer === "object" && whole.customer && !whole.customer.deleted);
  assert.equal(whole.customer.name, "Ada");
  const product = whole.line_items?.data[0].price?.product;
  assert.ok(typeof product === "object" && !product.deleted);
  assert.equal(product.name, "Pro");
  assert.ok(typeof whole.subscription === "object");
  const invoice = whole.subscription?.latest_invoice;
  assert.ok(typeof invoice === "object");
  assert.equal(invoice?.payments?.data[0].amount_paid, 1500);

  const subscriptions = await stripe.subscriptions.list({ customer: customer.id, expand: ["data.customer"] });
  assert.ok(typeof subscriptions.data[0].customer === "object");
  await assert.rejects(stripe.customers.retrieve(customer.id, { expand: ["nothing"] }), { statusCode: 400 });
});

Deno.test("an idempotency key replays the first reply and creates no second object", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const first = await stripe.customers.create({ name: "Ada" }, { idempotencyKey: "k" });
  const again = await stripe.customers.create({ name: "Ada" }, { idempotencyKey: "k" });
  assert.equal(again.id, first.id);
  assert.equal(header(first.lastResponse.headers, "idempotent-replayed"), null);
  assert.equal(header(again.lastResponse.headers, "idempotent-replayed"), "true");
  assert.equal((await stripe.customers.list()).data.length, 1);
});

Deno.test("an idempotency key with other parameters is refused with 400", async () => {
  await using rig = await startSimulator();
  await rig.stripe.customers.create({ name: "Ada" }, { idempotencyKey: "k" });
  await assert.rejects(rig.stripe.customers.create({ name: "Bob" }, { idempotencyKey: "k" }), {
    type: "StripeIdempotencyError",
    statusCode: 400,
  });
});

Deno.test("an idempotency key replays errors, but not failed validations", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const options = { idempotencyKey: "k" };
  await assert.rejects(stripe.customers.create(unknownParameter, options), {
    statusCode: 400,
  });
  await stripe.customers.create({}, options);
  const missing = () =>
    failure(stripe.customers.update("cus_none", { name: "Ada" }, { idempotencyKey: "l" }));
  assert.equal((await missing()).statusCode, 404);
  assert.equal(header((await missing()).headers, "idempotent-replayed"), "true");
});

Deno.test("an idempotency key of a running request is refused with 409", async () => {
  await using rig = await startSimulator();
  rig.simulator.faults.add({ kind: "api_delay", target: "POST /v1/customers", next: 1, ms: 500 });
  const options = { idempotencyKey: "k" };
  const slow = rig.stripe.customers.create({ name: "Ada" }, options);
  while (rig.simulator.faults.list().length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await assert.rejects(rig.stripe.customers.create({ name: "Ada" }, options), {
    statusCode: 409,
    code: "idempotency_key_in_use",
  });
  assert.equal((await slow).name, "Ada");
});

Deno.test("the SDK's retry after a lost reply creates no second customer", async () => {
  await using rig = await startSimulator();
  const lostReply = {
    kind: "api_error",
    target: "POST /v1/customers",
    next: 1,
    status: 502,
    carried_out: true,
    stored: false,
  } as const;
  rig.simulator.faults.add(lostReply);
  const stripe = connect(rig.simulator, { maxNetworkRetries: 1 });
  const customer = await stripe.customers.create({ name: "Ada" });
  assert.deepEqual((await stripe.customers.list()).data.map(({ id }) => id), [customer.id]);
});

Deno.test("api_hang_up breaks the connection, and the idempotency key replays the reply", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  simulator.faults.add({ kind: "api_hang_up", target: "POST /v1/customers", next: 1 });
  const create = () => stripe.customers.create({ name: "Ada" }, { idempotencyKey: "k" });
  await assert.rejects(create(), { type: "StripeConnectionError" });
  const customer = await create();
  assert.deepEqual((await stripe.customers.list()).data.map(({ id }) => id), [customer.id]);
});

for (const [status, type] of [[429, "StripeRateLimitError"], [500, "StripeAPIError"]] as const) {
  Deno.test(`api_error ${status} refuses a request without carrying it out`, async () => {
    await using rig = await startSimulator();
    rig.simulator.faults.add({
      kind: "api_error",
      target: "POST /v1/customers",
      next: 1,
      status,
      carried_out: false,
    });
    await assert.rejects(rig.stripe.customers.create({}), { type, statusCode: status });
    assert.deepEqual((await rig.stripe.customers.list()).data, []);
  });
}

/** A parameter that the SDK's types do not allow. */
const unknownParameter: Stripe.CustomerCreateParams = Object.assign({ name: "Ada" }, { colour: "red" });

/** A header of a reply. The SDK's web build has a Headers object, its Node build a plain object. */
function header(headers: HeadersInit | undefined, name: string): string | null {
  return new Headers(headers).get(name);
}

async function failure(request: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await request;
  } catch (error) {
    assert.ok(error instanceof Stripe.errors.StripeError);
    return error;
  }
  throw new Error("The request was expected to fail");
}
