// What a person and the operator see when Stripe refuses a checkout or the portal.
import assert from "node:assert/strict";
import { refusals } from "../../billing/stripe/refusals.ts";
import { assertProblem, newAdmin } from "../http/client.ts";
import { callSimulator } from "../support/simulator.ts";
import { CHECKOUT, openAnomalies, PORTAL, type Shop, startShop, stripeError } from "./rig.ts";

let shop: Shop;
Deno.test.beforeAll(async () => void (shop = await startShop()));
Deno.test.afterAll(() => shop?.stop());

const SESSIONS = "POST /v1/checkout/sessions";
const PORTALS = "POST /v1/billing_portal/sessions";
const CUSTOMERS = "POST /v1/customers";
const LISTS = "GET /v1/checkout/sessions";

interface Example {
  name: string;
  on: string;
  status: number;
  error: Record<string, unknown>;
  wanted: [status: number, code: string];
  anomaly?: "stripe_refused" | "price_archived";
}

/** Stripe's own words, as far as they are public. */
const examples: Example[] = [
  {
    name: "too many requests",
    on: SESSIONS,
    status: 429,
    error: { code: "rate_limit", message: "Request rate limit exceeded." },
    wanted: [503, "stripe_busy"],
  },
  {
    name: "an object that another request has locked",
    on: SESSIONS,
    status: 429,
    error: { code: "lock_timeout", message: "This object cannot be accessed right now." },
    wanted: [503, "stripe_busy"],
  },
  {
    name: "an idempotency key of another request",
    on: SESSIONS,
    status: 400,
    error: {
      type: "idempotency_error",
      message: "Keys for idempotent requests can only be used with the same parameters.",
    },
    wanted: [503, "stripe_busy"],
  },
  {
    name: "a failure inside Stripe",
    on: LISTS,
    status: 500,
    error: { type: "api_error", message: "An unknown error occurred." },
    wanted: [503, "stripe_unavailable"],
  },
  {
    name: "Stripe's tax service is down",
    on: SESSIONS,
    status: 400,
    error: { code: "taxes_calculation_failed", message: "Tax calculation failed." },
    wanted: [503, "stripe_unavailable"],
  },
  {
    name: "a price of the other mode",
    on: SESSIONS,
    status: 400,
    error: {
      code: "resource_missing",
      param: "line_items[0][price]",
      message:
        "No such price: 'price_x'; a similar object exists in test mode, but a live mode key was used to make this request.",
    },
    wanted: [503, "stripe_mode_mismatch"],
    anomaly: "stripe_refused",
  },
  {
    name: "the mode of key and object differ",
    on: PORTALS,
    status: 400,
    error: { code: "livemode_mismatch", message: "Test and live mode API keys are only available within." },
    wanted: [503, "stripe_mode_mismatch"],
    anomaly: "stripe_refused",
  },
  {
    name: "an account that is not activated",
    on: SESSIONS,
    status: 400,
    error: { code: "testmode_charges_only", message: "Your account cannot currently make live charges." },
    wanted: [503, "stripe_account_not_activated"],
    anomaly: "stripe_refused",
  },
  {
    name: "an account without a name",
    on: SESSIONS,
    status: 400,
    error: {
      message:
        "In order to use Checkout, you must set an account or business name at https://dashboard.stripe.com/account.",
    },
    wanted: [503, "stripe_account_not_activated"],
    anomaly: "stripe_refused",
  },
  {
    name: "a wrong key",
    on: CUSTOMERS,
    status: 401,
    error: { message: "Invalid API Key provided: sk_test_****" },
    wanted: [503, "stripe_key_refused"],
    anomaly: "stripe_refused",
  },
  {
    name: "an expired key",
    on: PORTALS,
    status: 401,
    error: { code: "api_key_expired", message: "Expired API Key provided: sk_test_****" },
    wanted: [503, "stripe_key_refused"],
    anomaly: "stripe_refused",
  },
  {
    name: "a missing permission",
    on: LISTS,
    status: 403,
    error: {
      message:
        "The provided key 'rk_test_****' does not have the required permissions. Having the 'rak_checkout_session_read' permission would allow this request to continue.",
    },
    wanted: [503, "stripe_permission_missing"],
    anomaly: "stripe_refused",
  },
  {
    name: "a portal that was never set up",
    on: PORTALS,
    status: 400,
    error: {
      message:
        "No configuration provided and your live mode default configuration has not been created. Provide a configuration or create your default by saving your customer portal settings in live mode at https://dashboard.stripe.com/settings/billing/portal.",
    },
    wanted: [503, "portal_not_configured"],
    anomaly: "stripe_refused",
  },
  {
    name: "a portal configuration of another account",
    on: PORTALS,
    status: 400,
    error: { code: "resource_missing", param: "configuration", message: "No such configuration: 'bpc_x'" },
    wanted: [503, "portal_not_configured"],
    anomaly: "stripe_refused",
  },
  {
    name: "an archived price",
    on: SESSIONS,
    status: 400,
    error: {
      param: "line_items[0][price]",
      message: "The price specified is inactive. This field only accepts active prices.",
    },
    wanted: [409, "price_archived"],
    anomaly: "price_archived",
  },
  {
    name: "an archived product",
    on: SESSIONS,
    status: 400,
    error: {
      message: "Price `price_x` is not available to be purchased because its product is not active.",
    },
    wanted: [409, "price_archived"],
    anomaly: "price_archived",
  },
  {
    name: "a price of another account",
    on: SESSIONS,
    status: 400,
    error: {
      code: "resource_missing",
      param: "line_items[0][price]",
      message: "No such price: 'price_x'",
    },
    wanted: [409, "price_missing"],
    anomaly: "stripe_refused",
  },
  {
    name: "a customer that is deleted each time",
    on: SESSIONS,
    status: 400,
    error: { code: "resource_missing", param: "customer", message: "No such customer: 'cus_x'" },
    wanted: [503, "customer_missing"],
    anomaly: "stripe_refused",
  },
  {
    name: "two currencies of a customer",
    on: SESSIONS,
    status: 400,
    error: {
      message:
        "You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, quote, or invoice item with currency eur",
    },
    wanted: [409, "currency_conflict"],
    anomaly: "stripe_refused",
  },
  {
    name: "too many subscriptions",
    on: SESSIONS,
    status: 400,
    error: {
      code: "customer_max_subscriptions",
      message: "Customer cus_x already has the maximum 500 current subscriptions",
    },
    wanted: [409, "subscription_limit"],
    anomaly: "stripe_refused",
  },
  {
    name: "tax without a head office address",
    on: SESSIONS,
    status: 400,
    error: {
      code: "stripe_tax_inactive",
      message: "You must have a valid head office address to enable automatic tax calculation in test mode.",
    },
    wanted: [503, "tax_not_configured"],
    anomaly: "stripe_refused",
  },
  {
    name: "a customer without an address for tax",
    on: SESSIONS,
    status: 400,
    error: {
      code: "customer_tax_location_invalid",
      message: "The customer's location isn't recognized. Set a valid customer address.",
    },
    wanted: [409, "address_required"],
  },
  {
    name: "no payment method",
    on: SESSIONS,
    status: 400,
    error: {
      message:
        "No valid payment method types for this Checkout Session. Please ensure that you have activated payment methods compatible with your chosen currency.",
    },
    wanted: [503, "payment_methods_not_configured"],
    anomaly: "stripe_refused",
  },
  {
    name: "an amount below Stripe's least",
    on: SESSIONS,
    status: 400,
    error: {
      code: "amount_too_small",
      message: "The Checkout Session's total amount must convert to at least 50 cents.",
    },
    wanted: [409, "price_amount_refused"],
    anomaly: "stripe_refused",
  },
  {
    name: "an address to return to without https",
    on: SESSIONS,
    status: 400,
    error: {
      code: "url_invalid",
      param: "success_url",
      message: "Livemode requests must always be redirected via HTTPS.",
    },
    wanted: [503, "return_address_refused"],
    anomaly: "stripe_refused",
  },
  {
    name: "anything else",
    on: SESSIONS,
    status: 400,
    error: { code: "parameter_unknown", message: "Received unknown parameter: line_items[0][cost]" },
    wanted: [503, "stripe_refused"],
    anomaly: "stripe_refused",
  },
  {
    name: "anything else, with a declined card",
    on: PORTALS,
    status: 402,
    error: { type: "card_error", code: "card_declined", message: "Your card was declined." },
    wanted: [503, "stripe_refused"],
    anomaly: "stripe_refused",
  },
];

