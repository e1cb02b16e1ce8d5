import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import type { Invoice } from "../../objects/invoice.ts";
import type { Deleted } from "../../objects/stored_object.ts";
import { newTaxId, type TaxId } from "../../objects/tax_id.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { isInEuropeanUnion } from "./tax_table.ts";

/** The customer's tax ids as invoices and sessions show them, oldest first. */
export function taxIdsOf(account: Account, customer: string): NonNullable<Invoice["customer_tax_ids"]> {
  return account.taxIds.of(customer).map(({ type, value }) => ({ type, value }));
}

/** The form of each type of tax id, and the country that it belongs to. */
const formats: Record<string, { country: string | null; pattern: RegExp }> = {
  au_abn: { country: "AU", pattern: /^\d{11}$/ },
  ca_gst_hst: { country: "CA", pattern: /^\d{9}RT\d{4}$/ },
  ch_vat: { country: "CH", pattern: /^CHE-?\d{3}\.?\d{3}\.?\d{3} ?(MWST|TVA|IVA)$/ },
  eu_vat: { country: null, pattern: /^[A-Z]{2}[A-Z0-9]{2,13}$/ },
  gb_vat: { country: "GB", pattern: /^GB(\d{9}|\d{12}|GD\d{3}|HA\d{3})$/ },
  no_vat: { country: "NO", pattern: /^\d{9}MVA$/ },
  nz_gst: { country: "NZ", pattern: /^\d{8,9}$/ },
  us_ein: { country: "US", pattern: /^\d{2}-?\d{7}$/ },
};

/** The VAT ids of the countries of the European Union, after the country's code. */
const europeanFormats: Record<string, RegExp> = {
  AT: /^U\d{8}$/,
  BE: /^[01]\d{9}$/,
  BG: /^\d{9,10}$/,
  CY: /^\d{8}[A-Z]$/,
  CZ: /^\d{8,10}$/,
  DE: /^\d{9}$/,
  DK: /^\d{8}$/,
  EE: /^\d{9}$/,
  EL: /^\d{9}$/,
  ES: /^[A-Z0-9]\d{7}[A-Z0-9]$/,
  FI: /^\d{8}$/,
  FR: /^[A-Z0-9]{2}\d{9}$/,
  HR: /^\d{11}$/,
  HU: /^\d{8}$/,
  IE: /^\d[A-Z0-9+*]\d{5}[A-Z]{1,2}$/,
  IT: /^\d{11}$/,
  LT: /^(\d{9}|\d{12})$/,
  LU: /^\d{8}$/,
  LV: /^\d{11}$/,
  MT: /^\d{8}$/,
  NL: /^\d{9}B\d{2}$/,
  PL: /^\d{10}$/,
  PT: /^\d{9}$/,
  RO: /^\d{2,10}$/,
  SE: /^\d{12}$/,
  SI: /^\d{8}$/,
  SK: /^\d{10}$/,
  XI: /^\d{9}$/,
};

/** The types of tax ids that the simulator knows. */
export const taxIdTypes = Object.keys(formats);

/**
 * Adds a tax id to a customer. Throws the 400 `tax_id_invalid` when its format is wrong. Ids of the magic values of
 * Stripe's testing page get their verification (https://docs.stripe.com/billing/customer/tax-ids#testing).
 */
export function addTaxId(
  change: Change,
  customer: string,
  { type, value: given }: { type: string; value: string },
  param = "value",
): TaxId {
  const { account } = change;
  const value = given.trim().toUpperCase();
  checkTaxId({ type, value }, param);
  const isVerified = type === "eu_vat" || type === "gb_vat" || type === "au_abn";
  const taxId = account.taxIds.put(newTaxId(change.now, {
    customer,
    country: formats[type].country ?? countryOf(value),
    type,
    value,
    verification: isVerified
      ? { status: statusOf(value), verified_address: null, verified_name: null }
      : { status: "unavailable", verified_address: null, verified_name: null },
  }));
  change.emit("customer.tax_id.created", taxId);
  return taxId;
}

/** Throws the 400 `tax_id_invalid` when the format of a tax id is wrong. */
export function checkTaxId({ type, value }: { type: string; value: string }, param: string) {
  const isEuropean = type !== "eu_vat" || (europeanFormats[value.slice(0, 2)]?.test(value.slice(2)) ?? false);
  if (formats[type]?.pattern.test(value) && isEuropean) return;
  throw invalidRequest(`Invalid value for ${type}.`, { code: "tax_id_invalid", param });
}

/** Removes a tax id from its customer. */
export function removeTaxId(change: Change, taxId: TaxId): Deleted {
  change.account.taxIds.remove(taxId.id);
  change.emit("customer.tax_id.deleted", taxId);
  return { id: taxId.id, object: "tax_id", deleted: true };
}

function countryOf(value: string): string | null {
  const code = value.slice(0, 2) === "EL" ? "GR" : value.slice(0, 2);
  return isInEuropeanUnion(code) ? code : code === "XI" ? "GB" : null;
}

/** Values of zeros verify, values of ones fail, others stay pending. */
function statusOf(value: string): "pending" | "unverified" | "verified" {
  const digits = value.replace(/\D/g, "");
  if (/^0+$/.test(digits)) return "verified";
  return /^1+$/.test(digits) ? "unverified" : "pending";
}
