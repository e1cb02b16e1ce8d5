import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import { type Coupon, type Discount, newDiscount, type PromotionCode } from "../../objects/coupon.ts";
import type { Invoice } from "../../objects/invoice.ts";
import { billedSubscription } from "../../objects/invoice.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { invalidRequest, noSuch } from "../../wire/errors.ts";
import { addIntervals } from "../subscriptions/billing_periods.ts";
import type { AppliedCoupon } from "./discount_amounts.ts";

/** A discount as a request asks for it: a coupon, a promotion code, or a discount that is applied already. */
export interface WantedDiscount {
  coupon?: string | null;
  discount?: string | null;
  promotion_code?: string | null;
}

/** A coupon that can be redeemed, with the promotion code that led to it. */
export interface Redeemable {
  coupon: Coupon;
  promotionCode: PromotionCode | null;
}

interface Redeemer {
  customer: string | null;
  /** The amount of the order, for codes with a minimum. Null when there is no order. */
  amount: number | null;
  currency: string | null;
}

/** The coupon of a requested discount. Throws a 400 when it cannot be redeemed by this customer. */
export function redeemable(
  change: Change,
  wanted: WantedDiscount,
  param: string,
  redeemer: Redeemer,
): Redeemable {
  const { account } = change;
  if (wanted.promotion_code) {
    const code = account.promotionCodes.getReferenced(wanted.promotion_code, `${param}[promotion_code]`);
    return redeemCode(change, code, `${param}[promotion_code]`, redeemer);
  }
  if (!wanted.coupon) throw noSuch("coupon", "", { param: `${param}[coupon]` });
  const coupon = account.coupons.getReferenced(wanted.coupon, `${param}[coupon]`);
  checkCoupon(change, coupon, `${param}[coupon]`, redeemer);
  return { coupon, promotionCode: null };
}

/** The coupon of a promotion code that a customer types. Throws a 400 when it cannot be redeemed. */
export function redeemableByCode(change: Change, typed: string, redeemer: Redeemer): Redeemable {
  const code = change.account.promotionCodes.newestFirst().find(({ active, code }) =>
    active && code.toLowerCase() === typed.toLowerCase()
  );
  if (!code) throw invalidRequest("This code is invalid.", { param: "promotion_code" });
  return redeemCode(change, code, "promotion_code", redeemer);
}

function redeemCode(change: Change, code: PromotionCode, param: string, redeemer: Redeemer): Redeemable {
  const { account, now } = change;
  const refuse = (why: string) => {
    throw invalidRequest(`This promotion code cannot be redeemed because ${why}.`, { param });
  };
  const coupon = account.coupons.find(code.promotion.coupon ?? "");
  if (!code.active || !coupon || isOver(code.expires_at, now) || isUsedUp(code)) {
    return refuse("it is not active");
  }
  if (code.customer !== null && code.customer !== redeemer.customer) {
    return refuse("it is for another customer");
  }
  const { first_time_transaction: isForFirst, minimum_amount_currency: currency } = code.restrictions;
  const minimum = redeemer.currency === currency
    ? code.restrictions.minimum_amount
    : code.restrictions.currency_options?.[redeemer.currency ?? ""]?.minimum_amount ?? null;
  if (isForFirst && hasPaidBefore(account, redeemer.customer)) {
    return refuse("the associated customer has prior transactions");
  }
  if (minimum !== null && redeemer.amount !== null && redeemer.amount < minimum) {
    return refuse("the order is below its minimum amount");
  }
  checkCoupon(change, coupon, param, redeemer);
  return { coupon, promotionCode: code };
}

function checkCoupon({ account, now }: Change, coupon: Coupon, param: string, { currency }: Redeemer) {
  if (!coupon.valid || isOver(coupon.redeem_by, now) || isUsedUp(coupon)) {
    throw invalidRequest(`Coupon expired: ${coupon.id}`, { code: "coupon_expired", param });
  }
  const inCurrency = coupon.amount_off === null || currency === null || coupon.currency === currency ||
    account.couponDetails.find(coupon.id)?.currencyOptions[currency] !== undefined;
  if (!inCurrency) {
    throw invalidRequest(`The coupon ${coupon.id} has no amount in ${currency}.`, { param });
  }
}

