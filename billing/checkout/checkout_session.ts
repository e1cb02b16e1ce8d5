import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase, type Database, orUnavailable } from "../db/database.ts";
import { CustomerGoneError } from "./customer.ts";
import { BillingError } from "../errors.ts";
import type { CommunityId } from "../ids.ts";
import { isInvalidRequest, isMissing, orStripeUnavailable } from "../stripe.ts";

/** What is bought, by whom, and how Stripe's page is shown and left. */
export interface Purchase {
  communityId: CommunityId;
  customer: string;
  price: string;
  /** Prices sold with it that are billed by use. */
  meteredPrices: string[];
  /** 0 for none. */
  trialDays: number;
  page:
    | { ui_mode: "hosted_page"; success_url: string; cancel_url: string }
    | { ui_mode: "embedded_page"; return_url: string; redirect_on_completion: "if_required" };
}

const attemptSchema = z.object({ attempt: z.number(), session_id: z.string().nullable(), key: z.string() });

/**
 * The open checkout session for a purchase: the one opened for the same purchase within the last minute, or a new one. A
 * community has one open session, however often somebody clicks: sessions of earlier attempts are expired first, and only
 * then Stripe is asked for subscriptions, so that no session can be paid in between.
 *
 * Throws `already_subscribed`, `database_unavailable`, `stripe_unavailable`, or `CustomerGoneError`.
 */
export async function openCheckoutSession(
  { db, stripe }: { db: Database; stripe: Stripe },
  purchase: Purchase,
): Promise<Stripe.Checkout.Session> {
  const { communityId: _, ...terms } = purchase;
  const fingerprint = JSON.stringify(terms);
  let spent: string | null = null;
  while (true) {
    const attempt: z.output<typeof attemptSchema> = await callDatabase(
      attemptSchema,
      db`select billing.begin_checkout(${purchase.communityId}, ${fingerprint}, ${spent})`,
    );
    if (attempt.session_id !== null) {
      const session = await retrieveSession(stripe, attempt.session_id);
      if (session.status === "open") {
        await refuseSecondSubscription(stripe, purchase.customer);
        return session;
      }
      spent = session.id;
      continue;
    }
    await expireEarlierSessions(stripe, purchase, attempt.attempt);
    await refuseSecondSubscription(stripe, purchase.customer);
    const session = await orStripeUnavailable(createSession(stripe, purchase, attempt));
    await orUnavailable(
      db`select billing.finish_checkout(${purchase.communityId}, ${attempt.attempt}, ${session.id})`,
    );
    return session;
  }
}

/** Throws `CustomerGoneError` when its customer was deleted meanwhile: then nobody can pay it. */
async function retrieveSession(stripe: Stripe, id: string): Promise<Stripe.Checkout.Session> {
  const session = await orStripeUnavailable(stripe.checkout.sessions.retrieve(id, { expand: ["customer"] }));
  const { customer } = session;
  if (typeof customer === "object" && customer?.deleted) throw new CustomerGoneError(customer.id);
  return session;
}

async function expireEarlierSessions(stripe: Stripe, { customer, communityId }: Purchase, attempt: number) {
  const open = await orStripeUnavailable(
    stripe.checkout.sessions.list({ customer, status: "open", limit: 100 }),
  );
  const leftOver = open.data.filter(({ metadata }) =>
    metadata?.community_id === communityId && Number(metadata.attempt) < attempt
  );
  await Promise.all(leftOver.map(({ id }) => expireCheckoutSession(stripe, id)));
}

/** Expires an open session. False when it was paid or had expired since it was read. Throws `stripe_unavailable`. */
export async function expireCheckoutSession(stripe: Stripe, id: string): Promise<boolean> {
  try {
    await orStripeUnavailable(stripe.checkout.sessions.expire(id));
    return true;
  } catch (error) {
    if (isInvalidRequest(error)) return false;
    throw error;
  }
}

/** Asks Stripe, because somebody may have paid a moment ago and the webhook not arrived yet. */
async function refuseSecondSubscription(stripe: Stripe, customer: string) {
  // Without a status the list leaves out ended subscriptions (https://docs.stripe.com/api/subscriptions/list).
  const { data } = await orStripeUnavailable(stripe.subscriptions.list({ customer, limit: 100 }));
  if (data.some(({ status }) => status !== "incomplete" && status !== "incomplete_expired")) {
    throw alreadySubscribed();
  }
}

export const alreadySubscribed = () =>
  new BillingError(
    "already_subscribed",
    "This community has a subscription already. Change it in the billing portal.",
  );

/**
 * The metadata of session and subscription, and `client_reference_id`, hold the community's id, so that webhooks can tell
 * which community they are about (https://docs.stripe.com/api/checkout/sessions/create).
 */
async function createSession(
  stripe: Stripe,
  { communityId, customer, price, meteredPrices, trialDays, page }: Purchase,
  { attempt, key }: z.output<typeof attemptSchema>,
): Promise<Stripe.Checkout.Session> {
  const params: Stripe.Checkout.SessionCreateParams = {
    mode: "subscription",
    customer,
    client_reference_id: communityId,
    // Stripe takes no quantity for a metered price.
    line_items: [{ price, quantity: 1 }, ...meteredPrices.map((metered) => ({ price: metered }))],
    metadata: { community_id: communityId, attempt: String(attempt) },
    subscription_data: {
      metadata: { community_id: communityId },
      ...(trialDays > 0 ? { trial_period_days: trialDays } : {}),
    },
    ...page,
  };
  try {
    return await stripe.checkout.sessions.create(params, { idempotencyKey: key, maxNetworkRetries: 6 });
  } catch (error) {
    if (isCustomerRefused(error)) throw new CustomerGoneError(customer, { cause: error });
    throw error;
  }
}

/** Whether Stripe refuses the customer because it was deleted. */
const isCustomerRefused = (error: unknown) => isMissing(error) && error.param === "customer";
