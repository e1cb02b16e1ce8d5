import Stripe from "stripe";
import type { Price, Tier } from "../../objects/price.ts";

const { Decimal } = Stripe;

/** What a number of units costs, in whole cents: the product is exact and then rounded half up. */
export function multiply(price: Price, quantity: string): number {
  const units = Decimal.from(quantity);
  const exact = price.tiers ? graduated(price.tiers, units) : amountOf(price).mul(units);
  return Number(exact.toFixed(0, "half-up"));
}

const amountOf = ({ unit_amount_decimal: amount }: { unit_amount_decimal: unknown }) =>
  Decimal.from(amount === null ? 0 : String(amount));

/** Each unit costs what the tier says that it falls into. */
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
  /** How many of the smallest unit make one of the currency: 100 cents, 1 yen. */
  units: number;
  whole: Intl.NumberFormat;
  /** For parts of the smallest unit. */
  precise: Intl.NumberFormat;
}

const notations = new Map<string, Notation>();

/** An amount in the currency's smallest unit, as a person reads it: `1500, "usd"` is `$15.00`, `0.5` is `$0.005`. */
export function formatAmount(amount: number, currency: string): string {
  const { units, whole, precise } = notationOf(currency);
  return (Number.isInteger(amount) ? whole : precise).format(amount / units);
}

/** Formats are costly to make, so each is made once. */
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

/** `$15.00 / month`, `$40.00 / 3 months`, `$5.00`; of tiers the last, `$0.01 / month after 1000`. */
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
