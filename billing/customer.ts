import type Stripe from "stripe";
import { type Database, orUnavailable } from "./database.ts";
import type { CommunityId } from "./ids.ts";
import { orStripeUnavailable } from "./stripe.ts";

/**
 * The community's one Stripe customer, made if there is none yet.
 *
 * Simultaneous callers get the same one: they send Stripe the same idempotency key, so it makes a single customer
 * (https://docs.stripe.com/api/idempotent_requests), and the database keeps the first id it is given. A crash between
 * the two leads the next caller to the same customer again. The name is not part of the keyed request, because a
 * community that was renamed meanwhile would then be refused.
 */
export async function ensureCustomer(
  { db, stripe }: { db: Database; stripe: Stripe },
  community: { id: CommunityId; title: string; stripeCustomerId: string | null },
): Promise<string> {
  if (community.stripeCustomerId !== null) return community.stripeCustomerId;

  const created = await orStripeUnavailable(stripe.customers.create(
    { metadata: { community_id: community.id } },
    // While one of the simultaneous requests is under way, Stripe answers the others 409; the client tries again.
    { idempotencyKey: `customer:${community.id}`, maxNetworkRetries: 6 },
  ));
  const [{ customer_id }] = await orUnavailable(
    db<
      [{ customer_id: string }]
    >`select billing.link_customer(${community.id}, ${created.id}) as customer_id`,
  );
  await orStripeUnavailable(stripe.customers.update(customer_id, { name: community.title }));
  return customer_id;
}