Deno.test("the examples cover every row of the table of refusals", () => {
  const shown = new Set(examples.map(({ wanted: [, code] }) => code));
  assert.deepEqual(refusals.map(({ code }) => code).filter((code) => !shown.has(code)), []);
});

for (const { name, on, status, error, wanted, anomaly } of examples) {
  Deno.test(`a refusal of Stripe's is answered ${wanted.join(" ")}: ${name}`, async () => {
    const { api, between } = shop;
    const admin = newAdmin();
    const token = await api.signIn(admin);
    const isPortal = on === PORTALS;
    if (isPortal) await api.call("POST", CHECKOUT, { token, json: {} });
    const ask = () => api.call("POST", isPortal ? PORTAL : CHECKOUT, { token, json: {} });

    {
      using _refused = between.replace(({ what }) => what === on ? stripeError(status, error) : undefined);
      const answer = await ask();
      assertProblem(answer, wanted);
      const { actor, requestId, retryable } = answer.body;
      const isPassing = ["stripe_busy", "stripe_unavailable"].includes(wanted[1]);
      assert.deepEqual([retryable, requestId], [isPassing, "req_refused"]);
      assert.equal(
        actor,
        isPassing ? "anyone" : refusals.find(({ code }) => code === wanted[1])?.actor ?? "operator",
      );
      assert.equal(answer.headers.has("retry-after"), isPassing);
      assert.ok(!answer.body.detail.includes(error.message), "what Stripe wrote is for the operator");
    }
    if (anomaly) {
      const [opened, ...others] = await openAnomalies(shop, anomaly);
      assert.deepEqual(others, []);
      assert.ok(
        opened.detail.includes(error.message) && opened.detail.includes("req_refused"),
        opened.detail,
      );
    }
    assert.equal((await ask()).status, 200, "works again");
    for (const kind of ["stripe_refused", "price_archived"]) {
      assert.deepEqual(await openAnomalies(shop, kind), [], "closed when it worked again");
    }
  });
}

