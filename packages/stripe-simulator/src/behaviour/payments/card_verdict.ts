import type { PaymentMethod } from "../../objects/payment_method.ts";
import { type Decline, findTestCard, type TestCard } from "../../objects/test_card.ts";
import { StripeError } from "../../wire/errors.ts";

/** The card behind a payment method. */
export function cardOf(method: PaymentMethod): TestCard {
  const card = findTestCard(method.card?.fingerprint?.replace("sim", "") ?? "");
  if (!card) throw new Error(`${method.id} is no test card`);
  return card;
}

/** Where the customer is when their card is charged. */
export type Presence = "off_session" | "on_session" | "authenticated";

/** What a card's bank says to a charge: why not, that the customer must authenticate first, or null for yes. */
export function verdict(card: TestCard, presence: Presence): Decline | "requires_action" | null {
  const asks = presence === "on_session" ? card.authentication !== null : card.authentication === "always";
  return asks && presence !== "authenticated" ? "requires_action" : card.charge;
}

/** The error with which a charge of this card would be answered: 402. Null when it would succeed. */
export function refusal(method: PaymentMethod, presence: Presence): StripeError | null {
  const verdictOfBank = verdict(cardOf(method), presence);
  if (verdictOfBank === null) return null;
  return verdictOfBank === "requires_action" ? actionRequired() : cardError(verdictOfBank);
}

/** The answer when the customer has to authenticate first: 402 as well. */
export function actionRequired(): StripeError {
  const message =
    "This payment requires additional user action before it can be completed successfully. Payment can " +
    "be completed using the PaymentIntent associated with the invoice.";
  return new StripeError(402, "card_error", message, { code: "invoice_payment_intent_requires_action" });
}

/** The answer when something is to be charged and there is no card for it. */
export function cardMissing(): StripeError {
  const message =
    "This customer has no attached payment source or default payment method. Please consider adding a " +
    "default payment method.";
  return new StripeError(400, "invalid_request_error", message, { code: "resource_missing" });
}

/** The answer to a declined card: 402, so that the SDK throws its card error. */
export function cardError(decline: Decline): StripeError {
  return new StripeError(402, "card_error", decline.message, {
    code: decline.code,
    decline_code: decline.declineCode,
  });
}
