import { z } from "zod";
import type { Tier } from "../objects/price.ts";
import { invalidRequest, missingParameter } from "../wire/errors.ts";
import { decimal, integer, list, oneOf, text } from "../wire/params.ts";

/** The parameters for tiers (https://docs.stripe.com/products-prices/pricing-models#tiered-pricing). */
export const tierParams = {
  billing_scheme: oneOf("per_unit", "tiered").default("per_unit"),
  tiers: list(z.strictObject({
    unit_amount: integer({ min: 0 }).optional(),
    unit_amount_decimal: decimal().optional(),
    up_to: text(),
  })).optional(),
  tiers_mode: oneOf("graduated").optional(),
};
type TierParams = z.output<z.ZodObject<typeof tierParams>>;

interface Amount {
  unit_amount?: number;
  unit_amount_decimal?: string;
}

/**
 * Reads the tiers of a price, or null for a price without tiers. `amountOf` reads the price of one unit. Throws
 * Stripe's 400s.
 */
export function tiersOf(
  { billing_scheme: scheme, tiers, tiers_mode: mode }: TierParams,
  amountOf: (amount: Amount) => Pick<Tier, "unit_amount" | "unit_amount_decimal">,
): Tier[] | null {
  if (scheme === "per_unit") {
    if (!tiers && !mode) return null;
    throw invalidRequest("Tiers can only be used with `billing_scheme=tiered`.", { param: "tiers" });
  }
  if (!tiers || tiers.length === 0) throw missingParameter("tiers");
  if (!mode) throw missingParameter("tiers_mode");
  return tiers.map((tier, index) => ({
    flat_amount: null,
    flat_amount_decimal: null,
    ...amountOf(tier),
    up_to: upperBound(tiers, index),
  }));
}

function upperBound(tiers: { up_to: string }[], index: number): number | null {
  const param = `tiers[${index}][up_to]`;
  const isLast = index === tiers.length - 1;
  const bound = tiers[index].up_to;
  if ((bound === "inf") !== isLast) {
    throw invalidRequest("The last tier, and no other, goes up to `inf`.", { param });
  }
  if (isLast) return null;
  const lower = index === 0 ? 0 : Number(tiers[index - 1].up_to);
  if (!/^\d{1,15}$/.test(bound) || Number(bound) <= lower) {
    throw invalidRequest("Each tier goes up to a whole number higher than the one before.", { param });
  }
  return Number(bound);
}
