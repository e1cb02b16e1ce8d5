import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

/** A change of a customer's balance. A negative amount is a credit to the customer. */
export type CustomerBalanceTransaction = Stored<Stripe.CustomerBalanceTransaction>;

export function newBalanceTransaction(created: number, fields: {
  amount: number;
  creditNote?: string | null;
  currency: string;
  customer: string;
  description?: string | null;
  endingBalance: number;
  invoice?: string | null;
  metadata?: Stripe.Metadata;
  type: Stripe.CustomerBalanceTransaction.Type;
}): CustomerBalanceTransaction {
  return {
    id: newId("cbtxn"),
    object: "customer_balance_transaction",
    amount: fields.amount,
    checkout_session: null,
    created,
    credit_note: fields.creditNote ?? null,
    currency: fields.currency,
    customer: fields.customer,
    customer_account: null,
    description: fields.description ?? null,
    ending_balance: fields.endingBalance,
    invoice: fields.invoice ?? null,
    livemode: false,
    metadata: fields.metadata ?? {},
    type: fields.type,
  };
}
