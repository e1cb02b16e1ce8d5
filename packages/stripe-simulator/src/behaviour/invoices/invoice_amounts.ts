import type { Account } from "../../account/account.ts";
import { type Invoice, type InvoiceLine, withLines } from "../../objects/invoice.ts";
import { type AppliedCoupon, reductionsOf } from "../discounts/discount_amounts.ts";
import { appliedCoupons } from "../discounts/redemption.ts";
import { taxIdsOf } from "../taxes/customer_tax_ids.ts";
import { payerOf, taxesOn } from "../taxes/automatic_tax.ts";

/**
 * Returns the draft with the discounts and taxes of its lines, and with its totals. Previews and invoices get their
 * amounts here.
 */
export function withAmounts(
  account: Account,
  draft: Invoice,
  lines: InvoiceLine[] = draft.lines.data,
  coupons: AppliedCoupon[] = appliedCoupons(account, draft.discounts.map(String)),
): Invoice {
  const discounted = withDiscounts(account, lines, coupons, draft.currency);
  const isTaxed = draft.automatic_tax.enabled;
  return withLines({
    ...draft,
    automatic_tax: {
      ...draft.automatic_tax,
      liability: isTaxed ? { type: "self" } : null,
      provider: isTaxed ? "stripe" : null,
      status: isTaxed ? (payerOf(draft).country === null ? "requires_location_inputs" : "complete") : null,
    },
    discounts: coupons.map(({ discount }) => discount),
  }, isTaxed ? discounted.map((line) => withTaxes(account, draft, line)) : discounted);
}

function withDiscounts(
  account: Account,
  lines: InvoiceLine[],
  coupons: AppliedCoupon[],
  currency: string,
): InvoiceLine[] {
  if (coupons.length === 0) return lines;
  const reductions = reductionsOf(
    account,
    coupons,
    lines.map(({ amount, discountable, pricing }) => ({
      amount,
      isDiscountable: discountable,
      product: pricing?.price_details?.product ?? null,
    })),
    currency,
  );
  return lines.map((line, index) => {
    const amounts = line.discountable
      ? reductions.map(({ discount, amounts }) => ({ amount: amounts[index], discount }))
      : [];
    return {
      ...line,
      discount_amounts: amounts,
      pretax_credit_amounts: amounts.map((amount) => ({ ...amount, type: "discount" as const })),
    };
  });
}

function withTaxes(account: Account, draft: Invoice, line: InvoiceLine): InvoiceLine {
  const price = account.prices.find(String(line.pricing?.price_details?.price));
  const off = (line.discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0);
  return {
    ...line,
    taxes: taxesOn(account, payerOf(draft), {
      amount: line.amount - off,
      currency: draft.currency,
      behaviour: price?.tax_behavior,
    }),
  };
}

/** Returns the draft with its customer's present address and tax ids, which determine its taxes until it is finalized. */
export function withFreshLocation(account: Account, draft: Invoice): Invoice {
  const customer = account.customers.get(String(draft.customer));
  const located: Invoice = {
    ...draft,
    customer_address: customer.address ?? null,
    customer_tax_exempt: customer.tax_exempt ?? null,
    customer_tax_ids: taxIdsOf(account, customer.id),
  };
  return draft.automatic_tax.enabled ? withAmounts(account, located) : located;
}
