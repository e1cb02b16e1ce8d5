/** The reason why a bank declines a card. */
export interface Decline {
  code:
    | "authentication_required"
    | "card_declined"
    | "expired_card"
    | "payment_intent_authentication_failure";
  declineCode: string;
  message: string;
}

/** One of Stripe's test cards (https://docs.stripe.com/testing) and its behaviour. */
export interface TestCard {
  number: string;
  brand: "visa" | "mastercard";
  label: string;
  /** The decline when the card is saved for a customer, or null. */
  attach: Decline | null;
  /** The decline when the card is charged, after authentication where that is required, or null. */
  charge: Decline | null;
  /**
   * When the bank requires authentication (3D Secure): for charges while the customer is present (`on_session`), or
   * for all charges (`always`). Charges without the customer then fail.
   */
  authentication: "on_session" | "always" | null;
}

const declined: Decline = {
  code: "card_declined",
  declineCode: "generic_decline",
  message: "Your card was declined.",
};
const insufficientFunds: Decline = {
  code: "card_declined",
  declineCode: "insufficient_funds",
  message: "Your card has insufficient funds.",
};
const expired: Decline = {
  code: "expired_card",
  declineCode: "expired_card",
  message: "Your card has expired.",
};

const visa: TestCard = {
  number: "4242424242424242",
  brand: "visa",
  label: "Visa, succeeds",
  attach: null,
  charge: null,
  authentication: null,
};

export const testCards: readonly TestCard[] = [
  visa,
  { ...visa, number: "5555555555554444", brand: "mastercard", label: "Mastercard, succeeds" },
  { ...visa, number: "4000000000000002", label: "Visa, declined", attach: declined, charge: declined },
  {
    ...visa,
    number: "4000000000009995",
    label: "Visa, insufficient funds",
    attach: insufficientFunds,
    charge: insufficientFunds,
  },
  { ...visa, number: "4000000000000069", label: "Visa, expired", attach: expired, charge: expired },
  {
    ...visa,
    number: "4000000000000341",
    label: "Visa, can be saved but every charge fails",
    charge: declined,
  },
  { ...visa, number: "4000000000000259", label: "Visa, succeeds and is disputed" },
  {
    ...visa,
    number: "4000002500003155",
    label: "Visa, authenticates once",
    authentication: "on_session",
  },
  {
    ...visa,
    number: "4000002760003184",
    label: "Visa, authenticates every time, renewals too",
    authentication: "always",
  },
  {
    ...visa,
    number: "4000008260003178",
    label: "Visa, authenticates, then insufficient funds",
    authentication: "on_session",
    charge: insufficientFunds,
  },
];

/** Ids and tokens of predefined payment methods, with the card's number. */
const magicNames = new Map([
  ["pm_card_visa", "4242424242424242"],
  ["tok_visa", "4242424242424242"],
  ["pm_card_mastercard", "5555555555554444"],
  ["tok_mastercard", "5555555555554444"],
  ["pm_card_chargeDeclined", "4000000000000002"],
  ["tok_chargeDeclined", "4000000000000002"],
  ["pm_card_chargeCustomerFail", "4000000000000341"],
  ["tok_chargeCustomerFail", "4000000000000341"],
  ["pm_card_createDispute", "4000000000000259"],
  ["tok_createDispute", "4000000000000259"],
  ["pm_card_authenticationRequiredOnSetup", "4000002500003155"],
  ["pm_card_authenticationRequired", "4000002760003184"],
  ["pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", "4000008260003178"],
]);

/** Finds a card by its number (spaces allowed), or by the id or token of a predefined payment method. */
export function findTestCard(name: string): TestCard | undefined {
  const number = magicNames.get(name) ?? name.replaceAll(" ", "");
  return testCards.find((card) => card.number === number);
}

/** The customer failed the authentication. */
export const authenticationFailed: Decline = {
  code: "payment_intent_authentication_failure",
  declineCode: "authentication_required",
  message:
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
};

/** The bank requires authentication and the customer is not present. */
export const authenticationRequired: Decline = {
  code: "authentication_required",
  declineCode: "authentication_required",
  message: "Your card was declined. This transaction requires authentication.",
};
