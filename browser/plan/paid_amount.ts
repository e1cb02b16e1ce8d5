import type { Subscription } from "../api/contract.ts";
import type { Language } from "../language/language.ts";

/**
 * What a subscription costs for one interval, in the smallest unit of its currency: now, or from a moment on, when fewer
 * discounts apply. Stripe takes discounts off in their order. Null for tiered prices.
 */
export function amountFrom(
  { amount, currency, discounts }: Subscription,
  iso?: string,
): number | null {
  if (amount === null) return null;
  const applying = discounts.filter(({ endsAt }) => !iso || !endsAt || Date.parse(endsAt) > Date.parse(iso));
  const rest = applying.reduce(
    (rest, { percentOff, amountOff, currency: of }) =>
      rest - (percentOff !== null ? rest * percentOff / 100 : of === currency ? amountOff ?? 0 : 0),
    amount,
  );
  return applying.length > 0 ? Math.max(0, Math.round(rest)) : rest;
}

/** `$29 a month`: what is paid now, or from a moment on. Null when there is no one price. */
export function paidPrice(
  subscription: Subscription,
  { charge }: Pick<Language, "charge">,
  iso?: string,
): string | null {
  const amount = amountFrom(subscription, iso);
  const { currency, interval, intervalCount } = subscription;
  return amount === null || !currency || !interval
    ? null
    : charge(amount, currency, interval, intervalCount ?? 1);
}
