import { z } from "zod";
import { callDatabase, type Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { type CommunityId, communityIdSchema } from "../ids.ts";

const contextSchema = z.object({
  community: z.object({
    id: communityIdSchema,
    title: z.string(),
    stripe_customer_id: z.string().nullable(),
    customer_generation: z.number(),
    customer_attempt: z.number(),
  }).transform(({ id, title, stripe_customer_id, customer_generation, customer_attempt }) => ({
    id,
    title,
    stripeCustomerId: stripe_customer_id,
    /** How many Stripe customers it has had. */
    customerGeneration: customer_generation,
    /** The present attempt at creating the next one. */
    customerAttempt: customer_attempt,
  })),
  plan: z.object({
    code: z.string(),
    stripe_price_id: z.string().nullable(),
    metered_price_ids: z.array(z.string()),
    trial_days: z.number(),
  }).transform(({ code, stripe_price_id, metered_price_ids, trial_days }) => ({
    code,
    stripePriceId: stripe_price_id,
    /** The prices sold with it that are billed by use. */
    meteredPriceIds: metered_price_ids,
    /** For this community: 0 when it has had a subscription. */
    trialDays: trial_days,
  })).nullable(),
  live_subscription: z.object({ id: z.string() }).nullable(),
  has_refusals: z.boolean(),
}).transform(({ community, plan, live_subscription, has_refusals }) => ({
  community,
  plan,
  /** One that sells a plan. */
  liveSubscription: live_subscription,
  /** Whether an anomaly is open because Stripe refused something. */
  hasRefusals: has_refusals,
}));

/** What checkout and portal need to know of a community. */
export type CheckoutContext = z.output<typeof contextSchema>;

/** Reads it in one call. Throws `unknown_community` or `database_unavailable`. */
export async function readCheckoutContext(
  db: Database,
  communityId: CommunityId,
  planCode: string | null,
): Promise<CheckoutContext> {
  const context = await callDatabase(
    contextSchema.nullable(),
    db`select billing.checkout_context(${communityId}, ${planCode})`,
  );
  if (context === null) {
    throw new BillingError("unknown_community", "This community has not opened Dues yet.");
  }
  return context;
}
