import { z } from "zod";
import { clearable, list, text } from "../wire/params.ts";

/** The discounts of a subscription, a phase or an invoice. An empty value removes them. */
export const discounts = clearable(list(z.strictObject({
  coupon: text().optional(),
  discount: text().optional(),
  promotion_code: text().optional(),
})));
