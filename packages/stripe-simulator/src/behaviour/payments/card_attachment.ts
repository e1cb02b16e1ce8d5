import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import { newPaymentMethod, type PaymentMethod } from "../../objects/payment_method.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { findTestCard } from "../../objects/test_card.ts";
import { cardError, cardOf } from "./card_verdict.ts";

/**
 * Saves a card for a customer: one that was made before, or one of the test cards that go by a name (`pm_card_visa`).
 * Throws a 402 when the bank does not let it be saved, and a 400 when it belongs to somebody else.
 */
export function attach(change: Change, method: PaymentMethod, customer: Customer): PaymentMethod {
  if (method.customer === customer.id) return method;
  if (method.customer) {
    throw invalidRequest("The payment method you provided has already been attached to a customer.");
  }
  const decline = cardOf(method).attach;
  if (decline) throw cardError(decline);
  const attached = change.account.paymentMethods.put({ ...method, customer: customer.id });
  change.emit("payment_method.attached", attached);
  return attached;
}

/** A new payment method for a test card that goes by a name, or the one with that id; throws the path's 404. */
export function methodInPath(change: Change, name: string): PaymentMethod {
  return madeFor(change, name) ?? change.account.paymentMethods.get(name);
}

/** The same for a parameter that names it; throws the parameter's 400. */
export function methodInParam(change: Change, name: string, param: string): PaymentMethod {
  return madeFor(change, name) ?? change.account.paymentMethods.getReferenced(name, param);
}

function madeFor(change: Change, name: string): PaymentMethod | undefined {
  const card = name.startsWith("pm_card_") ? findTestCard(name) : undefined;
  if (!card) return;
  const payer = { email: null, name: null };
  return change.account.paymentMethods.put(newPaymentMethod(change.now, { card, payer, customer: null }));
}
