import type Stripe from "stripe";
import { z } from "zod";
import { readCheckoutContext } from "./checkout_context.ts";
import type { Database } from "./database.ts";
import { BillingError } from "./errors.ts";
import { pluginIdSchema } from "./ids.ts";
import { returnAddress } from "./return_address.ts";
import type { Session } from "./session_token.ts";
import { orStripeUnavailable } from "./stripe.ts";

/** The body of `POST /api/stripe/create-portal-session`. */
export const portalRequestSchema = z.strictObject({ pluginId: pluginIdSchema.optional() });
export type PortalRequest = z.output<typeof portalRequestSchema>;

/**
 * Opens Stripe's billing portal for the session's community. The address works for a few minutes and is not to be kept
 * (https://docs.stripe.com/api/customer_portal/sessions).
 *
 * Throws `not_admin`, `unknown_community`, `no_customer`, `database_unavailable` or `stripe_unavailable`.
 */
export async function createPortalSession(
  deps: { db: Database; stripe: Stripe; parentAppUrl: string; portalConfigurationId?: string },
  session: Session,
  request: PortalRequest,
): Promise<{ portalUrl: string }> {
  if (!session.isAdmin) {
    throw new BillingError("not_admin", "Only an admin of the community can manage its billing.");
  }

  const { community } = await readCheckoutContext(deps.db, session.communityId, null);
  if (community.stripeCustomerId === null) {
    throw new BillingError("no_customer", "This community has no billing account yet. Upgrade first.");
  }
  const place = {
    parentAppUrl: deps.parentAppUrl,
    communityId: session.communityId,
    pluginId: session.pluginId ?? request.pluginId ?? null,
    slug: session.slug,
  };
  const created = await orStripeUnavailable(deps.stripe.billingPortal.sessions.create({
    customer: community.stripeCustomerId,
    configuration: deps.portalConfigurationId,
    return_url: returnAddress(place, "portal_return"),
  }));
  return { portalUrl: created.url };
}
