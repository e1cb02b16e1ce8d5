import { isSince } from "../../objects/api_versions.ts";
import { type Hash, hashAt, hashesAt, isHash, without } from "./hash.ts";
import type { Lookup } from "./lookup.ts";

/**
 * Returns the object as versions before 2025-03-31.basil show it. That version moved the period of a subscription to
 * its items, and what an invoice, its lines and its payments say of each other to new fields
 * (https://docs.stripe.com/changelog/basil).
 */
export function beforeBasil(object: Hash, version: string, lookup: Lookup): Hash {
  if (isSince(version, "2025-03-31")) return object;
  switch (object.object) {
    case "charge":
      return {
        ...object,
        invoice: typeof object.payment_intent === "string" ? lookup.invoiceOf(object.payment_intent) : null,
      };
    case "checkout.session":
      return { ...object, shipping_details: null };
    case "invoice":
      return invoice(object, lookup);
    case "invoiceitem":
      return invoiceItem(object, lookup);
    case "line_item":
      return line(object, lookup);
    case "payment_intent":
      return { ...object, invoice: lookup.invoiceOf(String(object.id)) };
    case "plan":
      return { ...object, aggregate_usage: null };
    case "price":
      return isHash(object.recurring)
        ? { ...object, recurring: { ...object.recurring, aggregate_usage: null } }
        : object;
    case "subscription":
      return subscription(object);
    case "subscription_item":
      return without(object, "current_period_end", "current_period_start");
    default:
      return object;
  }
}

function subscription(object: Hash): Hash {
  const items = hashesAt(hashAt(object, "items"), "data");
  const times = (key: string) => items.map((item) => Number(item[key]));
  return {
    ...object,
    current_period_end: Math.min(...times("current_period_end")),
    current_period_start: Math.max(...times("current_period_start")),
    discount: first(object.discounts),
  };
}

/** An expanded discount. Null for an id and for none. */
function first(discounts: unknown): unknown {
  const [discount] = Array.isArray(discounts) ? discounts.filter(isHash) : [];
  return discount ?? null;
}

function invoice(object: Hash, lookup: Lookup): Hash {
  const details = hashAt(hashAt(object, "parent"), "subscription_details");
  const taxes = hashesAt(object, "total_taxes");
  const { intent, charge } = lookup.paymentOf(String(object.id));
  return {
    ...without(object, "amount_overpaid", "confirmation_secret", "parent", "payments", "total_taxes"),
    application_fee_amount: null,
    charge,
    discount: first(object.discounts),
    paid: object.status === "paid",
    paid_out_of_band: object.status === "paid" && intent === null && Number(object.amount_due) > 0,
    payment_intent: intent,
    quote: null,
    subscription: details?.subscription ?? null,
    subscription_details: { metadata: details?.metadata ?? null },
    tax: taxes.length === 0 ? null : taxes.reduce((sum, { amount }) => sum + Number(amount), 0),
    total_tax_amounts: taxes.map(taxAmount),
    transfer_data: null,
  };
}

function line(object: Hash, lookup: Lookup): Hash {
  const parent = hashAt(object, "parent");
  if (!parent) return object;
  const details = hashAt(parent, "subscription_item_details") ?? hashAt(parent, "invoice_item_details");
  const pricing = hashAt(object, "pricing");
  const item = details?.invoice_item;
  return {
    ...without(object, "parent", "pricing", "taxes"),
    amount_excluding_tax: object.amount,
    ...(typeof item === "string" ? { invoice_item: item } : {}),
    ...priced(pricing, lookup),
    proration: details?.proration ?? false,
    proration_details: details?.proration_details ?? { credited_items: null },
    subscription: details?.subscription ?? null,
    ...(details?.subscription_item ? { subscription_item: details.subscription_item } : {}),
    tax_amounts: hashesAt(object, "taxes").map(taxAmount),
    tax_rates: [],
    type: typeof item === "string" ? "invoiceitem" : "subscription",
    unit_amount_excluding_tax: pricing?.unit_amount_decimal ?? null,
  };
}

function invoiceItem(object: Hash, lookup: Lookup): Hash {
  const details = hashAt(hashAt(object, "parent"), "subscription_details");
  const pricing = hashAt(object, "pricing");
  const unit = pricing?.unit_amount_decimal ?? null;
  return {
    ...without(object, "parent", "pricing"),
    ...priced(pricing, lookup),
    subscription: details?.subscription ?? null,
    ...(details?.subscription_item ? { subscription_item: details.subscription_item } : {}),
    unit_amount: unit !== null && Number.isInteger(Number(unit)) ? Number(unit) : null,
    unit_amount_decimal: unit,
  };
}

/** The price and its plan as whole objects. */
function priced(pricing: Hash | undefined, lookup: Lookup): Hash {
  const price = hashAt(pricing, "price_details")?.price;
  const id = isHash(price) ? String(price.id) : String(price ?? "");
  return { plan: lookup.plan(id), price: lookup.price(id) };
}

function taxAmount(tax: Hash): Hash {
  const { amount, taxability_reason, taxable_amount, tax_behavior: behavior } = tax;
  return {
    amount,
    inclusive: behavior === "inclusive",
    tax_rate: hashAt(tax, "tax_rate_details")?.tax_rate ?? null,
    taxability_reason,
    taxable_amount,
  };
}
