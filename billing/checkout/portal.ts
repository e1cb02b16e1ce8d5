import type Stripe from "stripe";
import { z } from "zod";
import type { CheckoutContext } from "./checkout_context.ts";
import { BillingError } from "../errors.ts";
import { pluginIdSchema } from "../ids.ts";
import type { Session } from "../identity/session_token.ts";
import { isInvalidRequest, orStripeUnavailable } from "../stripe.ts";
import { beginStripeVisit, type StripeVisitDependencies } from "./stripe_visit.ts";

/** The body of `POST /api/stripe/create-portal-session`. */
export const portalRequestSchema = z.strictObject({
  pluginId: pluginIdSchema.optional(),
  /** The portal opens with this task instead of its start page. */
  flow: z.enum(["payment_method_update", "subscription_cancel"]).optional(),
});
export type PortalRequest = z.output<typeof portalRequestSchema>;

/**
 * Opens Stripe's billing portal for the session's community. The address works for a few minutes, so it must not be stored
 * (https://docs.stripe.com/api/customer_portal/sessions).
 *
 * Throws `not_admin`, `unknown_community`, `no_customer`, `no_subscription` when there is none to cancel,
 * `database_unavailable` or `stripe_unavailable`.
 */
export async function createPortalSession(
  deps: StripeVisitDependencies & { portalConfigurationId?: string },
  session: Session,
  request: PortalRequest,
): Promise<{ portalUrl: string }> {
  const visit = await beginStripeVisit(deps, session, { planCode: null, pluginId: request.pluginId });
  const customer = visit.community.stripeCustomerId;
  if (customer === null) {
    throw new BillingError("no_customer", "This community has no billing account yet. Upgrade first.");
  }
  const returnUrl = visit.returnTo("portal_return");
  const params: PortalParams = {
    customer,
    configuration: deps.portalConfigurationId,
    return_url: returnUrl,
  };
  const flow = request.flow && flowData(request.flow, visit, returnUrl);
  const created = await orStripeUnavailable(openPortal(deps.stripe, params, flow));
  return { portalUrl: created.url };
}

type PortalParams = Stripe.BillingPortal.SessionCreateParams;

/** A single task that returns to `returnUrl` when it is done (https://docs.stripe.com/customer-management/portal-deep-links). */
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
 * Stripe refuses a task that the account's portal does not offer, or that is already done, such as cancelling twice. Then
 * the portal opens with its start page.
 */
async function openPortal(stripe: Stripe, params: PortalParams, flow: PortalParams["flow_data"]) {
  const { sessions } = stripe.billingPortal;
  if (!flow) return await sessions.create(params);
  try {
    return await sessions.create({ ...params, flow_data: flow });
  } catch (error) {
    if (isInvalidRequest(error)) return await sessions.create(params);
    throw error;
  }
}
