import type { Change } from "../../account/change.ts";
import {
  type Charge,
  newPaymentIntent,
  type PaymentFields,
  type PaymentIntent,
} from "../../objects/payment.ts";
import type { PaymentMethod } from "../../objects/payment_method.ts";
import { invalidRequest, StripeError } from "../../wire/errors.ts";
import { cardError, type Presence } from "./card_verdict.ts";
import { emitAttempt, tryCard } from "./payment_collection.ts";

/* Payments that were created through the API and belong to no invoice. */

/** Creates a payment. */
export function openStandalone(
  change: Change,
  fields: Omit<PaymentFields, "method"> & { captures: "automatic" | "automatic_async" | "manual" },
): PaymentIntent {
  const { captures, ...own } = fields;
  const intent = change.account.paymentIntents.put({
    ...newPaymentIntent(change.now, own),
    capture_method: captures,
  });
  change.emit("payment_intent.created", intent);
  return intent;
}

/** Charges a card for a payment, or reserves the amount. Throws a 402 when the card is declined. */
export function chargeStandalone(
  change: Change,
  intent: PaymentIntent,
  { method, presence }: { method: PaymentMethod; presence: Presence },
): PaymentIntent {
  rejectUnless(intent, "requires_payment_method", "requires_confirmation", "requires_action");
  const attempt = tryCard(change, intent, method, presence);
  if (attempt.outcome === "succeeded" && intent.capture_method === "manual") return reserve(change, attempt);
  emitAttempt(change, attempt);
  if (!attempt.decline) return attempt.intent;
  const error = cardError(attempt.decline);
  const details = { ...error.details, charge: attempt.charge?.id, payment_intent: attempt.intent };
  throw new StripeError(error.status, error.type, error.message, details);
}

/** Keeps the paid amount reserved until it is captured. */
function reserve(
  change: Change,
  { charge, intent }: { charge: Charge | null; intent: PaymentIntent },
): PaymentIntent {
  const { account } = change;
  const reserved = account.paymentIntents.put({
    ...intent,
    amount_capturable: intent.amount,
    amount_received: 0,
    status: "requires_capture",
  });
  if (charge) {
    const uncaptured = { ...charge, amount_captured: 0, balance_transaction: null, captured: false };
    change.emit("charge.succeeded", account.charges.put(uncaptured));
  }
  change.emit("payment_intent.amount_capturable_updated", reserved);
  return reserved;
}

/** Takes an amount that was reserved. */
export function captureStandalone(change: Change, intent: PaymentIntent): PaymentIntent {
  const { account } = change;
  rejectUnless(intent, "requires_capture");
  const charge = account.charges.get(String(intent.latest_charge));
  const captured = account.charges.put({ ...charge, amount_captured: charge.amount, captured: true });
  const paid = account.paymentIntents.put({
    ...intent,
    amount_capturable: 0,
    amount_received: intent.amount,
    status: "succeeded",
  });
  change.emit("charge.captured", captured);
  change.emit("payment_intent.succeeded", paid);
  return paid;
}

/** Cancels a payment that has not succeeded. */
export function cancelStandalone(
  change: Change,
  intent: PaymentIntent,
  reason: PaymentIntent["cancellation_reason"],
): PaymentIntent {
  const open = [
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "requires_capture",
  ] as const;
  rejectUnless(intent, ...open, "processing");
  const canceled = change.account.paymentIntents.put({
    ...intent,
    amount_capturable: 0,
    canceled_at: change.now,
    cancellation_reason: reason,
    next_action: null,
    status: "canceled",
  });
  change.emit("payment_intent.canceled", canceled);
  return canceled;
}

function rejectUnless(intent: PaymentIntent, ...statuses: PaymentIntent["status"][]) {
  if (statuses.includes(intent.status)) return;
  throw invalidRequest(
    `This PaymentIntent's status is ${intent.status}; it must be ${statuses.join(", or ")} for this.`,
    { code: "payment_intent_unexpected_state" },
  );
}
