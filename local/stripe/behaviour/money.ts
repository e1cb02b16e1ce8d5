import Stripe from "stripe";
import type { Price } from "../objects/price.ts";

const { Decimal } = Stripe;

/** What a number of units costs, in whole cents: the product is exact and then rounded half up. */
export function multiply(price: Price, quantity: string): number {
  const unit = Decimal.from(price.unit_amount_decimal === null ? 0 : String(price.unit_amount_decimal));
  return Number(unit.mul(Decimal.from(quantity)).toFixed(0, "half-up"));
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

/** `$15.00 / month`, `$40.00 / 3 months`, `$5.00`. */
export function formatPrice(price: Price): string {
  const amount = formatAmount(Number(price.unit_amount_decimal ?? 0), price.currency);
  if (!price.recurring) return amount;
  const { interval, interval_count: count } = price.recurring;
  return `${amount} / ${count === 1 ? interval : `${count} ${interval}s`}`;
}
