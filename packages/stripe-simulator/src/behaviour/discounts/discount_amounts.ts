import type { Account } from "../../account/account.ts";
import type { Coupon } from "../../objects/coupon.ts";

/** An amount that discounts are subtracted from. */
export interface Discountable {
  amount: number;
  isDiscountable: boolean;
  product: string | null;
}

/** What one discount takes off each amount. */
export interface Reduction {
  /** The id of the discount, or of the coupon that is not yet applied. */
  discount: string;
  amounts: number[];
}

/** A coupon and the id under which its reduction is listed. */
export interface AppliedCoupon {
  discount: string;
  coupon: Coupon;
}

/**
 * What the coupons take off the amounts, one after the other (https://docs.stripe.com/billing/subscriptions/coupons).
 * An amount never becomes negative. A fixed amount is spread over the amounts in proportion to their size.
 */
export function reductionsOf(
  account: Account,
  coupons: AppliedCoupon[],
  amounts: Discountable[],
  currency: string,
): Reduction[] {
  const left = amounts.map(({ amount, isDiscountable }) => isDiscountable ? Math.max(0, amount) : 0);
  return coupons.map(({ discount, coupon }) => {
    const products = account.couponDetails.find(coupon.id)?.products ?? null;
    const base = left.map((amount, index) => {
      const { product } = amounts[index];
      return products === null || (product !== null && products.includes(product)) ? amount : 0;
    });
    const off = coupon.percent_off === null
      ? spread(fixedAmount(account, coupon, currency), base)
      : base.map((amount) => Math.round(amount * (coupon.percent_off ?? 0) / 100));
    off.forEach((amount, index) => left[index] -= amount);
    return { discount, amounts: off };
  });
}

/** The fixed amount of a coupon in a currency. 0 when the coupon has no amount in it. */
export function fixedAmount(account: Account, coupon: Coupon, currency: string): number {
  if (coupon.currency === currency) return coupon.amount_off ?? 0;
  return account.couponDetails.find(coupon.id)?.currencyOptions[currency]?.amount_off ?? 0;
}

/** Spreads an amount in proportion to others and at most up to them. The last one takes what rounding leaves. */
function spread(amount: number, over: number[]): number[] {
  const sum = over.reduce((total, one) => total + one, 0);
  const whole = Math.min(amount, sum);
  let rest = whole;
  return over.map((one, index) => {
    const isLast = over.slice(index + 1).every((other) => other === 0);
    const share = isLast ? rest : Math.min(rest, Math.round(sum === 0 ? 0 : whole * one / sum));
    rest -= share;
    return share;
  });
}
