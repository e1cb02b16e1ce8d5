import { numbersByName } from "./test_card_names.ts";

/** The reason why a bank declines a card. */
export interface Decline {
  code:
    | "authentication_required"
    | "card_declined"
    | "expired_card"
    | "incorrect_cvc"
    | "payment_intent_authentication_failure"
    | "processing_error";
  declineCode: string;
  message: string;
  /** What Stripe advises: try again later, or ask for other card data. Undefined when the bank gave no reason. */
  adviceCode?: "confirm_card_data" | "do_not_try_again" | "try_again_later";
  /** The part of the card that is wrong: `exp_month`, `cvc`, `number`. */
  param?: string;
  /** The code of the card network. */
  networkCode?: string;
}

/** A way to pay of Stripe's test mode, most often a card (https://docs.stripe.com/testing), and its behaviour. */
export interface TestCard {
  number: string;
  brand: "amex" | "diners" | "discover" | "jcb" | "mastercard" | "unionpay" | "visa";
  /** A bank debit or transfer instead of a card. */
  type?: "customer_balance" | "sepa_debit";
  /** What becomes of a payment that the bank answers only after days. */
  settles?: "failed" | "succeeded";
  /** After how many seconds. Days unless given. */
  settlesAfter?: number;
  /** The country of the bank. US unless given. */
  country?: string;
  funding?: "debit" | "prepaid";
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
  adviceCode: "try_again_later",
  networkCode: "01",
};
const insufficientFunds: Decline = {
  code: "card_declined",
  declineCode: "insufficient_funds",
  message: "Your card has insufficient funds.",
  adviceCode: "try_again_later",
  networkCode: "51",
};
const expired: Decline = {
  code: "expired_card",
  declineCode: "expired_card",
  message: "Your card has expired.",
  adviceCode: "confirm_card_data",
  networkCode: "54",
  param: "exp_month",
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

/** Finds a way to pay by its number (spaces allowed), or by the id or token of a predefined payment method. */
export function findTestCard(name: string): TestCard | undefined {
  const number = numberOf(name) ?? name.replaceAll(" ", "");
  return testCards.find((card) => card.number === number) ?? furtherMethods.get(number);
}

/** The number of a predefined payment method: of `pm_card_visa`, or of `tok_visa`. */
function numberOf(name: string): string | undefined {
  const [, suffix] = /^(?:pm_card_|tok_)(\w+)$/.exec(name) ?? [];
  return suffix === undefined ? undefined : numbersByName.get(suffix);
}

/** Ways to pay that the pages do not offer but that can be named. */
const furtherMethods = new Map<string, TestCard>([...furtherCards(), ...delayedMethods()]
  .map((method) => [method.number, method]));

function furtherCards(): TestCard[] {
  const brands: [number: string, brand: TestCard["brand"], fields?: Partial<TestCard>][] = [
    ["4000056655665556", "visa", { funding: "debit" }],
    ["5200828282828210", "mastercard", { funding: "debit" }],
    ["5105105105105100", "mastercard", { funding: "prepaid" }],
    ["378282246310005", "amex"],
    ["6011111111111117", "discover"],
    ["3056930009020004", "diners"],
    ["3566002020360505", "jcb"],
    ["6200000000000005", "unionpay"],
  ];
  const abroad: [number: string, country: string][] = [
    ["4000000400000008", "AT"],
    ["4000000360000006", "AU"],
    ["4000000560000004", "BE"],
    ["4000000760000002", "BR"],
    ["4000001240000000", "CA"],
    ["4000007560000009", "CH"],
    ["4000002760000016", "DE"],
    ["4000002080000001", "DK"],
    ["4000007240000007", "ES"],
    ["4000002460000001", "FI"],
    ["4000002500000003", "FR"],
    ["4000008260000000", "GB"],
    ["4000003720000005", "IE"],
    ["4000003560000008", "IN"],
    ["4000003800000008", "IT"],
    ["4000003920000003", "JP"],
    ["4000004840008001", "MX"],
    ["4000005280000002", "NL"],
    ["4000005780000007", "NO"],
    ["4000006160000005", "PL"],
    ["4000007520000008", "SE"],
  ];
  const refused: [number: string, decline: Decline][] = [
    ["4000000000009987", {
      ...declined,
      declineCode: "lost_card",
      adviceCode: "do_not_try_again",
      networkCode: "41",
    }],
    ["4000000000009979", {
      ...declined,
      declineCode: "stolen_card",
      adviceCode: "do_not_try_again",
      networkCode: "43",
    }],
    ["4000000000006975", { ...declined, declineCode: "card_velocity_exceeded", networkCode: "65" }],
    ["4000000000000127", {
      code: "incorrect_cvc",
      declineCode: "incorrect_cvc",
      message: "Your card's security code is incorrect.",
      adviceCode: "confirm_card_data",
      networkCode: "N7",
      param: "cvc",
    }],
    ["4000000000000119", {
      code: "processing_error",
      declineCode: "processing_error",
      message: "An error occurred while processing your card. Try again in a little bit.",
      adviceCode: "try_again_later",
      networkCode: "96",
    }],
    ["4100000000000019", { ...declined, declineCode: "fraudulent", adviceCode: "do_not_try_again" }],
  ];
  const secured: [number: string, fields: Partial<TestCard>][] = [
    // Set up already: asks in a payment with the customer, never without.
    ["4000003800000446", { authentication: "on_session" }],
    ["4000000000003220", { authentication: "always" }],
    ["4000000000003063", { authentication: "always" }],
    ["4000000000003055", {}],
    ["4000008400001629", { authentication: "on_session", charge: declined }],
    ["4000008400001280", {
      authentication: "on_session",
      charge: { ...declined, code: "processing_error", declineCode: "processing_error" },
    }],
  ];
  // Succeed here. What Stripe makes of them later has other names: disputes, refunds, reviews.
  const plain = [
    "4000000000001976",
    "4000000000002685",
    "4000000000005126",
    "4000000000007726",
    "4000000000000077",
    "4000003720000278",
    "4000000000004954",
    "4000000000009235",
    "4000000000000101",
  ];
  return [
    ...brands.map(([number, brand, fields]) => ({ ...visa, number, brand, label: brand, ...fields })),
    ...abroad.map(([number, country]) => ({ ...visa, number, country, label: `Visa, ${country}` })),
    ...refused.map(([number, decline]) => ({
      ...visa,
      number,
      label: `Visa, ${decline.declineCode}`,
      attach: decline,
      charge: decline,
    })),
    ...secured.map(([number, fields]) => ({ ...visa, number, label: "Visa, 3D Secure", ...fields })),
    ...plain.map((number) => ({ ...visa, number, label: "Visa" })),
  ];
}

/** Payments that the bank confirms or returns after days. Named by IBAN, a transfer by a word. */
function delayedMethods(): TestCard[] {
  const debit = { ...visa, type: "sepa_debit", country: "DE", label: "SEPA debit" } as const;
  return [
    { ...debit, number: "DE89370400440532013000", settles: "succeeded" },
    { ...debit, number: "DE62370400440532013001", settles: "failed" },
    { ...debit, number: "AT611904300234573201", country: "AT", settles: "succeeded", settlesAfter: 0 },
    { ...debit, number: "AT321904300235473204", country: "AT", settles: "succeeded", settlesAfter: 180 },
    { ...debit, number: "AT861904300235473202", country: "AT", settles: "failed", settlesAfter: 0 },
    { ...debit, number: "IT60X0542811101000000123456", country: "IT", settles: "failed", settlesAfter: 0 },
    {
      ...visa,
      number: "bank_transfer",
      type: "customer_balance",
      label: "Bank transfer",
      settles: "succeeded",
    },
    {
      ...visa,
      number: "bank_transfer_missing",
      type: "customer_balance",
      label: "Bank transfer",
      settles: "failed",
    },
  ];
}

/** A debit that the bank returned. */
export const debitReturned: Decline = {
  code: "card_declined",
  declineCode: "generic_decline",
  message: "The customer's bank account could not be debited.",
};

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
