import Stripe from "stripe";
import { z } from "zod";
import { type Database, orUnavailable } from "../db/database.ts";
import { CustomerGoneError } from "./customer.ts";
import { BillingError } from "../errors.ts";
import type { CommunityId } from "../ids.ts";
import { isMissing, orStripeUnavailable } from "../stripe.ts";

/** What is bought, by whom, and how the page is shown and left. */
export interface Purchase {
  communityId: CommunityId;
  customer: string;
  price: string;
  /** Sold with it and billed by use. */
  meteredPrices: string[];
  /** 0 for none. */
  trialDays: number;
  page:
    | { ui_mode: "hosted_page"; success_url: string; cancel_url: string }
    | { ui_mode: "embedded_page"; return_url: string; redirect_on_completion: "if_required" };
}

const attemptSchema = z.object({ attempt: z.number(), session_id: z.string().nullable(), key: z.string() });

/**
 * The open checkout session for a purchase: the one that was opened for the same purchase within the last minute, or
 * else a new one. Whatever number of clicks, one session is open for a community: sessions of earlier attempts are
 * expired first, and only then is Stripe asked whether one of them had been paid, so that none can slip between.
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
    const attempt: z.output<typeof attemptSchema> = await beginAttempt(
      db,
      purchase.communityId,
      fingerprint,
      spent,
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

async function beginAttempt(db: Database, communityId: string, fingerprint: string, spent: string | null) {
  const [{ attempt }] = await orUnavailable(
    db<
      [{ attempt: unknown }]
    >`select billing.begin_checkout(${communityId}, ${fingerprint}, ${spent}) as attempt`,
  );
  return attemptSchema.parse(attempt);
}

/** An open session is of no use when its customer was deleted meanwhile. */
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
  await Promise.all(leftOver.map(async ({ id }) => {
    try {
      await orStripeUnavailable(stripe.checkout.sessions.expire(id));
    } catch (error) {
      // Paid or expired since it was listed: what was bought shows in the subscriptions, which are asked for next.
      if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) throw error;
    }
  }));
}

/** Somebody may have paid a moment ago, with the webhook still on its way: only Stripe knows. */
async function refuseSecondSubscription(stripe: Stripe, customer: string) {
  // Without a status the list leaves out what has ended (https://docs.stripe.com/api/subscriptions/list).
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
 * The session and the subscription carry the community's id in their metadata, the session also as
 * `client_reference_id`, so that webhooks need no guess (https://docs.stripe.com/api/checkout/sessions/create).
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
    // What is billed by use has no quantity beforehand.
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

/** Stripe's answer to the id of a deleted customer. */
const isCustomerRefused = (error: unknown) => isMissing(error) && error.param === "customer";
