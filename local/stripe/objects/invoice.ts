import type Stripe from "stripe";
import type { Customer } from "./customer.ts";
import { newId } from "./ids.ts";
import { completeList, type List, type Stored } from "./stored.ts";
import type { Period, SubscriptionItem } from "./subscription.ts";

export type Invoice = Omit<Stored<Stripe.Invoice>, "lines"> & { lines: List<InvoiceLine> };
export type InvoiceLine = Omit<Stored<Stripe.InvoiceLineItem>, "pricing"> & { pricing: Pricing };
type Pricing = Stored<Stripe.InvoiceLineItem.Pricing>;

export interface InvoiceFields {
  id: string;
  customer: Customer;
  currency: string;
  lines: InvoiceLine[];
  billingReason: Stripe.Invoice.BillingReason;
  subscription: { id: string; metadata: Stripe.Metadata };
  defaultPaymentMethod: string | null;
}

/** A draft: no number, nothing paid. */
export function newInvoice(created: number, fields: InvoiceFields): Invoice {
  const { customer } = fields;
  const total = fields.lines.reduce((sum, line) => sum + line.amount, 0);
  return {
    id: fields.id,
    object: "invoice",
    account_country: "US",
    account_name: "Sandbox",
    account_tax_ids: null,
    amount_due: total,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: total,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: fields.billingReason,
    collection_method: "charge_automatically",
    created,
    currency: fields.currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: customer.tax_exempt ?? null,
    customer_tax_ids: [],
    default_payment_method: fields.defaultPaymentMethod,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: "self" },
    last_finalization_error: null,
    latest_revision: null,
    lines: completeList(fields.lines, `/v1/invoices/${fields.id}/lines`),
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent: {
      quote_details: null,
      subscription_details: { metadata: fields.subscription.metadata, subscription: fields.subscription.id },
      type: "subscription_details",
    },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: created,
    period_start: created,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: "draft",
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: total,
    subtotal_excluding_tax: total,
    test_clock: null,
    total,
    total_discount_amounts: [],
    total_excluding_tax: total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  };
}

/** The line for one subscription item and one period. */
export function newInvoiceLine(fields: {
  invoice: string;
  item: SubscriptionItem;
  amount: number;
  description: string;
  period: Period;
  metadata: Stripe.Metadata;
}): InvoiceLine {
  const { item } = fields;
  const quantity = item.quantity ?? null;
  return {
    id: newId("il"),
    object: "line_item",
    amount: fields.amount,
    currency: item.price.currency,
    description: fields.description,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: fields.invoice,
    livemode: false,
    metadata: fields.metadata,
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: { credited_items: null },
        subscription: item.subscription,
        subscription_item: item.id,
      },
      type: "subscription_item_details",
    },
    period: fields.period,
    pretax_credit_amounts: [],
    pricing: linePricing(item),
    quantity,
    quantity_decimal: quantity === null ? null : String(quantity),
    subscription: item.subscription,
    subtotal: fields.amount,
    taxes: [],
  };
}

function linePricing(item: SubscriptionItem): Pricing {
  const { price } = item;
  return {
    price_details: { price: price.id, product: price.product },
    type: "price_details",
    unit_amount_decimal: price.unit_amount_decimal,
  };
}
