import { z } from "zod";
import { newPromotionCode } from "../objects/coupon.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { mergeMetadata } from "../wire/metadata.ts";
import { paginate, passes } from "../wire/pagination.ts";
import {
  boolean,
  currency,
  integer,
  metadata,
  oneOf,
  pagination,
  text,
  timeFilter,
  timestamp,
} from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";

const path = "/v1/promotion_codes";

export const promotionCodeEndpoints = [
  endpoint(`POST ${path}`, {
    active: boolean().default(true),
    code: text(500).optional(),
    customer: text().optional(),
    expires_at: timestamp().optional(),
    max_redemptions: integer({ min: 1 }).optional(),
    metadata: metadata().optional(),
    promotion: z.strictObject({ coupon: text().optional(), type: oneOf("coupon") }),
    restrictions: z.strictObject({
      first_time_transaction: boolean().default(false),
      minimum_amount: integer({ min: 1 }).optional(),
      minimum_amount_currency: currency().optional(),
    }).optional(),
  }, ({ account, change, params }) => {
    const { restrictions, promotion } = params;
    if (promotion.coupon === undefined) throw missingParameter("promotion[coupon]");
    const coupon = account.coupons.getReferenced(promotion.coupon, "promotion[coupon]");
    if (params.customer) account.customers.getReferenced(params.customer, "customer");
    const taken = account.promotionCodes.oldestFirst().some(({ active, code }) =>
      active && code.toLowerCase() === params.code?.toLowerCase()
    );
    if (taken) {
      throw invalidRequest(
        "An active promotion code with `code: " + params.code + "` already exists.",
        { param: "code", code: "resource_already_exists" },
      );
    }
    const code = account.promotionCodes.put(newPromotionCode(change.now, {
      active: params.active,
      code: params.code,
      coupon: coupon.id,
      customer: params.customer ?? null,
      expires_at: params.expires_at ?? null,
      max_redemptions: params.max_redemptions ?? null,
      metadata: mergeMetadata({}, params.metadata),
      restrictions: {
        first_time_transaction: restrictions?.first_time_transaction ?? false,
        minimum_amount: restrictions?.minimum_amount ?? null,
        minimum_amount_currency: restrictions?.minimum_amount_currency ?? null,
      },
    }));
    change.emit("promotion_code.created", code);
    return code;
  }),

  endpoint(`GET ${path}`, {
    ...pagination,
    active: boolean().optional(),
    code: text().optional(),
    coupon: text().optional(),
    created: timeFilter().optional(),
    customer: text().optional(),
  }, ({ account, params }) => {
    const found = account.promotionCodes.newestFirst().filter((code) =>
      (params.active === undefined || code.active === params.active) &&
      (params.code === undefined || code.code.toLowerCase() === params.code.toLowerCase()) &&
      (params.coupon === undefined || code.promotion.coupon === params.coupon) &&
      (params.customer === undefined || code.customer === params.customer) &&
      passes(code.created, params.created)
    );
    return paginate(found, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => account.promotionCodes.get(id)),

  endpoint(`POST ${path}/:id`, {
    active: boolean().optional(),
    metadata: metadata().optional(),
  }, ({ account, change, params, id }) => {
    const before = account.promotionCodes.get(id);
    const after = account.promotionCodes.put({
      ...before,
      active: params.active ?? before.active,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    });
    change.emit("promotion_code.updated", after, before);
    return after;
  }),
];
