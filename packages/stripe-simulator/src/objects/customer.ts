import type Stripe from "stripe";
import { newId, randomText } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

export type Customer = Stored<Stripe.Customer>;

/** The fields that a new customer can be given. */
export type CustomerFields = Partial<
  Pick<
    Customer,
    | "address"
    | "description"
    | "email"
    | "metadata"
    | "name"
    | "phone"
    | "preferred_locales"
    | "tax_exempt"
    | "test_clock"
  >
>;

/** Creates a customer with no balance and no payment method. */
export function newCustomer(created: number, fields: CustomerFields = {}): Customer {
  return {
    id: newId("cus", 14),
    object: "customer",
    address: fields.address ?? null,
    balance: 0,
    created,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: fields.description ?? null,
    discount: null,
    email: fields.email ?? null,
    invoice_prefix: randomText(8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: fields.metadata ?? {},
    name: fields.name ?? null,
    next_invoice_sequence: 1,
    phone: fields.phone ?? null,
    preferred_locales: fields.preferred_locales ?? [],
    shipping: null,
    tax_exempt: fields.tax_exempt ?? "none",
    test_clock: fields.test_clock ?? null,
  };
}
