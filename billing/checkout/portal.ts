import Stripe from "stripe";
import { z } from "zod";
import { type CheckoutContext, readCheckoutContext } from "./checkout_context.ts";
import type { Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { pluginIdSchema } from "../ids.ts";
import { returnAddress } from "./return_address.ts";
import type { Session } from "../identity/session_token.ts";
import { orStripeUnavailable } from "../stripe.ts";

/** The body of `POST /api/stripe/create-portal-session`. */
export const portalRequestSchema = z.strictObject({
  pluginId: pluginIdSchema.optional(),
  /** One task to begin with, in place of the portal's start page. */
  flow: z.enum(["payment_method_update", "subscription_cancel"]).optional(),
});
export type PortalRequest = z.output<typeof portalRequestSchema>;

/**
 * Opens Stripe's billing portal for the session's community. The address works for a few minutes and is not to be kept
 * (https://docs.stripe.com/api/customer_portal/sessions).
 *
 * Throws `not_admin`, `unknown_community`, `no_customer`, `no_subscription` when there is none to cancel,
 * `database_unavailable` or `stripe_unavailable`.
 */
export async function createPortalSession(
  deps: { db: Database; stripe: Stripe; parentAppUrl: string; portalConfigurationId?: string },
  session: Session,
  request: PortalRequest,
): Promise<{ portalUrl: string }> {
  if (!session.isAdmin) {
    throw new BillingError("not_admin", "Only an admin of the community can manage its billing.");
  }

  const context = await readCheckoutContext(deps.db, session.communityId, null);
  if (context.community.stripeCustomerId === null) {
    throw new BillingError("no_customer", "This community has no billing account yet. Upgrade first.");
  }
  const place = {
    parentAppUrl: deps.parentAppUrl,
    communityId: session.communityId,
    pluginId: session.pluginId ?? request.pluginId ?? null,
    slug: session.slug,
  };
  const returnUrl = returnAddress(place, "portal_return");
  const params: PortalParams = {
    customer: context.community.stripeCustomerId,
    configuration: deps.portalConfigurationId,
    return_url: returnUrl,
  };
  const flow = request.flow && flowData(request.flow, context, returnUrl);
  const created = await orStripeUnavailable(openPortal(deps.stripe, params, flow));
  return { portalUrl: created.url };
}

type PortalParams = Stripe.BillingPortal.SessionCreateParams;

/** One task that ends where the portal would lead back to (https://docs.stripe.com/customer-management/portal-deep-links). */
function flowData(
  flow: NonNullable<PortalRequest["flow"]>,
  { liveSubscription }: CheckoutContext,
  returnUrl: string,
): PortalParams["flow_data"] {
  const after_completion = { type: "redirect" as const, redirect: { return_url: returnUrl } };
  if (flow === "payment_method_update") return { type: flow, after_completion };
  if (!liveSubscription) {
    throw new BillingError("no_subscription", "This community has no subscription to cancel.");
  }
  return { type: flow, subscription_cancel: { subscription: liveSubscription.id }, after_completion };
}

/**
 * Stripe refuses a task that the account's portal does not offer, or that is done already, such as cancelling twice.
 * Then the portal's start page shows what there is to do.
 */
async function openPortal(stripe: Stripe, params: PortalParams, flow: PortalParams["flow_data"]) {
  const { sessions } = stripe.billingPortal;
  if (!flow) return await sessions.create(params);
  try {
    return await sessions.create({ ...params, flow_data: flow });
  } catch (error) {
    if (error instanceof Stripe.errors.StripeInvalidRequestError) return await sessions.create(params);
    throw error;
  }
}
