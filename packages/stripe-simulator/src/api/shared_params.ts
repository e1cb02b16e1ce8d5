import { z } from "zod";
import { boolean, clearable, oneOf, text } from "../wire/params.ts";

/* Schemas that several endpoints share. */

const line = clearable(text()).default(null);

export const address = z.strictObject({
  city: line,
  country: line,
  line1: line,
  line2: line,
  postal_code: line,
  state: line,
});

/** The setting of automatic tax. The account is always liable itself. */
export const automaticTax = z.strictObject({
  enabled: boolean(),
  liability: z.strictObject({ type: oneOf("self") }).optional(),
});

/** A shipping address and its recipient. */
export const shipping = z.strictObject({
  address,
  carrier: clearable(text()).default(null),
  name: text(),
  phone: clearable(text()).default(null),
  tracking_number: clearable(text()).default(null),
});
