import type { Change } from "../../account/change.ts";
import type { CheckoutSession, SetupTerms } from "../../objects/checkout_session.ts";
import { newSetupIntent } from "../../objects/setup_intent.ts";
import type { CheckoutAttempt } from "./checkout_completion.ts";
import { completeSession, optionalCustomer, storeMethodOfAttempt } from "./checkout_completion.ts";

/** Completes a session in setup mode: saves a card without charging it. */
export function completeSetup(
  change: Change,
  session: CheckoutSession,
  terms: SetupTerms,
  attempt: CheckoutAttempt,
): CheckoutSession {
  const { account, now } = change;
  const customer = optionalCustomer(change, session, attempt.payer)?.id ?? null;
  const method = storeMethodOfAttempt(change, attempt, customer);
  const intent = account.setupIntents.put(newSetupIntent(now, { ...terms, customer }, method));
  const completed = completeSession(change, session, attempt, { customer, setup_intent: intent.id });
  if (customer) change.emit("payment_method.attached", method);
  change.emit("setup_intent.created", intent);
  change.emit("setup_intent.succeeded", intent);
  change.emit("checkout.session.completed", completed);
  return completed;
}
