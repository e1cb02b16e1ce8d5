import type Stripe from "stripe";
import type { Customer } from "./customer.ts";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";
import type { Period } from "./subscription.ts";

/** Something to be billed with the customer's next invoice: pending until `invoice` names one. */
export type InvoiceItem = Omit<Stored<Stripe.InvoiceItem>, "pricing"> & {
  pricing: Stored<Stripe.InvoiceItem.Pricing> | null;
};

export interface InvoiceItemFields {
  amount: number;
  currency: string;
  customer: Pick<Customer, "id" | "test_clock">;
  description: string | null;
  metadata: Stripe.Metadata;
  period: Period;
  /** What the amount is a price of; null for an amount that stands alone. */
  price: { id: string; product: string; unitAmountDecimal: string | null } | null;
  quantity: number;
  /** The subscription whose next invoice it goes onto, and the item it is about, if it is about one. */
  subscription: { id: string; item?: string } | null;
  isProration: boolean;
}

export function newInvoiceItem(created: number, fields: InvoiceItemFields): InvoiceItem {
  const { customer, price, subscription } = fields;
  return {
    id: newId("ii"),
    object: "invoiceitem",
    amount: fields.amount,
    currency: fields.currency,
    customer: customer.id,
    customer_account: null,
    date: created,
    description: fields.description,
    discountable: !fields.isProration,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: fields.metadata,
    net_amount: fields.amount,
    parent: subscription && {
      subscription_details: {
        subscription: subscription.id,
        ...(subscription.item === undefined ? {} : { subscription_item: subscription.item }),
      },
      type: "subscription_details",
    },
    period: fields.period,
    pricing: price && {
      price_details: { price: price.id, product: price.product },
      type: "price_details",
      unit_amount_decimal: price.unitAmountDecimal,
    },
    proration: fields.isProration,
    ...(fields.isProration ? { proration_details: { credited_items: null, discount_amounts: [] } } : {}),
    quantity: fields.quantity,
    quantity_decimal: String(fields.quantity),
    tax_rates: [],
    test_clock: customer.test_clock ?? null,
  };
}

/** The subscription that an invoice item belongs to. */
export function subscriptionOf(item: InvoiceItem): string | null {
  return item.parent?.subscription_details?.subscription ?? null;
}
