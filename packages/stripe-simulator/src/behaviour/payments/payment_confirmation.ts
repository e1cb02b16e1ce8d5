import type { Change } from "../../account/change.ts";
import type { Invoice } from "../../objects/invoice.ts";
import { failedIntent, type PaymentIntent } from "../../objects/payment.ts";
import type { PaymentMethod } from "../../objects/payment_method.ts";
import { authenticationFailed } from "../../objects/test_card.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { cardError, type Presence } from "./card_verdict.ts";
import { collect } from "./payment_collection.ts";

/**
 * Confirms an intent: pays its invoice. When the card requires authentication, the intent waits for it. Throws a 402
 * for a declined card.
 */
export function confirmIntent(
  change: Change,
  intent: PaymentIntent,
  { method, presence }: { method: PaymentMethod; presence: Presence },
): PaymentIntent {
  const { account } = change;
  const { decline } = collect(change, invoiceOf(change, intent), method, presence);
  if (decline) throw cardError(decline);
  return account.paymentIntents.get(intent.id);
}

/**
 * Completes the authentication that an intent waits for, with the given outcome. Throws a 400 for any other intent.
 */
export function authenticate(
  change: Change,
  intent: PaymentIntent,
  outcome: "passed" | "failed",
): PaymentIntent {
  const { account } = change;
  if (intent.status !== "requires_action" || intent.payment_method === null) {
    throw invalidRequest(`This payment does not wait for an authentication: it is ${intent.status}.`);
  }
  const method = account.paymentMethods.get(intent.payment_method);
  if (outcome === "passed") return confirmIntent(change, intent, { method, presence: "authenticated" });
  const failed = account.paymentIntents.put(failedIntent(intent, method, null, authenticationFailed));
  change.emit("payment_intent.payment_failed", failed);
  return failed;
}

function invoiceOf({ account }: Change, intent: PaymentIntent): Invoice {
  const payment = account.invoicePayments.oldestFirst().find(({ payment, status }) =>
    payment.payment_intent === intent.id && status === "open"
  );
  if (payment) return account.invoices.get(String(payment.invoice));
  const message =
    `This PaymentIntent cannot be confirmed: it is ${intent.status}, or no invoice waits for it.`;
  throw invalidRequest(message, { code: "payment_intent_unexpected_state" });
}
