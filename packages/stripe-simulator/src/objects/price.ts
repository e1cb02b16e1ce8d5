import type Stripe from "stripe";
import { newId } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

export type Price = Omit<Stored<Stripe.Price>, "tiers"> & { tiers?: Tier[] };
export type Plan = Stored<Stripe.Plan>;
export type Tier = Stored<Stripe.Price.Tier>;
export type Recurring = Stripe.Price.Recurring;

/** The amounts of a price in another currency. */
export interface CurrencyOption {
  custom_unit_amount: null;
  tax_behavior: Price["tax_behavior"];
  tiers?: Tier[];
  unit_amount: number | null;
  unit_amount_decimal: string | null;
}

/** The fields of a price that replies show only on demand. */
export interface PriceDetails {
  /** The price's id. */
  id: string;
  currencyOptions: Record<string, CurrencyOption>;
}

/** The fields of a new price. Without `recurring` it is a one-time price. */
export interface PriceFields {
  product: string;
  currency: string;
  unit_amount: number | null;
  unit_amount_decimal: string | null;
  active?: boolean;
  lookup_key?: string | null;
  metadata?: Stripe.Metadata;
  nickname?: string | null;
  recurring?: Recurring | null;
  tax_behavior?: Price["tax_behavior"];
  /** Graduated tiers. */
  tiers?: Tier[] | null;
}

export function newPrice(created: number, fields: PriceFields): Price {
  return {
    id: newId("price"),
    object: "price",
    active: fields.active ?? true,
    billing_scheme: fields.tiers ? "tiered" : "per_unit",
    created,
    currency: fields.currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: fields.lookup_key ?? null,
    metadata: fields.metadata ?? {},
    nickname: fields.nickname ?? null,
    product: fields.product,
    recurring: fields.recurring ?? null,
    tax_behavior: fields.tax_behavior ?? "unspecified",
    ...(fields.tiers ? { tiers: fields.tiers } : {}),
    tiers_mode: fields.tiers ? "graduated" : null,
    transform_quantity: null,
    type: fields.recurring ? "recurring" : "one_time",
    unit_amount: fields.unit_amount,
    unit_amount_decimal: fields.unit_amount_decimal,
  };
}

/** A recurring price. */
export type RecurringPrice = Price & { recurring: Recurring };

export function isRecurring(price: Price): price is RecurringPrice {
  return price.recurring !== null;
}

/** Returns the `plan` object of a recurring price, which subscription items still contain. */
export function planOf(price: RecurringPrice): Plan {
  return {
    id: price.id,
    object: "plan",
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: price.recurring.interval,
    interval_count: price.recurring.interval_count,
    livemode: false,
    metadata: price.metadata,
    meter: price.recurring.meter,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: price.tiers_mode,
    transform_usage: null,
    trial_period_days: price.recurring.trial_period_days,
    usage_type: price.recurring.usage_type,
  };
}
