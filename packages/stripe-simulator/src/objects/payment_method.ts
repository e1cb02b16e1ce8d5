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
    allow_redisplay: "unspecified",
    billing_details: {
      address: payer.address ?? emptyAddress,
      email: payer.email,
      name: payer.name,
      phone: payer.phone ?? null,
      tax_id: null,
    },
    card: {
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: "pass" },
      country: "US",
      display_brand: card.brand,
      exp_month: 12,
      exp_year: new Date(created * 1000).getUTCFullYear() + 4,
      fingerprint: `sim${card.number}`,
      funding: "credit",
      generated_from: null,
      last4: card.number.slice(-4),
      networks: { available: [card.brand], preferred: null },
      regulated_status: "unregulated",
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created,
    customer: fields.customer,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: "card",
  };
}

const emptyAddress: Stripe.Address = {
  city: null,
  country: null,
  line1: null,
  line2: null,
  postal_code: null,
  state: null,
};
