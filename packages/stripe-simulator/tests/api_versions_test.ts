// Objects and events in older API versions.
import assert from "node:assert/strict";
import type Stripe from "stripe";
import {
  at,
  createPro,
  openCheckout,
  pay,
  startReceiver,
  startSimulator,
  startSimulatorWithClock,
  subscribe,
  type TestSimulator,
} from "../testing.ts";

// deno-lint-ignore no-explicit-any -- older shapes have no types
type Json = any;

async function get({ simulator }: TestSimulator, path: string, version?: string): Promise<Json> {
  const response = await fetch(`${simulator.url}${path}`, {
    headers: {
      authorization: "Bearer sk_test_suite",
      ...(version === undefined ? {} : { "stripe-version": version }),
    },
  });
  assert.equal(response.status, 200, await response.clone().text());
  return await response.json();
}

async function subscribed(rig: TestSimulator): Promise<Stripe.Subscription> {
  const customer = await rig.stripe.customers.create({ payment_method: "pm_card_visa" });
  const [card] = (await rig.stripe.customers.listPaymentMethods(customer.id)).data;
  const price = await createPro(rig.stripe);
  return await rig.stripe.subscriptions.create({
    customer: customer.id,
    default_payment_method: card.id,
    items: [{ price: price.id }],
  });
}

async function eventOf(rig: TestSimulator, type: string): Promise<Json> {
  return (await get(rig, `/v1/events?type=${type}`)).data[0];
}

Deno.test("an event keeps the account's version of its time, whatever version lists it", async () => {
  await using rig = await startSimulator();
  rig.simulator.account.defaultVersion = "2025-02-24.acacia";
  await subscribed(rig);
  const created = await eventOf(rig, "customer.subscription.created");
  assert.equal(created.api_version, "2025-02-24.acacia");
  assert.equal(typeof created.data.object.current_period_end, "number");
  assert.equal(created.data.object.items.data[0].current_period_end, undefined);
  assert.equal(created.data.object.billing_mode, undefined);

  rig.simulator.account.defaultVersion = "2026-10-28.endive";
  assert.deepEqual(await eventOf(rig, "customer.subscription.created"), created);
  assert.deepEqual(await get(rig, `/v1/events/${created.id}`, "2026-10-28.endive"), created);
  const retrieved = await get(rig, `/v1/subscriptions/${created.data.object.id}`);
  assert.equal(retrieved.current_period_end, undefined);
  assert.equal(typeof retrieved.items.data[0].current_period_end, "number");
});

Deno.test("before 2025-03-31.basil an invoice has its subscription and payment, and its lines their price", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  await rig.stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ["invoice.paid"],
    api_version: "2024-06-20",
  });
  const subscription = await subscribed(rig);
  assert.equal(await rig.simulator.idle(), true);
  const [event]: Json[] = receiver.events();
  assert.equal(event.api_version, "2024-06-20");
  const invoice = event.data.object;
  assert.equal(invoice.subscription, subscription.id);
  assert.equal(invoice.paid, true);
  assert.match(invoice.payment_intent, /^pi_/);
  assert.match(invoice.charge, /^ch_/);
  assert.equal(invoice.discount, null);
  for (const key of ["parent", "total_taxes", "amount_overpaid", "status_details", "customer_account"]) {
    assert.ok(!(key in invoice), key);
  }
  const [line] = invoice.lines.data;
  assert.equal(line.price.object, "price");
  assert.equal(line.plan.object, "plan");
  assert.deepEqual([line.type, line.proration, line.subscription], ["subscription", false, subscription.id]);
  assert.ok(!("parent" in line) && !("pricing" in line) && !("taxes" in line));
});

Deno.test("before 2025-03-31.basil a renewal changes the subscription's own period", async () => {
  await using rig = await startSimulatorWithClock("2026-01-10T09:00:00Z");
  rig.simulator.account.defaultVersion = "2025-01-27.acacia";
  await subscribe(rig);
  await rig.advanceTo("2026-02-11");
  const event = await eventOf(rig, "customer.subscription.updated");
  assert.deepEqual(Object.keys(event.data.previous_attributes).toSorted(), [
    "current_period_end",
    "current_period_start",
    "latest_invoice",
  ]);
  assert.equal(event.data.previous_attributes.current_period_end, at("2026-02-10T09:00:00Z"));
  assert.equal(event.data.object.current_period_end, at("2026-03-10T09:00:00Z"));
});

Deno.test("an endpoint without a version gets events in the account's version", async () => {
  await using rig = await startSimulator();
  await using receiver = startReceiver();
  const endpoint = await rig.stripe.webhookEndpoints.create({
    url: receiver.url,
    enabled_events: ["customer.created"],
  });
  assert.equal(endpoint.api_version, null);
  rig.simulator.account.defaultVersion = "2020-08-27";
  await rig.stripe.customers.create({});
  assert.equal(await rig.simulator.idle(), true);
  assert.deepEqual(receiver.events().map(({ api_version }) => api_version), ["2020-08-27"]);
});

Deno.test("PUT /_sim/api_version sets the account's version and refuses an unknown one with 400", async () => {
  await using rig = await startSimulator();
  const put = (version: string) =>
    fetch(`${rig.simulator.url}/_sim/api_version`, {
      method: "PUT",
      body: JSON.stringify({ api_version: version }),
    });
  assert.deepEqual(await (await put("2025-08-27.basil")).json(), { api_version: "2025-08-27.basil" });
  assert.equal(rig.simulator.account.defaultVersion, "2025-08-27.basil");
  const refused = await put("2025-08-28");
  assert.equal(refused.status, 400);
  await refused.body?.cancel();
});

Deno.test("a request's version decides the fields of the reply", async () => {
  await using rig = await startSimulator();
  const { id, latest_invoice: invoice } = await subscribed(rig);
  const shown = async (version: string) => {
    const subscription = await get(rig, `/v1/subscriptions/${id}`, version);
    return ["status_details", "billing_schedules", "managed_payments", "customer_account", "billing_mode"]
      .filter((key) => key in subscription);
  };
  assert.deepEqual(await shown("2025-03-31.basil"), []);
  assert.deepEqual(await shown("2025-09-30.clover"), ["billing_mode"]);
  assert.deepEqual(await shown("2026-02-25.clover"), ["customer_account", "billing_mode"]);
  assert.deepEqual(await shown("2026-10-28.endive"), [
    "billing_schedules",
    "managed_payments",
    "customer_account",
    "billing_mode",
  ]);
  const basil = await get(rig, `/v1/invoices/${invoice}`, "2025-03-31.basil");
  assert.equal(basil.parent.subscription_details.subscription, id);
  assert.ok(!("quantity_decimal" in basil.lines.data[0]));

  const session = await openCheckout(rig.stripe, (await createPro(rig.stripe)).id);
  await pay(rig.simulator, session.id);
  const modes = ["2026-02-25.clover", "2026-03-25.dahlia"].map(async (version) =>
    (await get(rig, `/v1/checkout/sessions/${session.id}`, version)).ui_mode
  );
  assert.deepEqual(await Promise.all(modes), ["hosted", "hosted_page"]);
});
