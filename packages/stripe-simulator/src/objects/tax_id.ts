import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

export type TaxId = Stored<Stripe.TaxId>;

export function newTaxId(
  created: number,
  fields: {
    customer: string;
    country: string | null;
    type: Stripe.TaxId.Type;
    value: string;
    verification: TaxId["verification"];
  },
): TaxId {
  return {
    id: newId("txi"),
    object: "tax_id",
    country: fields.country,
    created,
    customer: fields.customer,
    customer_account: null,
    livemode: false,
    owner: { customer: fields.customer, customer_account: null, type: "customer" },
    type: fields.type,
    value: fields.value,
    verification: fields.verification,
  };
}
