import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";
import type { TestCard } from "./test_card.ts";

export type PaymentMethod = Stored<Stripe.PaymentMethod>;

/** The person who pays, as entered beside the card. */
export interface Payer {
  email: string | null;
  name: string | null;
  phone?: string | null;
  address?: Stripe.Address | null;
}

/** Creates a card payment method. It is attached when a customer is given. */
export function newPaymentMethod(
  created: number,
  fields: { card: TestCard; payer: Payer; customer: string | null },
): PaymentMethod {
  const { card, payer } = fields;
  return {
    id: newId("pm"),
    object: "payment_method",
    ...detailsOf(created, card),
    allow_redisplay: "unspecified",
    billing_details: {
      address: payer.address ?? emptyAddress,
      email: payer.email,
      name: payer.name,
      phone: payer.phone ?? null,
      tax_id: null,
    },
    created,
    customer: fields.customer,
    customer_account: null,
    livemode: false,
    metadata: card.type === "customer_balance" ? { simulated: card.number } : {},
  };
}

/** The type and its own hash. */
function detailsOf(
  created: number,
  method: TestCard,
): Pick<PaymentMethod, "card" | "customer_balance" | "sepa_debit" | "type"> {
  const fingerprint = `sim${method.number}`;
  switch (method.type) {
    case "customer_balance":
      return { customer_balance: {}, type: "customer_balance" };
    case "sepa_debit":
      return {
        sepa_debit: {
          bank_code: method.number.slice(4, 12),
          branch_code: "",
          country: method.country ?? null,
          fingerprint,
          generated_from: null,
          last4: method.number.slice(-4),
        },
        type: "sepa_debit",
      };
    default:
      return { card: cardDetails(created, method, fingerprint), type: "card" };
  }
}

function cardDetails(created: number, card: TestCard, fingerprint: string): PaymentMethod["card"] {
  return {
    brand: card.brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: "pass" },
    country: card.country ?? "US",
    display_brand: card.brand,
    exp_month: 12,
    exp_year: new Date(created * 1000).getUTCFullYear() + 4,
    fingerprint,
    funding: card.funding ?? "credit",
    generated_from: null,
    last4: card.number.slice(-4),
    networks: { available: [card.brand], preferred: null },
    regulated_status: "unregulated",
    three_d_secure_usage: { supported: true },
    wallet: null,
  };
}

/** What a payment method was made from: the number of a card, an IBAN, or the word for a transfer. */
export function originOf({ card, metadata, sepa_debit: debit }: PaymentMethod): string {
  const fingerprint = card?.fingerprint ?? debit?.fingerprint;
  return fingerprint?.replace("sim", "") ?? metadata?.simulated ?? "bank_transfer";
}

const emptyAddress: Stripe.Address = {
  city: null,
  country: null,
  line1: null,
  line2: null,
  postal_code: null,
  state: null,
};
