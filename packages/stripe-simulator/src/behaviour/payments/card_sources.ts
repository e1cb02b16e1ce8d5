import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import { newId } from "../../objects/ids.ts";
import { newPaymentMethod, type PaymentMethod } from "../../objects/payment_method.ts";
import { findTestCard } from "../../objects/test_card.ts";
import { noSuch } from "../../wire/errors.ts";

/**
 * Saves the card of a token for a customer and makes it the default source if there is none. Throws a 400 for an
 * unknown token. The payment method is not attached yet.
 */
export function saveSource(
  change: Change,
  customer: Customer,
  token: string,
  metadata: PaymentMethod["metadata"] = {},
): PaymentMethod {
  const { account, now } = change;
  const card = token.startsWith("tok_") ? findTestCard(token) : undefined;
  if (!card) throw noSuch("token", token, { param: "source" });
  const payer = { email: null, name: null };
  const made = newPaymentMethod(now, { card, payer, customer: null });
  const method = account.paymentMethods.put({ ...made, id: newId("card"), metadata });
  if (customer.default_source === null) {
    account.customers.put({ ...customer, default_source: method.id });
  }
  change.emit("customer.source.created", sourceOf({ ...method, customer: customer.id }));
  return method;
}

/** A saved card as a source shows it. */
export function sourceOf(
  { billing_details: { address, name }, card, customer, id, metadata }: PaymentMethod,
) {
  return {
    id,
    object: "card",
    address_city: address?.city ?? null,
    address_country: address?.country ?? null,
    address_line1: address?.line1 ?? null,
    address_line1_check: null,
    address_line2: address?.line2 ?? null,
    address_state: address?.state ?? null,
    address_zip: address?.postal_code ?? null,
    address_zip_check: null,
    brand: capitalized(card?.brand ?? ""),
    country: card?.country ?? null,
    customer,
    cvc_check: null,
    dynamic_last4: null,
    exp_month: card?.exp_month,
    exp_year: card?.exp_year,
    fingerprint: card?.fingerprint ?? null,
    funding: card?.funding,
    last4: card?.last4,
    metadata,
    name,
    tokenization_method: null,
    wallet: null,
  };
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
