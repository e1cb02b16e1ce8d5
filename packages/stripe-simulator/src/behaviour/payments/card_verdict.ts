import { originOf, type PaymentMethod } from "../../objects/payment_method.ts";
import { type Decline, findTestCard, type TestCard } from "../../objects/test_card.ts";
import { StripeError } from "../../wire/errors.ts";

/** The test card of a payment method. */
export function cardOf(method: PaymentMethod): TestCard {
  const card = findTestCard(originOf(method));
  if (!card) throw new Error(`${method.id} is no test card`);
  return card;
}

/** Whether the customer is present when the card is charged, and has already authenticated. */
export type Presence = "off_session" | "on_session" | "authenticated";

/** The bank's answer to a charge: a decline, a request for authentication, or null for success. */
export function verdict(card: TestCard, presence: Presence): Decline | "requires_action" | null {
  const asks = presence === "on_session" ? card.authentication !== null : card.authentication === "always";
  return asks && presence !== "authenticated" ? "requires_action" : card.charge;
}

/** The error for a charge of this card: a 402, or null when it would succeed. */
export function refusal(method: PaymentMethod, presence: Presence): StripeError | null {
  const verdictOfBank = verdict(cardOf(method), presence);
  if (verdictOfBank === null) return null;
  return verdictOfBank === "requires_action" ? actionRequired() : cardError(verdictOfBank);
}

/** The error when the customer must authenticate first: 402. */
export function actionRequired(): StripeError {
  const message =
    "This payment requires additional user action before it can be completed successfully. Payment can " +
    "be completed using the PaymentIntent associated with the invoice.";
  return new StripeError(402, "card_error", message, { code: "invoice_payment_intent_requires_action" });
}

/** The error when there is no card to charge: 400. */
export function cardMissing(): StripeError {
  const message =
    "This customer has no attached payment source or default payment method. Please consider adding a " +
    "default payment method.";
  return new StripeError(400, "invalid_request_error", message, { code: "resource_missing" });
}

/** The error for a declined card: 402, for which the SDK throws its card error. */
export function cardError(decline: Decline): StripeError {
  const { adviceCode: advice_code, networkCode: network_decline_code } = decline;
  return new StripeError(402, "card_error", decline.message, {
    ...(advice_code === undefined ? {} : { advice_code }),
    code: decline.code,
    decline_code: decline.declineCode,
    ...(network_decline_code === undefined ? {} : { network_decline_code }),
    param: decline.param ?? "",
  });
}
