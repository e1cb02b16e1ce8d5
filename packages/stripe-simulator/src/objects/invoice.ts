import type Stripe from "stripe";
import { completeList, type List } from "../wire/list.ts";
import type { Customer } from "./customer.ts";
import { newId } from "./ids.ts";
import type { InvoiceItem } from "./invoice_item.ts";
import type { Stored } from "./stored_object.ts";
import type { Period, SubscriptionItem } from "./subscription.ts";

export type Invoice = Omit<Stored<Stripe.Invoice>, "lines"> & { lines: List<InvoiceLine> };
export type InvoiceLine = Omit<Stored<Stripe.InvoiceLineItem>, "pricing"> & { pricing: Pricing | null };
type Pricing = Stored<Stripe.InvoiceLineItem.Pricing>;

export interface InvoiceFields {
  id: string;
  customer: Customer;
  currency: string;
  lines: InvoiceLine[];
  billingReason: Stripe.Invoice.BillingReason;
  subscription: { id: string; metadata: Stripe.Metadata } | null;
  defaultPaymentMethod: string | null;
  /** When the draft is finalized automatically, in seconds. Null when it is not. */
  finalizesAt?: number | null;
  /**
   * `period_start` and `period_end`: when the billed items were created, not the service period
   * (https://docs.stripe.com/api/invoices/object#invoice_object-period_end).
   */
  period?: Period;
  /** True when taxes are calculated (`automatic_tax`). */
  isTaxed?: boolean;
  /** The customer's tax ids, as they are printed on the invoice. */
  taxIds?: Invoice["customer_tax_ids"];
}

/**
 * The smallest amount that is charged. A smaller amount is added to the customer's balance
 * (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
 */
const minimumCharge = 50;

/* Shared by all invoices: a long simulation holds tens of thousands of them. */
const none: never[] = [];
const noTax = { disabled_reason: null, enabled: false, liability: null, provider: null, status: null };
const issuer: Invoice["issuer"] = { type: "self" };
const anyPayment = { default_mandate: null, payment_method_options: null, payment_method_types: null };
const notYet = { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null };
const noCredit = { credited_items: null };

/** Creates a draft: without a number, nothing paid. */
export function newInvoice(created: number, fields: InvoiceFields): Invoice {
  const { customer, period = { start: created, end: created } } = fields;
  const finalizesAt = fields.finalizesAt ?? null;
  return withLines({
    id: fields.id,
    object: "invoice",
    account_country: "US",
    account_name: "Sandbox",
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatic_tax: fields.isTaxed ? { ...noTax, enabled: true } : noTax,
    automatically_finalizes_at: finalizesAt,
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
    customer_tax_ids: fields.taxIds ?? none,
    default_payment_method: fields.defaultPaymentMethod,
    default_source: null,
    default_tax_rates: none,
    description: null,
    discounts: none,
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer,
    last_finalization_error: null,
    latest_revision: null,
    lines: completeList(none, `/v1/invoices/${fields.id}/lines`),
    livemode: false,
    metadata: {},
    next_payment_attempt: finalizesAt,
    number: null,
    on_behalf_of: null,
    parent: fields.subscription && {
      quote_details: null,
      subscription_details: { metadata: fields.subscription.metadata, subscription: fields.subscription.id },
      type: "subscription_details",
    },
    payment_settings: anyPayment,
    period_end: period.end,
    period_start: period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: "draft",
    status_transitions: notYet,
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: customer.test_clock ?? null,
    total: 0,
    total_discount_amounts: none,
    total_excluding_tax: 0,
    total_pretax_credit_amounts: none,
    total_taxes: none,
    webhooks_delivered_at: finalizesAt === null ? created : null,
  }, fields.lines);
}

/**
 * Returns the draft with these lines and their totals: what discounts and taxes are on the lines is added up. A credit on the customer's balance (a negative number) lowers
 * the amount due, a debt raises it.
 */
export function withLines(draft: Invoice, lines: InvoiceLine[]): Invoice {
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0);
  const discounts = sumBy(
    lines.flatMap((line) => line.discount_amounts ?? []),
    ({ discount }) => String(discount),
    (one, amount) => ({ ...one, amount }),
  );
  const taxes = sumBy(
    lines.flatMap((line) => line.taxes ?? []),
    (tax) => `${tax.tax_rate_details?.tax_rate} ${tax.taxability_reason}`,
    (one, amount, taxable) => ({ ...one, amount, taxable_amount: taxable }),
  );
  const off = totalOf(discounts);
  const added = totalOf(taxes.filter((tax) => tax.tax_behavior === "exclusive"));
  const included = totalOf(taxes) - added;
  const total = subtotal - off + added;
  return withBalance({
    ...draft,
    lines: completeList(lines, draft.lines.url),
    subtotal,
    subtotal_excluding_tax: subtotal - included,
    total,
    total_discount_amounts: discounts.length === 0 ? none : discounts,
    total_excluding_tax: total - added - included,
    total_pretax_credit_amounts: discounts.length === 0
      ? none
      : discounts.map(({ amount, discount }) => ({ amount, discount, type: "discount" as const })),
    total_taxes: taxes.length === 0 ? none : taxes,
  }, draft.starting_balance);
}

