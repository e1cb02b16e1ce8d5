import Stripe from "stripe";
import type { Price, Tier } from "../../objects/price.ts";

const { Decimal } = Stripe;

/** The price of a number of units in whole cents. The exact product is rounded half up. */
export function multiply(price: Price, quantity: string): number {
  const units = Decimal.from(quantity);
  const exact = price.tiers ? graduated(price.tiers, units) : amountOf(price).mul(units);
  return Number(exact.toFixed(0, "half-up"));
}

const amountOf = ({ unit_amount_decimal: amount }: { unit_amount_decimal: unknown }) =>
  Decimal.from(amount === null ? 0 : String(amount));

/** Graduated pricing: each unit has the price of its tier. */
function graduated(tiers: Tier[], units: Stripe.Decimal): Stripe.Decimal {
  let sum = Decimal.zero;
  let below = Decimal.zero;
  for (const tier of tiers) {
    const top = tier.up_to === null || units.lt(Decimal.from(tier.up_to)) ? units : Decimal.from(tier.up_to);
    sum = sum.add(amountOf(tier).mul(top.sub(below)));
    below = top;
  }
  return sum;
}

interface Notation {
  /** How many of the smallest units make one: 100 cents, 1 yen. */
  units: number;
  whole: Intl.NumberFormat;
  /** For fractions of the smallest unit. */
  precise: Intl.NumberFormat;
}

const notations = new Map<string, Notation>();

/** Formats an amount in the currency's smallest unit: `1500, "usd"` is `$15.00`, `0.5` is `$0.005`. */
export function formatAmount(amount: number, currency: string): string {
  const { units, whole, precise } = notationOf(currency);
  return (Number.isInteger(amount) ? whole : precise).format(amount / units);
}

/** Creating a format is slow, so each is created once. */
function notationOf(currency: string): Notation {
  const known = notations.get(currency);
  if (known) return known;
  const whole = new Intl.NumberFormat("en-US", { style: "currency", currency });
  const precise = new Intl.NumberFormat("en-US", { style: "currency", currency, maximumFractionDigits: 12 });
  const units = 10 ** (whole.resolvedOptions().maximumFractionDigits ?? 2);
  const notation = { units, whole, precise };
  notations.set(currency, notation);
  return notation;
}

/**
 * Formats a price: `$15.00 / month`, `$40.00 / 3 months`, `$5.00`. For a tiered price it shows the last tier: `$0.01
 * / month after 1000`.
 */
export function formatPrice(price: Price): string {
  if (price.tiers) {
    const last = price.tiers[price.tiers.length - 1];
    const after = price.tiers[price.tiers.length - 2]?.up_to ?? 0;
    const { tiers: _, ...flat } = price;
    return `${formatPrice({ ...flat, unit_amount_decimal: last.unit_amount_decimal })} after ${after}`;
  }
  const amount = formatAmount(Number(price.unit_amount_decimal ?? 0), price.currency);
  if (!price.recurring) return amount;
  const { interval, interval_count: count } = price.recurring;
  return `${amount} / ${count === 1 ? interval : `${count} ${interval}s`}`;
}
