import type Stripe from "stripe";
import type { CheckoutContext } from "./checkout_context.ts";
import { type Database, orUnavailable } from "../db/database.ts";
import { orStripeUnavailable } from "../stripe.ts";

type Community = CheckoutContext["community"];

/**
 * The community's one Stripe customer, made if there is none yet.
 *
 * Simultaneous callers get the same one: they send Stripe the same idempotency key, so it makes a single customer
 * (https://docs.stripe.com/api/idempotent_requests), and the database keeps the first id it is given. A crash between
 * the two leads the next caller to the same customer again. The name is not part of the keyed request, because a
 * community that was renamed meanwhile would then be refused. Each customer that was deleted in Stripe begins a new
 * generation of the key.
 */
export async function ensureCustomer(
  deps: { db: Database; stripe: Stripe },
  { id, title, stripeCustomerId, customerGeneration }: Community,
): Promise<string> {
  if (stripeCustomerId !== null) return stripeCustomerId;
  const { db, stripe } = deps;

  const created = await orStripeUnavailable(stripe.customers.create(
    { metadata: { community_id: id } },
    // While one of the simultaneous requests is under way, Stripe answers the others 409; the client tries again.
    { idempotencyKey: `customer:${id}:${customerGeneration}`, maxNetworkRetries: 6 },
  ));
  const [{ customer_id }] = await orUnavailable(
    db<[{ customer_id: string | null }]>`select billing.link_customer(${id}, ${created.id}) as customer_id`,
  );
  if (customer_id === null) {
    // Made by an earlier attempt that never linked it, and deleted in Stripe since.
    await forgetCustomer(db, created.id, id);
    return await ensureCustomer(deps, {
      id,
      title,
      stripeCustomerId,
      customerGeneration: customerGeneration + 1,
    });
  }
  await orStripeUnavailable(stripe.customers.update(customer_id, { name: title }));
  return customer_id;
}

/** Unlinks a customer that Stripe no longer has. */
export async function forgetCustomer(db: Database, customerId: string, communityId: string): Promise<void> {
  await orUnavailable(db`select billing.forget_customer(${customerId}, ${communityId})`);
}

/** The customer we know was deleted in Stripe. */
export class CustomerGoneError extends Error {
  override name = "CustomerGoneError";

  constructor(customerId: string, options?: ErrorOptions) {
    super(`Stripe no longer has customer ${customerId}`, options);
  }
}
