import type Stripe from "stripe";
import { z } from "zod";
import type { CheckoutContext } from "./checkout_context.ts";
import { callDatabase, type Database, orUnavailable } from "../db/database.ts";
import type { CommunityId } from "../ids.ts";
import { orStripeUnavailable } from "../stripe.ts";

type Community = CheckoutContext["community"];

/**
 * The id of the community's Stripe customer, which is created when there is none.
 *
 * Simultaneous callers get the same customer: they send Stripe the same idempotency key
 * (https://docs.stripe.com/api/idempotent_requests), and the database keeps the first id it is given. After a crash between
 * the two, the next caller gets the same customer again. The name is set in a second request: with the same key, Stripe
 * refuses another name, as when the community was renamed meanwhile. After each customer that was deleted in Stripe, the key
 * counts up.
 *
 * Throws `database_unavailable` or `stripe_unavailable`.
 */
export async function ensureCustomer(
  deps: { db: Database; stripe: Stripe },
  { id, title, stripeCustomerId, customerGeneration }: Community,
): Promise<string> {
  if (stripeCustomerId !== null) return stripeCustomerId;
  const { db, stripe } = deps;

  const created = await orStripeUnavailable(stripe.customers.create(
    { metadata: { community_id: id } },
    // While one of the simultaneous requests runs, Stripe answers the others 409, and the SDK tries them again.
    { idempotencyKey: `customer:${id}:${customerGeneration}`, maxNetworkRetries: 6 },
  ));
  const linked = await callDatabase(
    z.string().nullable(),
    db`select billing.link_customer(${id}, ${created.id})`,
  );
  if (linked === null) {
    // An earlier attempt created it without linking it, and it was deleted in Stripe since.
    await forgetCustomer(db, created.id, id);
    return await ensureCustomer(deps, {
      id,
      title,
      stripeCustomerId,
      customerGeneration: customerGeneration + 1,
    });
  }
  await orStripeUnavailable(stripe.customers.update(linked, { name: title }));
  return linked;
}

/** Unlinks a customer that Stripe no longer has. */
export async function forgetCustomer(
  db: Database,
  customerId: string,
  communityId: CommunityId,
): Promise<void> {
  await orUnavailable(db`select billing.forget_customer(${customerId}, ${communityId})`);
}

/** The community's customer was deleted in Stripe. */
export class CustomerGoneError extends Error {
  override name = "CustomerGoneError";

  constructor(customerId: string, options?: ErrorOptions) {
    super(`Customer ${customerId} was deleted in Stripe`, options);
  }
}
