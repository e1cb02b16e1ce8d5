import type Stripe from "stripe";
import { z } from "zod";
import { readCheckoutContext } from "./checkout_context.ts";
import { alreadySubscribed, openCheckoutSession, type Purchase } from "./checkout_session.ts";
import { CustomerGoneError, ensureCustomer, forgetCustomer } from "./customer.ts";
import type { Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { pluginIdSchema } from "../ids.ts";
import { returnAddress, type ReturnPlace } from "./return_address.ts";
import type { Session } from "../identity/session_token.ts";

/** The body of `POST /api/stripe/create-checkout-session`. */
export const checkoutRequestSchema = z.strictObject({
  pluginId: pluginIdSchema.optional(),
  planCode: z.string().min(1).max(31).default("pro"),
  /** On Stripe's own page, or inside the plugin's by Stripe.js. */
  uiMode: z.enum(["hosted", "embedded"]).default("hosted"),
});
export type CheckoutRequest = z.output<typeof checkoutRequestSchema>;

/** Where to go on: the address of Stripe's page, or what Stripe.js needs to show it. */
export type CheckoutSession =
  | { sessionId: string; url: string }
  | { sessionId: string; clientSecret: string };

/**
 * Starts a checkout for the session's community, which comes from the session token. A customer that was deleted in
 * Stripe is noticed here and replaced.
 *
 * Throws `not_admin`, `unknown_community`, `unknown_plan`, `plan_not_for_sale`, `already_subscribed`,
 * `database_unavailable` or `stripe_unavailable`.
 */
export async function createCheckoutSession(
  deps: { db: Database; stripe: Stripe; parentAppUrl: string },
  session: Session,
  request: CheckoutRequest,
): Promise<CheckoutSession> {
  if (!session.isAdmin) {
    throw new BillingError("not_admin", "Only an admin of the community can upgrade its plan.");
  }
  const { communityId } = session;
  const { community, plan, liveSubscription } = await readCheckoutContext(
    deps.db,
    communityId,
    request.planCode,
  );
  if (!plan) throw new BillingError("unknown_plan", `There is no plan "${request.planCode}" to buy.`);
  if (liveSubscription) throw alreadySubscribed();
  if (plan.stripePriceId === null) {
    throw new BillingError("plan_not_for_sale", `The plan "${plan.code}" is not for sale.`);
  }

  const pluginId = session.pluginId ?? request.pluginId ?? null;
  const place = { parentAppUrl: deps.parentAppUrl, communityId, pluginId, slug: session.slug };
  const customer = await ensureCustomer(deps, community);
  try {
    const page = pageOf(request.uiMode, place);
    const opened = await openCheckoutSession(deps, {
      communityId,
      customer,
      price: plan.stripePriceId,
      meteredPrices: plan.meteredPriceIds,
      trialDays: plan.trialDays,
      page,
    });
    return request.uiMode === "hosted"
      ? { sessionId: opened.id, url: opened.url! }
      : { sessionId: opened.id, clientSecret: opened.client_secret! };
  } catch (error) {
    if (!(error instanceof CustomerGoneError)) throw error;
    await forgetCustomer(deps.db, customer, communityId);
    return await createCheckoutSession(deps, session, request);
  }
}

function pageOf(uiMode: CheckoutRequest["uiMode"], place: ReturnPlace): Purchase["page"] {
  const success = returnAddress(place, "success");
  return uiMode === "hosted"
    ? { ui_mode: "hosted_page", success_url: success, cancel_url: returnAddress(place, "cancel") }
    : { ui_mode: "embedded_page", return_url: success, redirect_on_completion: "if_required" };
}