type Part = { amount: number; taxable_amount?: number | null };

const totalOf = (parts: Part[]) => parts.reduce((sum, { amount }) => sum + amount, 0);

/** Adds up the parts with the same key. */
function sumBy<T extends Part>(
  parts: T[],
  keyOf: (part: T) => string,
  make: (first: T, amount: number, taxable: number) => T,
): T[] {
  return [...Map.groupBy(parts, keyOf).values()].map((group) => {
    const taxable = group.reduce((sum, part) => sum + (part.taxable_amount ?? 0), 0);
    return make(group[0], totalOf(group), taxable);
  });
}

/** Returns the draft with the amount due for this customer balance. */
export function withBalance(draft: Invoice, balance: number): Invoice {
  const owed = draft.total + balance;
  const due = owed < minimumCharge ? 0 : owed;
  return { ...draft, amount_due: due, amount_remaining: due, starting_balance: balance };
}

/** The customer's balance after the invoice is finalized. */
export function balanceAfter(invoice: Invoice): number {
  return invoice.starting_balance + invoice.total - invoice.amount_due;
}

/** The id of the subscription that an invoice bills, or null. */
export function billedSubscription(invoice: Invoice): string | null {
  const subscription = invoice.parent?.subscription_details?.subscription ?? null;
  return typeof subscription === "string" ? subscription : null;
}

/** Creates the line for one subscription item and one period. */
export function newInvoiceLine(fields: {
  invoice: string;
  item: SubscriptionItem;
  amount: number;
  description: string;
  period: Period;
  /** A string, because metered quantities can have a fraction. */
  quantity: string | null;
  metadata: Stripe.Metadata;
  /** True in a free trial. */
  isFree?: boolean;
}): InvoiceLine {
  const { item, quantity } = fields;
  const { price } = item;
  return {
    ...bareLine(fields.invoice, { ...fields, currency: price.currency }),
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: noCredit,
        subscription: item.subscription,
        subscription_item: item.id,
      },
      type: "subscription_item_details",
    },
    pricing: {
      price_details: { price: price.id, product: price.product },
      type: "price_details",
      unit_amount_decimal: fields.isFree ? "0" : price.unit_amount_decimal,
    },
    quantity: quantity === null ? null : Math.round(Number(quantity)),
    quantity_decimal: quantity,
    subscription: item.subscription,
  };
}

/** Creates the line that bills an invoice item. */
export function newLineForInvoiceItem(invoice: string, item: InvoiceItem): InvoiceLine {
  const details = item.parent?.subscription_details ?? null;
  const credited = item.proration_details?.credited_items?.invoice_line_item_details;
  const proration = {
    proration: item.proration,
    proration_details: credited ? { credited_items: credited } : noCredit,
  };
  return {
    ...bareLine(invoice, {
      amount: item.amount,
      currency: item.currency,
      description: item.description,
      metadata: item.metadata ?? {},
      period: item.period,
    }),
    discountable: item.discountable,
    parent: details?.subscription_item
      ? {
        invoice_item_details: null,
        subscription_item_details: {
          ...proration,
          invoice_item: item.id,
          subscription: details.subscription,
          subscription_item: details.subscription_item,
        },
        type: "subscription_item_details",
      }
      : {
        invoice_item_details: {
          ...proration,
          invoice_item: item.id,
          subscription: details?.subscription ?? null,
        },
        subscription_item_details: null,
        type: "invoice_item_details",
      },
    pricing: item.pricing,
    quantity: item.quantity,
    quantity_decimal: String(item.quantity),
    subscription: details?.subscription ?? null,
  };
}

/** The fields that all lines share. */
function bareLine(invoice: string, fields: {
  amount: number;
  currency: string;
  description: string | null;
  metadata: Stripe.Metadata;
  period: Period;
}): Omit<InvoiceLine, "parent" | "pricing" | "quantity" | "quantity_decimal" | "subscription"> {
  return {
    id: newId("il"),
    object: "line_item",
    amount: fields.amount,
    currency: fields.currency,
    description: fields.description,
    discount_amounts: none,
    discountable: true,
    discounts: none,
    invoice,
    livemode: false,
    metadata: fields.metadata,
    period: fields.period,
    pretax_credit_amounts: none,
    subtotal: fields.amount,
    taxes: none,
  };
}
