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
  }).transform(({ id, title, stripe_customer_id, customer_generation }) => ({
    id,
    title,
    stripeCustomerId: stripe_customer_id,
    /** How many Stripe customers it has had. */
    customerGeneration: customer_generation,
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
}).transform(({ community, plan, live_subscription }) => ({
  community,
  plan,
  liveSubscription: live_subscription,
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
