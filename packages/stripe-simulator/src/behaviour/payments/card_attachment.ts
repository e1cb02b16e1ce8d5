import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import { newPaymentMethod, type PaymentMethod } from "../../objects/payment_method.ts";
import { findTestCard } from "../../objects/test_card.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { cardError, cardOf } from "./card_verdict.ts";

/**
 * Attaches a payment method to a customer. Throws a 402 when the bank declines the card, and a 400 when the payment
 * method belongs to another customer.
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

/**
 * Returns the payment method with an id from the path. For the id of a predefined test card (`pm_card_visa`) it
 * creates a new one. Throws a 404 for an unknown id.
 */
export function methodInPath(change: Change, name: string): PaymentMethod {
  return createFromTestCard(change, name) ?? change.account.paymentMethods.get(name);
}

/** The same for an id from a parameter. Throws a 400 for an unknown id. */
export function methodInParam(change: Change, name: string, param: string): PaymentMethod {
  return createFromTestCard(change, name) ?? change.account.paymentMethods.getReferenced(name, param);
}

function createFromTestCard(change: Change, name: string): PaymentMethod | undefined {
  const card = name.startsWith("pm_card_")
    ? findTestCard(name)
    : name === "pm_bank_transfer"
    ? findTestCard("bank_transfer")
    : undefined;
  if (!card) return;
  const payer = { email: null, name: null };
  return change.account.paymentMethods.put(newPaymentMethod(change.now, { card, payer, customer: null }));
}
