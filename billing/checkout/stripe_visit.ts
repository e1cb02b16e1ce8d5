import type Stripe from "stripe";
import type { Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import type { Session } from "../identity/session_token.ts";
import type { PluginId } from "../ids.ts";
import { type CheckoutContext, readCheckoutContext } from "./checkout_context.ts";
import { returnAddress, type ReturnPlace, type ReturnStatus } from "./return_address.ts";

/** How long a visit may take to begin, unless its caller has less time. The request that it is part of takes longer. */
export const VISIT_MS = 13_000;

export interface StripeVisitDependencies {
  db: Database;
  stripe: Stripe;
  /** Whether the Stripe key is one of live mode. */
  isLive: boolean;
  parentAppUrl: string;
}

/** What a visit to Stripe's pages begins with. */
export interface StripeVisit extends CheckoutContext {
  /** The plugin of the session, if the parent app named one. */
  plugin: PluginId | null;
  /** The address that Stripe sends the person back to. */
  returnTo(status: ReturnStatus): string;
}

/**
 * Begins a visit to checkout or portal for the session's community, which comes from the session token. `pluginId` is what
 * the request says; the session's own counts first.
 *
 * Throws `not_admin`, `unknown_community` or `database_unavailable`.
 */
export async function beginStripeVisit(
  { db, parentAppUrl }: StripeVisitDependencies,
  session: Session,
  { planCode, pluginId }: { planCode: string | null; pluginId?: PluginId },
): Promise<StripeVisit> {
  if (!session.isAdmin) {
    throw new BillingError("not_admin", "Only an admin of the community can manage its plan and billing.");
  }
  const { communityId, slug } = session;
  const context = await readCheckoutContext(db, communityId, planCode);
  const place: ReturnPlace = {
    parentAppUrl,
    communityId,
    pluginId: session.pluginId ?? pluginId ?? null,
    slug,
  };
  return { ...context, plugin: session.pluginId, returnTo: (status) => returnAddress(place, status) };
}
