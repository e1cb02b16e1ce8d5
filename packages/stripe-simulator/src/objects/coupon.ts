import type Stripe from "stripe";
import { newId, randomText } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

/** `applies_to` and `currency_options` are stored apart, because replies show them only on demand. */
export type Coupon = Omit<Stored<Stripe.Coupon>, "applies_to" | "currency_options">;

/** The fields of a coupon that replies show only on demand. */
export interface CouponDetails {
  /** The coupon's id. */
  id: string;
  /** The products that the coupon is for. Null for all. */
  products: string[] | null;
  currencyOptions: Record<string, { amount_off: number }>;
}

export interface CouponFields {
  id?: string;
  amount_off: number | null;
  currency: string | null;
  duration: Stripe.Coupon.Duration;
  duration_in_months: number | null;
  max_redemptions: number | null;
  metadata: Stripe.Metadata;
  name: string | null;
  percent_off: number | null;
  redeem_by: number | null;
}

export function newCoupon(created: number, fields: CouponFields): Coupon {
  return {
    id: fields.id ?? randomText(8),
    object: "coupon",
    amount_off: fields.amount_off,
    created,
    currency: fields.currency,
    duration: fields.duration,
    duration_in_months: fields.duration_in_months,
    livemode: false,
    max_redemptions: fields.max_redemptions,
    metadata: fields.metadata,
    name: fields.name,
    percent_off: fields.percent_off,
    redeem_by: fields.redeem_by,
    times_redeemed: 0,
    valid: true,
  };
}

/** The promotion code's coupon is an id. */
export type PromotionCode = Omit<Stored<Stripe.PromotionCode>, "promotion"> & {
  promotion: { coupon: string | null; type: "coupon" };
};

export function newPromotionCode(created: number, fields: {
  active: boolean;
  code: string | undefined;
  coupon: string;
  customer: string | null;
  expires_at: number | null;
  max_redemptions: number | null;
  metadata: Stripe.Metadata;
  restrictions: PromotionCode["restrictions"];
}): PromotionCode {
  return {
    id: newId("promo"),
    object: "promotion_code",
    active: fields.active,
    code: fields.code ?? randomText(8).toUpperCase(),
    created,
    customer: fields.customer,
    customer_account: null,
    expires_at: fields.expires_at,
    livemode: false,
    max_redemptions: fields.max_redemptions,
    metadata: fields.metadata,
    promotion: { coupon: fields.coupon, type: "coupon" },
    restrictions: fields.restrictions,
    times_redeemed: 0,
  };
}

/** A coupon that is applied to a subscription or an invoice. Its coupon is an id. */
export type Discount = Omit<Stored<Stripe.Discount>, "source"> & {
  source: { coupon: string | null; type: "coupon" };
};

export function newDiscount(start: number, fields: {
  coupon: string;
  customer: string | null;
  end: number | null;
  promotionCode: string | null;
  checkoutSession?: string | null;
  invoice?: string | null;
  subscription?: string | null;
}): Discount {
  return {
    id: newId("di"),
    object: "discount",
    checkout_session: fields.checkoutSession ?? null,
    customer: fields.customer,
    customer_account: null,
    end: fields.end,
    invoice: fields.invoice ?? null,
    invoice_item: null,
    promotion_code: fields.promotionCode,
    source: { coupon: fields.coupon, type: "coupon" },
    start,
    subscription: fields.subscription ?? null,
    subscription_item: null,
  };
}
