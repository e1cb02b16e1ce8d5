import type Stripe from "stripe";
import type { Stored } from "./stored_object.ts";

export type TaxRate = Stored<Stripe.TaxRate>;

/** The rate that automatic tax applies in a country. Its id depends on its fields alone. */
export function newTaxRate(fields: {
  country: string;
  displayName: string;
  isInclusive: boolean;
  percentage: number;
  taxType: Stripe.TaxRate.TaxType;
}): TaxRate {
  const { country, displayName, isInclusive, percentage } = fields;
  const name = [country, String(percentage).replace(".", "p"), isInclusive ? "inclusive" : "exclusive"];
  return {
    id: `txr_${name.join("_").toLowerCase()}`,
    object: "tax_rate",
    active: false,
    country,
    created: 0,
    description: null,
    display_name: displayName,
    effective_percentage: percentage,
    flat_amount: null,
    inclusive: isInclusive,
    jurisdiction: country,
    jurisdiction_level: "country",
    livemode: false,
    metadata: {},
    percentage,
    rate_type: "percentage",
    state: null,
    tax_type: fields.taxType,
  };
}
