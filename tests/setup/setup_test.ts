// setUpStripe on the Stripe simulator and a real database: what it creates, that it can be repeated, and what it changes.
import assert from "node:assert/strict";
import Stripe from "stripe";
import { PlansFileError, readPlansFile } from "../../billing/setup/plans_file.ts";
import { loadPlans, setUpStripe } from "../../billing/setup/setup.ts";
import { handledEventTypes } from "../../billing/events/read_event.ts";
import { handledThinEventTypes } from "../../billing/events/thin_event.ts";
import { startSimulator } from "@dues/stripe-simulator/testing";
import { createDatabase } from "../support/database.ts";

const webhookUrl = "https://project.supabase.example/functions/v1/stripe-webhook";

const plansFile = ({ price = 2900, more = "" } = {}) =>
  readPlansFile(`
currency = "usd"

[features.image]
name = "Images"
unit = "image"
meter_event_name = "dues_image"
unit_price_cents = 4

[plans.free]
name = "Free"
rank = 0
is_default = true

[[plans.free.limits]]
feature = "image"
quota = 5
window = "calendar month"

[plans.pro]
name = "Pro"
rank = 10
price_cents = ${price}
billing_interval = "month"
trial_days = 14

[[plans.pro.limits]]
feature = "image"
quota = 1_000
window = "30 days"
${more}`);

async function setUp() {
  const database = await createDatabase();
  const { stripe, ...rig } = await startSimulator();
  const sql = database.connect("postgres");
  return {
    sql,
    stripe,
    run: (plans = plansFile(), dryRun = false) => setUpStripe({ stripe, sql, plans, webhookUrl, dryRun }),
    async [Symbol.asyncDispose]() {
      await rig.simulator.stop();
      await database.drop();
    },
  };
}

Deno.test("setUpStripe creates prices, meters, portal and event destinations, and stores their ids", async () => {
  await using it = await setUp();
  const { prices, portalConfigurationId, webhookEndpoint, thinEventDestination } = await it.run();

  const price = await it.stripe.prices.retrieve(prices.pro);
  assert.deepEqual([price.unit_amount, price.currency, price.recurring?.interval, price.lookup_key], [
    2900,
    "usd",
    "month",
    "dues_pro_month",
  ]);
  assert.equal(price.product, "dues_pro");

  const [meter] = (await it.stripe.billing.meters.list()).data;
  assert.deepEqual([meter.event_name, meter.display_name, meter.default_aggregation.formula], [
    "dues_image",
    "Images",
    "sum",
  ]);
  const [stored] = await it.sql`select * from billing.metered_prices`;
  const metered = await it.stripe.prices.retrieve(stored.stripe_price_id);
  assert.deepEqual([
    stored.feature,
    metered.unit_amount,
    metered.recurring?.usage_type,
    metered.recurring?.meter,
  ], [
    "image",
    4,
    "metered",
    meter.id,
  ]);

  const configuration = await it.stripe.billingPortal.configurations.retrieve(portalConfigurationId);
  assert.equal(configuration.features.subscription_cancel.mode, "at_period_end");

  const endpoint = await it.stripe.webhookEndpoints.retrieve(webhookEndpoint.id);
  assert.deepEqual(new Set(endpoint.enabled_events), new Set<string>(handledEventTypes));
  assert.deepEqual([endpoint.url, endpoint.api_version], [webhookUrl, Stripe.API_VERSION]);
  assert.match(webhookEndpoint.secret!, /^whsec_/);
  const thin = await it.stripe.v2.core.eventDestinations.retrieve(thinEventDestination.id, {
    include: ["webhook_endpoint.url"],
  });
  assert.deepEqual([thin.event_payload, thin.enabled_events, thin.webhook_endpoint?.url], [
    "thin",
    handledThinEventTypes,
    webhookUrl,
  ]);
  assert.match(thinEventDestination.secret!, /^whsec_/);

  const [pro] = await it.sql`select stripe_price_id, trial_days from public.plans where code = 'pro'`;
  assert.deepEqual({ ...pro }, { stripe_price_id: prices.pro, trial_days: 14 });
  const [feature] = await it
    .sql`select is_metered, meter_event_name from public.features where code = 'image'`;
  assert.deepEqual({ ...feature }, { is_metered: true, meter_event_name: "dues_image" });
  const limits = await it.sql`
    select p.code, l.quota_window::text, l.period, l.quota from public.plan_limits l
    join public.plans p on p.id = l.plan_id where feature = 'image' order by 1`;
  assert.deepEqual(limits.map((row) => Object.values(row)), [
    ["free", "1 mon", "calendar_month", "5"],
    ["pro", "30 days", "rolling", "1000"],
  ]);
});