const isOver = (end: number | null, now: number) => end !== null && end <= now;
const isUsedUp = (one: { max_redemptions: number | null; times_redeemed: number }) =>
  one.max_redemptions !== null && one.times_redeemed >= one.max_redemptions;

function hasPaidBefore(account: Account, customer: string | null): boolean {
  return customer !== null &&
    (account.invoices.of(customer).some(({ amount_paid: paid }) => paid > 0) ||
      account.charges.oldestFirst().some((charge) => charge.customer === customer && charge.paid));
}

/** Redeems a coupon: creates the discount and counts the redemption. */
export function redeem(
  change: Change,
  { coupon, promotionCode }: Redeemable,
  on: { customer: string; subscription?: string; invoice?: string; checkoutSession?: string },
): Discount {
  const { account, now } = change;
  const discount = account.discounts.put(newDiscount(now, {
    ...on,
    coupon: coupon.id,
    end: coupon.duration === "repeating" ? monthsLater(now, coupon.duration_in_months ?? 0) : null,
    promotionCode: promotionCode?.id ?? null,
  }));
  const current = account.coupons.get(coupon.id);
  account.coupons.put(counted(current));
  if (promotionCode) {
    account.promotionCodes.put(withoutUsedUp(counted(account.promotionCodes.get(promotionCode.id))));
  }
  return discount;
}

function counted<T extends { max_redemptions: number | null; times_redeemed: number }>(redeemed: T): T {
  return { ...redeemed, times_redeemed: redeemed.times_redeemed + 1 };
}

function withoutUsedUp(code: PromotionCode): PromotionCode {
  return isUsedUp(code) ? { ...code, active: false } : code;
}

function monthsLater(start: number, months: number): number {
  return addIntervals(start, {
    interval: "month",
    interval_count: 1,
    meter: null,
    trial_period_days: null,
    usage_type: "licensed",
  }, months);
}

/** The coupons that reduce an invoice of the subscription that is made at this time. */
export function couponsFor(
  account: Account,
  subscription: Pick<Subscription, "customer" | "discounts">,
  now: number,
): AppliedCoupon[] {
  return appliedCoupons(account, subscription.discounts.map(String)).filter(({ discount, coupon }) => {
    const { end } = account.discounts.get(discount);
    if (end !== null && end <= now) return false;
    return coupon.duration !== "once" || !isSpent(account, subscription.customer, discount);
  });
}

/** The coupons of applied discounts. Deleted coupons stay in force. */
export function appliedCoupons(account: Account, discounts: string[]): AppliedCoupon[] {
  return discounts.flatMap((id) => {
    const discount = account.discounts.find(id);
    const coupon = account.coupons.find(discount?.source.coupon ?? "") ??
      account.deletedCoupons.find(discount?.source.coupon ?? "");
    return coupon ? [{ discount: id, coupon }] : [];
  });
}

/** True when an invoice has used a discount. */
function isSpent(account: Account, customer: string, discount: string): boolean {
  return account.invoices.of(customer).some((invoice) =>
    invoice.status !== "void" &&
    invoice.total_discount_amounts?.some((used) => used.discount === discount && used.amount > 0)
  );
}

/** Returns the subscription without the discounts for one invoice that an invoice has used. */
export function withoutSpent(account: Account, subscription: Subscription): Subscription {
  const discounts = subscription.discounts.filter((id) =>
    appliedCoupons(account, [String(id)]).every(({ coupon, discount }) =>
      coupon.duration !== "once" || !isSpent(account, subscription.customer, discount)
    )
  );
  return discounts.length === subscription.discounts.length ? subscription : { ...subscription, discounts };
}

/** Removes the discounts from a subscription that a finalized invoice has used up. */
export function removeSpent(change: Change, invoice: Invoice) {
  const { account } = change;
  const subscription = account.subscriptions.find(billedSubscription(invoice) ?? "");
  if (!subscription) return;
  const after = withoutSpent(account, subscription);
  if (after === subscription) return;
  account.subscriptions.put(after);
  const gone = subscription.discounts.filter((id) => !after.discounts.includes(id));
  for (const id of gone) change.emit("customer.discount.deleted", account.discounts.get(String(id)));
  change.emit("customer.subscription.updated", after, subscription);
}
