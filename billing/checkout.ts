import type Stripe from "stripe";
import { z } from "zod";
import { readCheckoutContext } from "./checkout_context.ts";
import { ensureCustomer } from "./customer.ts";
import type { Database } from "./database.ts";
import { BillingError } from "./errors.ts";
import { pluginIdSchema } from "./ids.ts";
import { returnAddress } from "./return_address.ts";
import type { Session } from "./session_token.ts";
import { orStripeUnavailable } from "./stripe.ts";

/** The body of `POST /api/stripe/create-checkout-session`. */
export const checkoutRequestSchema = z.strictObject({
  pluginId: pluginIdSchema.optional(),
  planCode: z.string().min(1).max(31).default("pro"),
  uiMode: z.literal("hosted").default("hosted"),
});
export type CheckoutRequest = z.output<typeof checkoutRequestSchema>;

/**
 * Starts a checkout for the session's community and returns Stripe's page for it.
 *
 * The community comes from the session token. The session and the subscription carry its id in their metadata, the
 * session also as `client_reference_id`, so that webhooks need no guess
 * (https://docs.stripe.com/api/checkout/sessions/create).
 *
 * Throws `not_admin`, `unknown_community`, `unknown_plan`, `plan_not_for_sale`, `already_subscribed`,
 * `database_unavailable` or `stripe_unavailable`.
 */
export async function createCheckoutSession(
  deps: { db: Database; stripe: Stripe; parentAppUrl: string },
  session: Session,
  request: CheckoutRequest,
): Promise<{ sessionId: string; url: string }> {
  if (!session.isAdmin) {
    throw new BillingError("not_admin", "Only an admin of the community can upgrade its plan.");
  }

  const context = await readCheckoutContext(deps.db, session.communityId, request.planCode);
  if (!context.plan) throw new BillingError("unknown_plan", `There is no plan "${request.planCode}" to buy.`);
  if (context.liveSubscription) throw alreadySubscribed();
  const price = context.plan.stripePriceId;
  if (price === null) {
    throw new BillingError("plan_not_for_sale", `The plan "${context.plan.code}" is not for sale.`);
  }

  const customer = await ensureCustomer(deps, context.community);
  // Somebody may have paid a moment ago, with the webhook still on its way.
  if (context.community.stripeCustomerId && await hasLiveSubscription(deps.stripe, customer)) {
    throw alreadySubscribed();
  }

  const communityId = session.communityId;
  const place = {
    parentAppUrl: deps.parentAppUrl,
    communityId,
    pluginId: session.pluginId ?? request.pluginId ?? null,
    slug: session.slug,
  };
  const created = await orStripeUnavailable(deps.stripe.checkout.sessions.create({
    mode: "subscription",
    ui_mode: "hosted_page",
    customer,
    client_reference_id: communityId,
    line_items: [{ price, quantity: 1 }],
    metadata: { community_id: communityId },
    subscription_data: { metadata: { community_id: communityId } },
    success_url: returnAddress(place, "success"),
    cancel_url: returnAddress(place, "cancel"),
  }));
  return { sessionId: created.id, url: created.url! };
}

const alreadySubscribed = () =>
  new BillingError(
    "already_subscribed",
    "This community has a subscription already. Change it in the billing portal.",
  );

async function hasLiveSubscription(stripe: Stripe, customer: string): Promise<boolean> {
  // Without a status the list leaves out what has ended (https://docs.stripe.com/api/subscriptions/list).
  const subscriptions = await orStripeUnavailable(stripe.subscriptions.list({ customer, limit: 100 }));
  return subscriptions.data.some(({ status }) => status !== "incomplete" && status !== "incomplete_expired");
}
