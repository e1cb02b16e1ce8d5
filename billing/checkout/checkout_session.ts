import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase, type Database } from "../db/database.ts";
import { CustomerGoneError, orCustomerGone } from "./customer.ts";
import { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import type { CommunityId } from "../ids.ts";
import { askStripe, isInvalidRequest, isKeySpent, isMissing, listAll } from "../stripe.ts";
import { idempotencyKey } from "../stripe/idempotency_key.ts";
import { attemptOf, ownedBy, ownedByAttempt, ownerOf } from "./ownership.ts";

/** What is bought, by whom, and how Stripe's page is shown and left. */
export interface Purchase {
  communityId: CommunityId;
  customer: string;
  price: string;
  /** Prices sold with it that are billed by use. */
  meteredPrices: string[];
  /** 0 for none. */
  trialDays: number;
  /** The plugin that the parent app signed somebody in for; not one that a browser names. */
  plugin: string | null;
  page:
    | { ui_mode: "hosted_page"; success_url: string; cancel_url: string }
    | { ui_mode: "embedded_page"; return_url: string; redirect_on_completion: "if_required" };
}

const attemptSchema = z.object({
  attempt: z.number(),
  session_id: z.string().nullable(),
  started_at: z.string(),
});
type Attempt = z.output<typeof attemptSchema>;

interface Dependencies {
  db: Database;
  stripe: Stripe;
  /** Whether Stripe is asked in live mode. */
  isLive: boolean;
}

/** How long expiring a session may take, unless its caller has less time. */
const EXPIRE_MS = 10_000;
/** How many attempts a request begins or joins. */
const MAX_ATTEMPTS = 8;
/** For how many of them Stripe may keep an error. */
const MAX_SPENT_KEYS = 3;

/**
 * The open checkout session for a purchase: the one opened for the same purchase within the last
 * minute, wherever that returns to, or a new one. A
 * community has one open session, however often somebody clicks: sessions of earlier attempts are expired first, and only
 * then Stripe is asked for subscriptions, so that no session can be paid in between.
 *
 * Throws `already_subscribed`, `database_unavailable`, `CustomerGoneError`, and what askStripe() throws.
 */
export async function openCheckoutSession(
  deps: Dependencies,
  purchase: Purchase,
  deadline: Deadline,
): Promise<Stripe.Checkout.Session> {
  const { db, stripe } = deps;
  const { communityId, page, ...terms } = purchase;
  // Not where Stripe returns to: who asks with ever other plugin ids would open and expire session after session.
  const fingerprint = JSON.stringify({ ...terms, ui_mode: page.ui_mode });
  let spentSession: string | null = null;
  let spentAttempt: number | null = null;
  let spentKeys = 0;
  for (let begun = 1; begun <= MAX_ATTEMPTS; begun++) {
    const begunAt = performance.now();
    const attempt: Attempt = await callDatabase(
      attemptSchema,
      db`select billing.begin_checkout(${communityId}, ${fingerprint}, ${spentSession}, ${spentAttempt})`,
    );
    if (attempt.session_id !== null) {
      const session = await openSession(stripe, attempt.session_id, purchase.customer, deadline);
      if (session) {
        await refuseSecondSubscription(deps, purchase.customer, deadline);
        return session;
      }
      spentSession = attempt.session_id;
      continue;
    }
    await expireEarlierSessions(stripe, purchase, attempt.attempt, deadline);
    await refuseSecondSubscription(deps, purchase.customer, deadline);
    try {
      const session = await createSession(deps, purchase, attempt, deadline);
      const isCurrent = await callDatabase(
        z.boolean(),
        db`select billing.finish_checkout(${communityId}, ${attempt.attempt}, ${session.id})`,
      );
      if (isCurrent) return session;
      // Another click overtook this one: two sessions must not be open side by side. They take turns, or share one.
      await expireCheckoutSession(stripe, session.id, deadline);
      const took = performance.now() - begunAt;
      await new Promise((resolve) => setTimeout(resolve, deadline.atMost(took * 2 * begun * Math.random())));
    } catch (error) {
      if (!isKeySpent(error) || ++spentKeys === MAX_SPENT_KEYS) throw error;
      spentAttempt = attempt.attempt;
    }
  }
  throw new BillingError("stripe_busy", "Somebody else began a checkout meanwhile. Try again.", {
    retryAfterSeconds: 5,
  });
}

/**
 * The session if it is still open. Null when it was paid, has expired, or is none of this mode or account. Throws
 * `CustomerGoneError` when its customer was deleted meanwhile: then nobody can pay it.
 */
async function openSession(
  stripe: Stripe,
  id: string,
  customerId: string,
  deadline: Deadline,
): Promise<Stripe.Checkout.Session | null> {
  try {
    const session = await orCustomerGone(
      customerId,
      askStripe(
        deadline,
        (options) => stripe.checkout.sessions.retrieve(id, { expand: ["customer"] }, options),
      ),
    );
    const { customer } = session;
    if (typeof customer === "object" && customer?.deleted) throw new CustomerGoneError(customer.id);
    return session.status === "open" ? session : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** The sessions that earlier attempts left open. Those of other apps, which share the customer at most, are not touched. */
async function expireEarlierSessions(
  stripe: Stripe,
  { customer, communityId }: Purchase,
  attempt: number,
  deadline: Deadline,
) {
  const open = await orCustomerGone(
    customer,
    listAll(
      deadline,
      (page, options) => stripe.checkout.sessions.list({ customer, status: "open", ...page }, options),
    ),
  );
  const leftOver = open.filter(({ metadata }) =>
    ownerOf(metadata) === communityId && attemptOf(metadata) < attempt
  );
  await Promise.all(leftOver.map(({ id }) => expireCheckoutSession(stripe, id, deadline)));
}

/**
 * Expires an open session. False when it was paid or had expired since it was read. Throws `stripe_unavailable` or
 * `stripe_busy`.
 */
export async function expireCheckoutSession(
  stripe: Stripe,
  id: string,
  deadline = Deadline.in(EXPIRE_MS),
): Promise<boolean> {
  try {
    await askStripe(deadline, (options) => stripe.checkout.sessions.expire(id, {}, options));
    return true;
  } catch (error) {
    if (isInvalidRequest(error)) return false;
    throw error;
  }
}

/**
 * Asks Stripe, because somebody may have paid a moment ago and the webhook not arrived yet. Only a subscription that sells a
 * plan counts, with any of its items.
 */
async function refuseSecondSubscription({ db, stripe }: Dependencies, customer: string, deadline: Deadline) {
  // Without a status the list leaves out ended subscriptions (https://docs.stripe.com/api/subscriptions/list).
  const subscriptions = await orCustomerGone(
    customer,
    listAll(deadline, (page, options) => stripe.subscriptions.list({ customer, ...page }, options)),
  );
  const live = subscriptions.filter(({ status }) =>
    status !== "incomplete" && status !== "incomplete_expired"
  );
  const prices = new Set<string>();
  for (const { id, items } of live) {
    const all = items.has_more
      ? await listAll(
        deadline,
        (page, options) => stripe.subscriptionItems.list({ subscription: id, ...page }, options),
      )
      : items.data;
    for (const { price } of all) prices.add(price.id);
  }
  if (prices.size === 0) return;
  if (await callDatabase(z.boolean(), db`select billing.sells_plan(${[...prices]})`)) {
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
  { stripe, isLive }: Dependencies,
  { communityId, customer, price, meteredPrices, trialDays, page }: Purchase,
  { attempt, started_at }: Attempt,
  deadline: Deadline,
): Promise<Stripe.Checkout.Session> {
  const params: Stripe.Checkout.SessionCreateParams = {
    mode: "subscription",
    customer,
    client_reference_id: communityId,
    // Stripe takes no quantity for a metered price.
    line_items: [{ price, quantity: 1 }, ...meteredPrices.map((metered) => ({ price: metered }))],
    subscription_data: {
      ...(trialDays > 0 ? { trial_period_days: trialDays } : {}),
      metadata: ownedBy(communityId),
    },
    ...page,
    metadata: ownedByAttempt(communityId, attempt),
  };
  // With the page: requests of one attempt may return to different places, and one of their sessions is kept.
  const key = idempotencyKey("checkout", isLive, communityId, attempt, started_at, JSON.stringify(page));
  return await orCustomerGone(
    customer,
    askStripe(deadline, (options) => stripe.checkout.sessions.create(params, options), key),
  );
}
