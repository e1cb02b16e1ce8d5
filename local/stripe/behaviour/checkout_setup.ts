import type { Change } from "../account/change.ts";
import type { CheckoutSession, SetupTerms } from "../objects/checkout_session.ts";
import { newPaymentMethod } from "../objects/payment_method.ts";
import { newSetupIntent } from "../objects/setup_intent.ts";
import type { CheckoutAttempt } from "./checkout.ts";
import { completeSession, optionalCustomer } from "./checkout_completion.ts";

/** Completes a session that saves a card without charging it. */
export function completeSetup(
  change: Change,
  session: CheckoutSession,
  terms: SetupTerms,
  { card, payer }: CheckoutAttempt,
): CheckoutSession {
  if (!card) throw new Error(`${session.id} needs a card`);
  const { account, now } = change;
  const customer = optionalCustomer(change, session, payer)?.id ?? null;
  const method = account.paymentMethods.put(newPaymentMethod(now, { card, payer, customer }));
  const intent = account.setupIntents.put(newSetupIntent(now, { ...terms, customer }, method));
  const completed = completeSession(change, session, payer, { customer, setup_intent: intent.id });
  if (customer) change.emit("payment_method.attached", method);
  change.emit("setup_intent.created", intent);
  change.emit("setup_intent.succeeded", intent);
  change.emit("checkout.session.completed", completed);
  return completed;
}
