import { StripeError } from "../protocol/errors.ts";

/** Why a bank says no. */
export interface Decline {
  code: "card_declined" | "expired_card";
  declineCode: string;
  message: string;
}

/** One of Stripe's test cards (https://docs.stripe.com/testing) and what happens when it is used. */
export interface TestCard {
  number: string;
  brand: "visa" | "mastercard";
  label: string;
  /** Refused when it is saved for a customer. */
  attach: Decline | null;
  /** Refused when it is charged. */
  charge: Decline | null;
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
];

/** Ids and tokens that stand for a test card without anyone creating them, each with the card's number. */
const magicNames = new Map([
  ["pm_card_visa", "4242424242424242"],
  ["tok_visa", "4242424242424242"],
  ["pm_card_mastercard", "5555555555554444"],
  ["tok_mastercard", "5555555555554444"],
  ["pm_card_chargeDeclined", "4000000000000002"],
  ["tok_chargeDeclined", "4000000000000002"],
  ["pm_card_chargeCustomerFail", "4000000000000341"],
  ["tok_chargeCustomerFail", "4000000000000341"],
]);

/** The card of that number, spaces allowed, or of that magic id or token. */
export function findTestCard(name: string): TestCard | undefined {
  const number = magicNames.get(name) ?? name.replaceAll(" ", "");
  return testCards.find((card) => card.number === number);
}

/** The answer to a declined card: 402, so that the SDK throws its card error. */
export function cardError(decline: Decline): StripeError {
  return new StripeError(402, "card_error", decline.message, {
    code: decline.code,
    decline_code: decline.declineCode,
  });
}
