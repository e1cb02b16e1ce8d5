import type Stripe from "stripe";
import { z } from "zod";
import type { CheckoutContext } from "./checkout_context.ts";
import { CustomerGoneError, forgetCustomer, orCustomerGone } from "./customer.ts";
import { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import { pluginIdSchema } from "../ids.ts";
import type { Session } from "../identity/session_token.ts";
import { askStripe, isInvalidRequest, isMissing } from "../stripe.ts";
import { withRefusalsReported } from "./refusal_reports.ts";
import { beginStripeVisit, type StripeVisitDependencies, VISIT_MS } from "./stripe_visit.ts";

/** The body of `POST /api/stripe/create-portal-session`. */
export const portalRequestSchema = z.strictObject({
  pluginId: pluginIdSchema.optional(),
  /** The portal opens with this task instead of its start page. */
  flow: z.enum(["payment_method_update", "subscription_cancel"]).optional(),
});
export type PortalRequest = z.output<typeof portalRequestSchema>;

/**
 * Opens Stripe's billing portal for the session's community. The address works for a few minutes, so it must not be stored
 * (https://docs.stripe.com/api/customer_portal/sessions). A customer that Stripe does not have any more is forgotten; the
 * next checkout makes another.
 *
 * Throws `not_admin`, `unknown_community`, `no_customer`, `no_subscription` when there is none to cancel,
 * `database_unavailable`, and what Stripe's errors mean (`billing/stripe/refusals.ts`), by the deadline.
 */
export async function createPortalSession(
  deps: StripeVisitDependencies & { portalConfigurationId?: string },
  session: Session,
  request: PortalRequest,
  deadline = Deadline.in(VISIT_MS),
): Promise<{ portalUrl: string }> {
  const visit = await beginStripeVisit(deps, session, { planCode: null, pluginId: request.pluginId });
  const { community } = visit;
  const customer = community.stripeCustomerId;
  if (customer === null) throw noCustomer();
  const returnUrl = visit.returnTo("portal_return");
  const params: PortalParams = {
    customer,
    configuration: deps.portalConfigurationId,
    return_url: returnUrl,
  };
  const flow = request.flow && flowData(request.flow, visit, returnUrl);
  const asked = { asked: "portal" as const, context: visit, prices: [] };
  const opened = openPortal(deps.stripe, params, flow, deadline).catch(async (error) => {
    if (!(error instanceof CustomerGoneError)) throw error;
    // A key of another mode or account knows no customer at all. That must not cost a community that pays its billing account.
    if (visit.liveSubscription && !await wasDeleted(deps.stripe, customer, deadline)) throw error.cause;
    await forgetCustomer(deps.db, customer, community.id);
    throw noCustomer();
  });
  return { portalUrl: (await withRefusalsReported(deps.db, asked, opened)).url };
}

/** Whether this account had the customer and has deleted it (https://docs.stripe.com/api/customers/retrieve). */
async function wasDeleted(stripe: Stripe, customer: string, deadline: Deadline): Promise<boolean> {
  try {
    const { deleted } = await askStripe(
      deadline,
      (options) => stripe.customers.retrieve(customer, {}, options),
    );
    return deleted === true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

const noCustomer = () =>
  new BillingError("no_customer", "This community has no billing account yet. Upgrade first.");

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
 * the portal opens with its start page. Throws `CustomerGoneError`, and what askStripe() throws.
 */
async function openPortal(
  stripe: Stripe,
  params: PortalParams,
  flow: PortalParams["flow_data"],
  deadline: Deadline,
): Promise<Stripe.BillingPortal.Session> {
  const open = (more: Partial<PortalParams>) =>
    orCustomerGone(
      params.customer!,
      askStripe(
        deadline,
        (options) => stripe.billingPortal.sessions.create({ ...params, ...more }, options),
      ),
    );
  if (!flow) return await open({});
  try {
    return await open({ flow_data: flow });
  } catch (error) {
    if (isInvalidRequest(error)) return await open({});
    throw error;
  }
}