Deno.test("an anomaly of a refusal is counted again, and another community's checkout closes only what concerns all", async () => {
  const { api, between, sql } = shop;
  const [one, other] = [newAdmin(), newAdmin()];
  const tokens = [await api.signIn(one), await api.signIn(other)];
  const refuse = (status: number, message: string) =>
    between.replace(({ what }) => what === SESSIONS ? stripeError(status, { message }) : undefined);
  {
    using _refused = refuse(400, "You cannot combine currencies on a single customer.");
    await api.call("POST", CHECKOUT, { token: tokens[0], json: {} });
    await api.call("POST", CHECKOUT, { token: tokens[0], json: {} });
  }
  {
    using _refused = refuse(403, "The provided key does not have the required permissions.");
    await api.call("POST", CHECKOUT, { token: tokens[0], json: {} });
  }
  const rows = await sql`
    select community_id, seen from billing.anomalies where resolved_at is null order by community_id nulls last`;
  assert.deepEqual([...rows], [{ community_id: one.cid, seen: 2 }, { community_id: null, seen: 1 }]);
  assert.equal((await api.call("POST", CHECKOUT, { token: tokens[1], json: {} })).status, 200);
  const left = await openAnomalies(shop, "stripe_refused");
  assert.deepEqual(left.map(({ community_id }) => community_id), [one.cid]);
  assert.equal((await api.call("POST", CHECKOUT, { token: tokens[0], json: {} })).status, 200);
  assert.deepEqual(await openAnomalies(shop, "stripe_refused"), []);
});

Deno.test("a plan whose price was archived in Stripe is refused until the price is active again", async () => {
  const { api, stripe, sql } = shop;
  const token = await api.signIn(newAdmin());
  const [{ stripe_price_id: price }] = await sql`select stripe_price_id from public.plans where code = 'pro'`;
  await stripe.prices.update(price, { active: false });
  try {
    assertProblem(await api.call("POST", CHECKOUT, { token, json: {} }), [409, "price_archived"]);
  } finally {
    await stripe.prices.update(price, { active: true });
  }
  assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).status, 200);
});

Deno.test("a community that pays another app in another currency is told so", async () => {
  const { api, stripe } = shop;
  const admin = newAdmin();
  const token = await api.signIn(admin);
  await api.call("POST", CHECKOUT, { token, json: {} });
  const [{ stripe_customer_id: customer }] = await shop
    .sql`select stripe_customer_id from public.communities where id = ${admin.cid}`;
  const product = await stripe.products.create({ name: "Course" });
  const price = await stripe.prices.create({
    product: product.id,
    currency: "eur",
    unit_amount: 900,
    recurring: { interval: "month" },
  });
  const card = await stripe.paymentMethods.attach("pm_card_visa", { customer });
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price: price.id }],
    default_payment_method: card.id,
  });
  await callSimulator(shop.stack, "GET", "/_sim/idle");
  assertProblem(await api.call("POST", CHECKOUT, { token, json: { uiMode: "embedded" } }), [
    409,
    "currency_conflict",
  ]);
  await stripe.subscriptions.cancel(id);
  await callSimulator(shop.stack, "GET", "/_sim/idle");
  assert.equal((await api.call("POST", CHECKOUT, { token, json: { uiMode: "embedded" } })).status, 200);
});

Deno.test("a restricted key without the portal's permission sells plans and says what it lacks", async () => {
  const { stack, startPlugin } = shop;
  const permissions = ["checkout_session_write", "customer_write", "subscription_read", "invoice_read"];
  const key = "rk_test_without_portal";
  await callSimulator(stack, "PUT", `/_sim/restricted_keys/${key}`, { permissions });
  const api = await startPlugin({ STRIPE_SECRET_KEY: key });
  const token = await api.signIn(newAdmin());
  assert.equal((await api.call("POST", CHECKOUT, { token, json: {} })).status, 200);
  assertProblem(await api.call("POST", PORTAL, { token, json: {} }), [503, "stripe_permission_missing"]);
  const [anomaly] = await openAnomalies(shop, "stripe_refused");
  assert.match(anomaly.detail, /rak_customer_portal_write/);
  const granted = [...permissions, "customer_portal_write"];
  await callSimulator(stack, "PUT", `/_sim/restricted_keys/${key}`, { permissions: granted });
  assert.equal((await api.call("POST", PORTAL, { token, json: {} })).status, 200);
  assert.deepEqual(await openAnomalies(shop, "stripe_refused"), []);
});
