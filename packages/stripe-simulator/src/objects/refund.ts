import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Charge } from "./payment.ts";
import type { Stored } from "./stored_object.ts";

export type Refund = Stored<Stripe.Refund>;

/** Creates a refund of a card payment, which succeeds immediately. */
export function newRefund(
  created: number,
  fields: { amount: number; charge: Charge; metadata: Stripe.Metadata; reason: Stripe.Refund.Reason | null },
): Refund {
  const { charge } = fields;
  return {
    id: newId("re"),
    object: "refund",
    amount: fields.amount,
    balance_transaction: null,
    charge: charge.id,
    created,
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: {
      card: { reference_status: "pending", reference_type: "acquirer_reference_number", type: "refund" },
      type: "card",
    },
    metadata: fields.metadata,
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: fields.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: "succeeded",
    transfer_reversal: null,
  };
}
