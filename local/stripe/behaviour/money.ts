import type { Price } from "../objects/price.ts";

/** An amount in the currency's smallest unit, as a person reads it: `1500, "usd"` is `$15.00`. */
export function formatAmount(amount: number, currency: string): string {
  const format = new Intl.NumberFormat("en-US", { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amount / 10 ** digits);
}

/** `$15.00 / month`, `$40.00 / 3 months`, `$5.00`. */
export function formatPrice(price: Price): string {
  const amount = formatAmount(price.unit_amount ?? 0, price.currency);
  if (!price.recurring) return amount;
  const { interval, interval_count: count } = price.recurring;
  return `${amount} / ${count === 1 ? interval : `${count} ${interval}s`}`;
}
