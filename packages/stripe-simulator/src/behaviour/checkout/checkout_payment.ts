import type { Change } from "../../account/change.ts";
import type { CheckoutOrder, CheckoutSession } from "../../objects/checkout_session.ts";
import { newFailedPayment } from "../../objects/payment.ts";
import { newFailedSetupIntent } from "../../objects/setup_intent.ts";
import type { Period } from "../../objects/subscription.ts";
import { authenticationFailed, type Decline } from "../../objects/test_card.ts";
import { invalidRequest, type StripeError } from "../../wire/errors.ts";
import { cardError } from "../payments/card_verdict.ts";
import { type CheckoutAttempt, storeMethodOfAttempt } from "./checkout_completion.ts";
import { enterDetails } from "./entered_details.ts";
import { completePayment } from "./payment_mode.ts";
import { completeSetup } from "./setup_mode.ts";
import { completeSubscription } from "./subscription_mode.ts";

const daySeconds = 86_400;

/**
 * Completes an open session. All objects are created in one second, and the events have the order of real deliveries.
 * A declined card throws a 402 and leaves a failed payment but no customer and no subscription, so that another card
 * can be tried.
 */
export function payCheckout(
  cause: Change,
  opened: CheckoutSession,
  entered: CheckoutAttempt,
): CheckoutSession {
  const change = cause.of(opened);
  if (opened.status !== "open") throw notOpen(opened);
  const ordered = change.account.checkoutOrders.get(opened.id);
  const trial = trialOf(ordered, change.now);
  const { session, order, payer } = enterDetails(change, opened, ordered, { ...entered, trial });
  const attempt = { ...entered, payer };
  if (!attempt.card && needsCard(session)) {
    throw invalidRequest("This session needs a card.", { param: "card" });
  }
  const decline = declineOf(session, attempt);
  if (decline) throw storeDecline(change, session, attempt, decline);
  change.account.checkoutOrders.put(order);
  switch (order.terms.mode) {
    case "payment":
      return completePayment(change, session, order.terms, attempt);
    case "setup":
      return completeSetup(change, session, order.terms, attempt);
    case "subscription":
      return completeSubscription(change, session, order, { ...attempt, trial });
  }
}

/**
 * Prices an open session with what is entered on its page so far, and keeps the result. Throws a 400 for a promotion
 * code or a tax id that is not valid.
 */
export function repriceCheckout(
  cause: Change,
  session: CheckoutSession,
  entered: CheckoutAttempt,
): CheckoutSession {
  const change = cause.of(session);
  const { account } = change;
  if (session.status !== "open") throw notOpen(session);
  const order = account.checkoutOrders.get(session.id);
  const priced = enterDetails(change, session, order, { ...entered, trial: trialOf(order, change.now) });
  account.checkoutOrders.put(priced.order);
  return account.checkoutSessions.put(priced.session);
}

/** Expires an open session. */
export function expireCheckout(change: Change, session: CheckoutSession): CheckoutSession {
  if (session.status !== "open") throw notOpen(session);
  const expired = change.account.checkoutSessions.put({
    ...session,
    client_secret: null,
    status: "expired",
    url: null,
  });
  change.emit("checkout.session.expired", expired);
  return expired;
}

/** True when the session cannot be completed without a card. */
export function needsCard(session: CheckoutSession): boolean {
  return session.payment_method_collection !== "if_required" || (session.amount_total ?? 0) > 0;
}

/** The trial of the order's subscription if it is completed now, or null. */
export function trialOf({ terms }: CheckoutOrder, now: number): Period | null {
  if (terms.mode !== "subscription" || terms.trial === null) return null;
  return { start: now, end: "days" in terms.trial ? now + terms.trial.days * daySeconds : terms.trial.end };
}

function declineOf(session: CheckoutSession, { card, authentication }: CheckoutAttempt): Decline | null {
  if (!card) return null;
  if (card.authentication && authentication === "failed") return authenticationFailed;
  return session.amount_total ? card.charge : card.attach;
}

/** Stores the result of a declined card: a failed payment or a failed setup intent. Returns the error to throw. */
function storeDecline(
  change: Change,
  session: CheckoutSession,
  attempt: CheckoutAttempt,
  decline: Decline,
): StripeError {
  const { account, now } = change;
  const method = storeMethodOfAttempt(change, attempt, null);
  const customer = session.customer;
  if (session.amount_total) {
    const { amount_total: amount, currency } = session;
    const fields = { amount, currency: currency ?? "usd", customer, method, description: null };
    const { intent, charge } = newFailedPayment(now, fields, decline);
    account.paymentIntents.put(intent);
    if (charge) change.emit("charge.failed", account.charges.put(charge));
    change.emit("payment_intent.created", intent);
    change.emit("payment_intent.payment_failed", intent);
  } else {
    const fields = { customer, description: null, metadata: {} };
    const intent = account.setupIntents.put(newFailedSetupIntent(now, fields, method, decline));
    change.emit("setup_intent.created", intent);
    change.emit("setup_intent.setup_failed", intent);
  }
  return cardError(decline);
}

function notOpen(session: CheckoutSession) {
  return invalidRequest(
    `Only Checkout Sessions with a status in ["open"] can be changed. This one has a status of ${session.status}.`,
  );
}
