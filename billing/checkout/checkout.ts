import { z } from "zod";
import { alreadySubscribed, openCheckoutSession, type Purchase } from "./checkout_session.ts";
import { CustomerGoneError, ensureCustomer, forgetCustomer } from "./customer.ts";
import { BillingError } from "../errors.ts";
import { pluginIdSchema } from "../ids.ts";
import type { Session } from "../identity/session_token.ts";
import { beginStripeVisit, type StripeVisit, type StripeVisitDependencies } from "./stripe_visit.ts";

/** The body of `POST /api/stripe/create-checkout-session`. */
export const checkoutRequestSchema = z.strictObject({
  pluginId: pluginIdSchema.optional(),
  planCode: z.string().min(1).max(31).default("pro"),
  /** On Stripe's own page, or embedded in the plugin's page by Stripe.js. */
  uiMode: z.enum(["hosted", "embedded"]).default("hosted"),
});
export type CheckoutRequest = z.output<typeof checkoutRequestSchema>;

/** The address of Stripe's page, or the secret that Stripe.js embeds it with. */
export type CheckoutSession =
  | { sessionId: string; url: string }
  | { sessionId: string; clientSecret: string };

/**
 * Starts a checkout for the session's community. A customer that was deleted in Stripe is noticed here and replaced.
 *
 * Throws `not_admin`, `unknown_community`, `unknown_plan`, `plan_not_for_sale`, `already_subscribed`,
 * `database_unavailable` or `stripe_unavailable`.
 */
export async function createCheckoutSession(
  deps: StripeVisitDependencies,
  session: Session,
  request: CheckoutRequest,
): Promise<CheckoutSession> {
  const visit = await beginStripeVisit(deps, session, request);
  const { community, plan, liveSubscription } = visit;
  if (!plan) throw new BillingError("unknown_plan", `There is no plan "${request.planCode}" to buy.`);
  if (liveSubscription) throw alreadySubscribed();
  if (plan.stripePriceId === null) {
    throw new BillingError("plan_not_for_sale", `The plan "${plan.code}" is not for sale.`);
  }

  const customer = await ensureCustomer(deps, community);
  try {
    const opened = await openCheckoutSession(deps, {
      communityId: community.id,
      customer,
      price: plan.stripePriceId,
      meteredPrices: plan.meteredPriceIds,
      trialDays: plan.trialDays,
      page: pageOf(request.uiMode, visit),
    });
    return request.uiMode === "hosted"
      ? { sessionId: opened.id, url: opened.url! }
      : { sessionId: opened.id, clientSecret: opened.client_secret! };
  } catch (error) {
    if (!(error instanceof CustomerGoneError)) throw error;
    await forgetCustomer(deps.db, customer, community.id);
    return await createCheckoutSession(deps, session, request);
  }
}

function pageOf(uiMode: CheckoutRequest["uiMode"], { returnTo }: StripeVisit): Purchase["page"] {
  return uiMode === "hosted"
    ? { ui_mode: "hosted_page", success_url: returnTo("success"), cancel_url: returnTo("cancel") }
    : { ui_mode: "embedded_page", return_url: returnTo("success"), redirect_on_completion: "if_required" };
}
