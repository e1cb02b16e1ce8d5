import type Stripe from "stripe";
import { z } from "zod";
import type { CheckoutContext } from "./checkout_context.ts";
import { callDatabase, type Database, orUnavailable } from "../db/database.ts";
import type { Deadline } from "../deadline.ts";
import type { CommunityId } from "../ids.ts";
import { askStripe, isInvalidRequest, isKeySpent, isMissing } from "../stripe.ts";
import { idempotencyKey } from "../stripe/idempotency_key.ts";
import { ownedBy } from "./ownership.ts";

type Community = CheckoutContext["community"];

interface Dependencies {
  db: Database;
  stripe: Stripe;
  /** Whether Stripe is asked in live mode. */
  isLive: boolean;
}

/** How many idempotency keys a request may find spent. */
const MAX_ATTEMPTS = 3;

/**
 * The id of the community's Stripe customer, which is created when there is none.
 *
 * Simultaneous callers get the same customer: they send Stripe the same idempotency key
 * (https://docs.stripe.com/api/idempotent_requests), and the database keeps the first id it is given. After a crash between
 * the two, the next caller gets the same customer again. The name is set in a second request: with the same key, Stripe
 * refuses another name, as when the community was renamed meanwhile.
 *
 * The key counts up after each customer that Stripe no longer has (`customerGeneration`), and after each error that Stripe
 * keeps for a key (`customerAttempt`).
 *
 * Throws `CustomerGoneError` when the customer that Stripe answers with is gone or another community's,
 * `database_unavailable`, and what askStripe() throws.
 */
export async function ensureCustomer(
  { db, stripe, isLive }: Dependencies,
  { id, title, stripeCustomerId, customerGeneration, customerAttempt }: Community,
  deadline: Deadline,
): Promise<string> {
  if (stripeCustomerId !== null) return stripeCustomerId;

  const create = (attempt: number) =>
    askStripe(
      deadline,
      (options) => stripe.customers.create({ metadata: ownedBy(id) }, options),
      idempotencyKey("customer", isLive, id, customerGeneration, attempt),
    );
  const created = await withNextAttempts(
    customerAttempt,
    create,
    (spent) => callDatabase(z.coerce.number(), db`select billing.next_customer_attempt(${id}, ${spent})`),
  );
  await nameCustomer(stripe, created.id, title, deadline);
  const linked = await callDatabase(
    z.string().nullable(),
    db`select billing.link_customer(${id}, ${created.id})`,
  );
  if (linked === null) throw new CustomerGoneError(created.id);
  return linked;
}

/** Works with the next attempt's key while Stripe keeps an error for the key of this one. */
async function withNextAttempts<T>(
  first: number,
  work: (attempt: number) => Promise<T>,
  next: (spent: number) => Promise<number>,
): Promise<T> {
  let attempt = first;
  for (let tried = 1;; tried++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!isKeySpent(error) || tried === MAX_ATTEMPTS) throw error;
      attempt = await next(attempt);
    }
  }
}

/** A name that Stripe does not accept keeps nobody from paying. */
async function nameCustomer(stripe: Stripe, id: string, name: string, deadline: Deadline): Promise<void> {
  try {
    await orCustomerGone(
      id,
      askStripe(deadline, (options) => stripe.customers.update(id, { name }, options)),
    );
  } catch (error) {
    if (!isInvalidRequest(error)) throw error;
    console.error(`Stripe does not accept the name of customer ${id}: ${error.message}`);
  }
}

/** Unlinks a customer that Stripe no longer has. */
export async function forgetCustomer(
  db: Database,
  customerId: string,
  communityId: CommunityId,
): Promise<void> {
  await orUnavailable(db`select billing.forget_customer(${customerId}, ${communityId})`);
}

/** Stripe does not have the community's customer: it was deleted, or it belongs to the other mode. */
export class CustomerGoneError extends Error {
  override name = "CustomerGoneError";

  constructor(readonly customerId: string, options?: ErrorOptions) {
    super(`Stripe does not have customer ${customerId}`, options);
  }
}

/**
 * The result of a call that names the customer. Throws `CustomerGoneError` when Stripe says that it does not have it, in a
 * parameter or as the object itself.
 */
export async function orCustomerGone<T>(customerId: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (isMissing(error) && (error.param === "customer" || error.message.includes(customerId))) {
      throw new CustomerGoneError(customerId, { cause: error });
    }
    throw error;
  }
}
