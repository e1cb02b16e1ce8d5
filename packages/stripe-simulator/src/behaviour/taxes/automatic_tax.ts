import type Stripe from "stripe";
import type { Account } from "../../account/account.ts";
import type { Customer } from "../../objects/customer.ts";
import type { Invoice, InvoiceLine } from "../../objects/invoice.ts";
import { newTaxRate } from "../../objects/tax_rate.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { taxOf } from "./tax_table.ts";

type Tax = NonNullable<InvoiceLine["taxes"]>[number];

/** Where a customer is and whether it pays tax. */
export interface TaxPayer {
  country: string | null;
  taxExempt: string | null;
  taxIds: { type: string }[];
}

/** The fields of a draft that determine its taxes. */
export function payerOf(
  invoice: Pick<Invoice, "customer_address" | "customer_tax_exempt" | "customer_tax_ids">,
): TaxPayer {
  return {
    country: invoice.customer_address?.country ?? null,
    taxExempt: invoice.customer_tax_exempt ?? null,
    taxIds: invoice.customer_tax_ids ?? [],
  };
}

/**
 * True when prices of this currency include tax, unless they say otherwise: Stripe's automatic default, exclusive for
 * US and Canadian dollars (https://docs.stripe.com/tax/products-prices-tax-codes-tax-behavior).
 */
export function includesTax(behaviour: string | null | undefined, currency: string): boolean {
  if (behaviour === "exclusive" || behaviour === "inclusive") return behaviour === "inclusive";
  return currency !== "usd" && currency !== "cad";
}

/** The taxes on the amount of a line after its discounts. Creates the tax rate in the account when it is new. */
export function taxesOn(
  account: Account,
  payer: TaxPayer,
  { amount, currency, behaviour }: { amount: number; currency: string; behaviour: string | null | undefined },
): Tax[] {
  if (payer.country === null) return [];
  const country = taxOf(payer.country);
  const isInclusive = includesTax(behaviour, currency);
  const reason = reasonFor(payer, country);
  const percentage = reason === "standard_rated" ? country?.percentage ?? 0 : 0;
  const rate = newTaxRate({
    country: payer.country,
    displayName: country?.displayName ?? "Sales Tax",
    isInclusive,
    percentage,
    taxType: country?.taxType ?? "sales_tax",
  });
  if (!account.taxRates.find(rate.id)) account.taxRates.put({ ...rate, created: account.now() });
  const tax = isInclusive
    ? Math.round(amount * percentage / (100 + percentage))
    : Math.round(amount * percentage / 100);
  return [{
    amount: tax,
    tax_behavior: isInclusive ? "inclusive" : "exclusive",
    tax_rate_details: { tax_rate: rate.id },
    taxability_reason: reason,
    taxable_amount: reason === "standard_rated" ? amount - (isInclusive ? tax : 0) : 0,
    type: "tax_rate_details",
  }];
}

function reasonFor(
  { taxExempt, taxIds }: TaxPayer,
  country: ReturnType<typeof taxOf>,
): Stripe.InvoiceLineItem.Tax.TaxabilityReason {
  if (taxExempt === "exempt") return "customer_exempt";
  if (!country) return "not_collecting";
  const isReversed = taxExempt === "reverse" || taxIds.some(({ type }) => country.reversedFor.includes(type));
  return isReversed ? "reverse_charge" : "standard_rated";
}

/** Throws the 400 for automatic tax of a customer whose country is not known. */
export function checkTaxLocation({ address }: Pick<Customer, "address">) {
  if (address?.country) return;
  throw invalidRequest(
    "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax.",
    { code: "customer_tax_location_invalid", param: "automatic_tax" },
  );
}