Deno.test("setUpStripe changes nothing when it runs again", async () => {
  await using it = await setUp();
  const first = await it.run();
  const { changes, webhookEndpoint, thinEventDestination, ...again } = await it.run();
  assert.deepEqual(changes, []);
  assert.deepEqual([again.prices, again.portalConfigurationId], [first.prices, first.portalConfigurationId]);
  assert.deepEqual(webhookEndpoint, { id: first.webhookEndpoint.id, secret: null });
  assert.deepEqual(thinEventDestination, { id: first.thinEventDestination.id, secret: null });
  assert.equal((await it.stripe.prices.list({ limit: 100 })).data.length, 2);
});

Deno.test("setUpStripe with dryRun describes every change and makes none", async () => {
  await using it = await setUp();
  const planned = (await it.run(plansFile(), true)).changes;
  assert.equal((await it.stripe.products.list()).data.length, 0);
  assert.equal((await it.stripe.webhookEndpoints.list()).data.length, 0);
  assert.equal((await it.sql`select from public.features where code = 'image'`).length, 0);
  for (
    const part of [
      "product dues_pro",
      "price of plan pro",
      "meter dues_image",
      "webhook endpoint",
      "thin event",
    ]
  ) {
    assert.ok(planned.some((sentence) => sentence.includes(part)), `${part} in\n${planned.join("\n")}`);
  }
  assert.equal((await it.run()).changes.length, planned.length);
});

Deno.test("setUpStripe replaces the price of a plan; the old price is inactive but still maps to the plan", async () => {
  await using it = await setUp();
  const { prices: { pro: old } } = await it.run();
  const { prices: { pro }, changes } = await it.run(plansFile({ price: 3900 }));
  assert.notEqual(pro, old);
  assert.deepEqual(changes, [
    "Replace the price of plan pro: 39 USD a month",
    `Database, plan pro: price_cents 2900 → 3900, stripe_price_id ${old} → ${pro}`,
  ]);
  assert.equal((await it.stripe.prices.retrieve(old)).active, false);
  const known = await it.sql`select stripe_price_id from billing.plan_prices order by created_at`;
  assert.deepEqual(known.map(({ stripe_price_id }) => stripe_price_id), [old, pro]);
});

Deno.test("setUpStripe reverts limits that were edited in the database, and describes it", async () => {
  await using it = await setUp();
  await it.run();
  await it.sql`update public.plan_limits set quota = 7 where feature = 'image' and quota = 1000`;
  await it.sql`
    insert into public.plan_limits (plan_id, feature, quota_window, quota)
    select id, 'image', interval '1 hour', 3 from public.plans where code = 'pro'`;
  assert.deepEqual((await it.run()).changes, [
    "Database, limit pro image 30 days rolling: quota 7 → 1000",
    "Database, limit pro image 01:00:00 rolling: not in the file any more",
  ]);
  assert.equal((await it.sql`select from public.plan_limits where feature = 'image'`).length, 2);
});

Deno.test("setUpStripe swaps ranks, adds plans, and makes removed plans inactive", async () => {
  await using it = await setUp();
  const team = `
[plans.team]
name = "Team"
rank = 20
price_cents = 9900
billing_interval = "month"
[[plans.team.limits]]
feature = "image"
quota = 9
window = "at once"`;
  await it.run(plansFile({ more: team }));
  const swapped = plansFile({ more: team });
  [swapped.plans[1].rank, swapped.plans[2].rank] = [20, 10];
  assert.deepEqual((await it.run(swapped)).changes, [
    "Database, plan pro: rank 10 → 20",
    "Database, plan team: rank 20 → 10",
  ]);
  await assert.rejects(
    it.run(plansFile()),
    (error) =>
      error instanceof PlansFileError && /10 is the rank of the earlier plan team/.test(error.message),
  );
  const alone = plansFile();
  alone.plans[1].rank = 20;
  assert.deepEqual((await it.run(alone)).changes, ["Database, plan team: not in the file any more"]);
  const [{ is_active }] = await it.sql`select is_active from public.plans where code = 'team'`;
  assert.equal(is_active, false);
});

Deno.test("setUpStripe restores the event types of the webhook endpoint", async () => {
  await using it = await setUp();
  const { webhookEndpoint } = await it.run();
  await it.stripe.webhookEndpoints.update(webhookEndpoint.id, { enabled_events: ["customer.created"] });
  assert.equal((await it.run()).changes.length, 1);
  const { enabled_events } = await it.stripe.webhookEndpoints.retrieve(webhookEndpoint.id);
  assert.deepEqual(new Set(enabled_events), new Set<string>(handledEventTypes));
});

Deno.test("supabase/seed.sql agrees with plans.toml", async () => {
  await using it = await setUp();
  const { changes } = await it.run(await loadPlans(), true);
  const others = changes.filter((change) =>
    change.startsWith("Database") && !/: stripe_price_id nothing → \(\w+\)$/.test(change) &&
    !/meter_event_name|metered price/.test(change)
  );
  assert.deepEqual(others, []);
});
