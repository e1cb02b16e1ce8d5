import { z } from "zod";
import { alreadySubscribed, openCheckoutSession, type Purchase } from "./checkout_session.ts";
import { type CheckoutContext, readCheckoutContext } from "./checkout_context.ts";
import { CustomerGoneError, ensureCustomer, forgetCustomer } from "./customer.ts";
import { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import { pluginIdSchema } from "../ids.ts";
import type { Session } from "../identity/session_token.ts";
import { withRefusalsReported } from "./refusal_reports.ts";
import {
  beginStripeVisit,
  type StripeVisit,
  type StripeVisitDependencies,
  VISIT_MS,
} from "./stripe_visit.ts";

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

/** What a checkout sells. */
type Offer = NonNullable<CheckoutContext["plan"]> & { stripePriceId: string };

/**
 * Starts a checkout for the session's community. A customer that Stripe does not have any more is noticed here and replaced,
 * once.
 *
 * Throws `not_admin`, `unknown_community`, `unknown_plan`, `plan_not_for_sale`, `already_subscribed`,
 * `database_unavailable`, and what Stripe's errors mean (`billing/stripe/refusals.ts`), by the deadline.
 */
export async function createCheckoutSession(
  deps: StripeVisitDependencies,
  session: Session,
  request: CheckoutRequest,
  deadline = Deadline.in(VISIT_MS),
): Promise<CheckoutSession> {
  const visit = await beginStripeVisit(deps, session, request);
  const { plan, liveSubscription } = visit;
  if (!plan) throw new BillingError("unknown_plan", `There is no plan "${request.planCode}" to buy.`);
  if (liveSubscription) throw alreadySubscribed();
  const { stripePriceId } = plan;
  if (stripePriceId === null) {
    throw new BillingError("plan_not_for_sale", `The plan "${plan.code}" is not for sale.`);
  }

  const offer: Offer = { ...plan, stripePriceId };
  const asked = {
    asked: "checkout" as const,
    context: visit,
    prices: [stripePriceId, ...plan.meteredPriceIds],
  };
  return await withRefusalsReported(deps.db, asked, checkOut(deps, visit, offer, request, deadline));
}

async function checkOut(
  deps: StripeVisitDependencies,
  visit: StripeVisit,
  offer: Offer,
  request: CheckoutRequest,
  deadline: Deadline,
  isSecondCustomer = false,
): Promise<CheckoutSession> {
  const { community } = visit;
  try {
    const customer = await ensureCustomer(deps, community, deadline);
    const opened = await openCheckoutSession(deps, {
      communityId: community.id,
      customer,
      price: offer.stripePriceId,
      meteredPrices: offer.meteredPriceIds,
      trialDays: offer.trialDays,
      plugin: visit.plugin,
      page: pageOf(request.uiMode, visit),
    }, deadline);
    return request.uiMode === "hosted"
      ? { sessionId: opened.id, url: opened.url! }
      : { sessionId: opened.id, clientSecret: opened.client_secret! };
  } catch (error) {
    if (!(error instanceof CustomerGoneError)) throw error;
    await forgetCustomer(deps.db, error.customerId, community.id);
    // Something deletes each customer at once, or Stripe answers for another account.
    if (isSecondCustomer) throw error.cause ?? customerMissing();
    const { community: withoutCustomer } = await readCheckoutContext(deps.db, community.id, null);
    return await checkOut(deps, { ...visit, community: withoutCustomer }, offer, request, deadline, true);
  }
}

const customerMissing = () =>
  new BillingError(
    "customer_missing",
    "The customer that Stripe has for this community belongs elsewhere. The operator has to look into it.",
  );

function pageOf(uiMode: CheckoutRequest["uiMode"], { returnTo }: StripeVisit): Purchase["page"] {
  return uiMode === "hosted"
    ? { ui_mode: "hosted_page", success_url: returnTo("success"), cancel_url: returnTo("cancel") }
    : { ui_mode: "embedded_page", return_url: returnTo("success"), redirect_on_completion: "if_required" };
}
