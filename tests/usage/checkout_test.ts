// What a checkout session sells: the plan's price, and a trial for a community's first subscription.
import assert from "node:assert/strict";
import type { Sql } from "../../billing/db/sql.ts";
import type Stripe from "stripe";
import { checkoutRequestSchema, createCheckoutSession } from "../../billing/checkout/checkout.ts";
import { connectDatabase } from "../../billing/db/database.ts";
import type { Session } from "../../billing/identity/session_token.ts";
import { startSimulator } from "@dues/stripe-simulator/testing";
import { createDatabase } from "../support/database.ts";

async function setUp() {
  const database = await createDatabase();
  const rig = await startSimulator();
  const operator = database.connect("postgres");
  const db = connectDatabase(database.url("billing_service"), { max: 4 });
  const { stripe } = rig;
  await operator`
    insert into public.communities (id, title, current_plan_id)
    select 'garden', 'Garden', id from public.plans where is_default`;
  const product = await stripe.products.create({ name: "Pro" });
  const recurring = { interval: "month" } as const;
  const price = await stripe.prices.create({
    product: product.id,
    currency: "usd",
    unit_amount: 2900,
    recurring,
  });
  await operator`update public.plans set stripe_price_id = ${price.id}, trial_days = 14 where code = 'pro'`;

  const created: Stripe.Checkout.SessionCreateParams[] = [];
  const create = stripe.checkout.sessions.create.bind(stripe.checkout.sessions);
  stripe.checkout.sessions.create = (params, options) => {
    created.push(params as Stripe.Checkout.SessionCreateParams);
    return create(params as Stripe.Checkout.SessionCreateParams, options);
  };
  const session = {
    communityId: "garden",
    userId: "ann",
    isAdmin: true,
    pluginId: null,
  } as unknown as Session;
  return {
    operator,
    price,
    created,
    checkout: () =>
      createCheckoutSession(
        { db, stripe, isLive: false, parentAppUrl: "http://localhost:1" },
        session,
        checkoutRequestSchema.parse({}),
      ),
    async [Symbol.asyncDispose]() {
      await db.close();
      await rig[Symbol.asyncDispose]();
      await database.drop();
    },
  };
}

Deno.test("createCheckoutSession sells the plan's price with its trial to a community without a subscription", async () => {
  await using it = await setUp();
  await it.checkout();
  assert.deepEqual(it.created[0].line_items, [{ price: it.price.id, quantity: 1 }]);
  assert.deepEqual(it.created[0].subscription_data, {
    metadata: { dues_community_id: "garden" },
    trial_period_days: 14,
  });
});

Deno.test("createCheckoutSession gives no trial to a community that had a plan, also when another app's subscription is newer", async () => {
  await using it = await setUp();
  await addEndedSubscription(it.operator, "sub_other", null);
  await it.checkout();
  assert.equal(it.created[0].subscription_data?.trial_period_days, 14, "another app's counts for nothing");
  await addEndedSubscription(it.operator, "sub_old", "pro");
  await it.checkout();
  assert.deepEqual(it.created[1].subscription_data, { metadata: { dues_community_id: "garden" } });
});

async function addEndedSubscription(operator: Sql, id: string, plan: string | null): Promise<void> {
  await operator`
    insert into public.subscriptions (id, community_id, customer_id, status, plan_id, started_at, ended_at)
    values (${id}, 'garden', 'cus_garden', 'canceled', (select id from public.plans where code = ${plan}),
      now() - interval '1 year', now() - interval '1 month')`;
}
