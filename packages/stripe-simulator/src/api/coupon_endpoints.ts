import { z } from "zod";
import type { Account } from "../account/account.ts";
import { newCoupon } from "../objects/coupon.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import {
  currency,
  decimal,
  integer,
  list,
  metadata,
  oneOf,
  pagination,
  text,
  timeFilter,
  timestamp,
} from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/coupons";
const currencyOptions = z.record(z.string(), z.strictObject({ amount_off: integer({ min: 1 }) }));

const createParams = {
  amount_off: integer({ min: 1 }).optional(),
  applies_to: z.strictObject({ products: list(text()) }).optional(),
  currency: currency().optional(),
  currency_options: currencyOptions.optional(),
  duration: oneOf("forever", "once", "repeating").default("once"),
  duration_in_months: integer({ min: 1 }).optional(),
  id: text().optional(),
  max_redemptions: integer({ min: 1 }).optional(),
  metadata: metadata().optional(),
  name: text(40).optional(),
  percent_off: decimal().optional(),
  redeem_by: timestamp().optional(),
};
type CreateParams = z.output<z.ZodObject<typeof createParams>>;

export const couponEndpoints = [
  endpoint(`POST ${path}`, createParams, ({ account, change, params }) => {
    checkCreateParams(account, params);
    const coupon = account.coupons.put(newCoupon(change.now, {
      id: params.id,
      amount_off: params.amount_off ?? null,
      currency: params.currency ?? null,
      duration: params.duration,
      duration_in_months: params.duration_in_months ?? null,
      max_redemptions: params.max_redemptions ?? null,
      metadata: mergeMetadata({}, params.metadata),
      name: params.name ?? null,
      percent_off: params.percent_off === undefined ? null : Number(params.percent_off),
      redeem_by: params.redeem_by ?? null,
    }));
    account.couponDetails.put({
      id: coupon.id,
      products: params.applies_to?.products ?? null,
      currencyOptions: params.currency_options ?? {},
    });
    change.emit("coupon.created", coupon);
    return coupon;
  }),

  endpoint(`GET ${path}`, { ...pagination, created: timeFilter().optional() }, ({ account, params }) => {
    const found = account.coupons.newestFirst().filter(({ created }) => passes(created, params.created));
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.coupons.get(id)),

  endpoint(`POST ${path}/:id`, {
    currency_options: currencyOptions.optional(),
    metadata: metadata().optional(),
    name: text(40).optional(),
  }, ({ account, change, params, id }) => {
    const before = account.coupons.get(id);
    const details = account.couponDetails.get(id);
    account.couponDetails.put({
      ...details,
      currencyOptions: { ...details.currencyOptions, ...params.currency_options },
    });
    const after = account.coupons.put({
      ...before,
      name: params.name ?? before.name,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    });
    change.emit("coupon.updated", after, before);
    return after;
  }),

  endpoint(`DELETE ${path}/:id`, {}, ({ account, change, id }) => {
    const coupon = account.coupons.get(id);
    account.coupons.remove(id);
    const deleted = account.deletedCoupons.put({ ...coupon, valid: false });
    change.emit("coupon.deleted", deleted);
    return { id, object: "coupon", deleted: true };
  }),
];

function checkCreateParams(account: Account, params: CreateParams) {
  const { amount_off: amount, percent_off: percent } = params;
  if ((amount === undefined) === (percent === undefined)) {
    throw invalidRequest("You must pass either percent_off or amount_off.", { param: "percent_off" });
  }
  if (percent !== undefined && (Number(percent) <= 0 || Number(percent) > 100)) {
    throw invalidRequest("Invalid percent_off: must be greater than 0 and at most 100", {
      param: "percent_off",
    });
  }
  if (amount !== undefined && params.currency === undefined) throw missingParameter("currency");
  if (params.duration === "repeating" && params.duration_in_months === undefined) {
    throw missingParameter("duration_in_months");
  }
  if (params.id !== undefined && account.coupons.find(params.id)) {
    throw invalidRequest("Coupon already exists.", { code: "resource_already_exists", param: "id" });
  }
  for (const [index, product] of (params.applies_to?.products ?? []).entries()) {
    account.products.getReferenced(product, `applies_to[products][${index}]`);
  }
}
