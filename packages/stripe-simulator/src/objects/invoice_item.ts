import type Stripe from "stripe";
import type { Customer } from "./customer.ts";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";
import type { Period } from "./subscription.ts";

/** An amount to bill with the customer's next invoice. It is pending while `invoice` is null. */
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
  /** The price that the amount is calculated from. Null for an amount without a price. */
  price: { id: string; product: string; unitAmountDecimal: string | null } | null;
  quantity: number;
  /** The subscription on whose next invoice the item goes, and the subscription item it is about, if any. */
  subscription: { id: string; item?: string } | null;
  isProration: boolean;
  /** For the credit of a proration: what it credits. */
  credited?: CreditedItems | null;
}

/** The invoice and its lines that a proration credits. */
export interface CreditedItems {
  invoice: string;
  invoice_line_items: string[];
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
    ...(fields.isProration
      ? { proration_details: { credited_items: creditOf(fields.credited ?? null), discount_amounts: [] } }
      : {}),
    quantity: fields.quantity,
    quantity_decimal: String(fields.quantity),
    tax_rates: [],
    test_clock: customer.test_clock ?? null,
  };
}

function creditOf(
  lines: CreditedItems | null,
): Stripe.InvoiceItem.ProrationDetails.CreditedItems | null {
  return lines && { invoice_line_item_details: lines, type: "invoice_line_item_details" };
}

/** The id of the subscription that an invoice item belongs to, or null. */
export function subscriptionOf(item: InvoiceItem): string | null {
  return item.parent?.subscription_details?.subscription ?? null;
}
