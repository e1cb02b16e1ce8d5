import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import type { CheckoutOrder, CheckoutSession, QuotedLine } from "../../objects/checkout_session.ts";
import { type Customer, newCustomer } from "../../objects/customer.ts";
import { newId } from "../../objects/ids.ts";
import { type Invoice, newInvoice, newLineForInvoiceItem } from "../../objects/invoice.ts";
import { newInvoiceItem } from "../../objects/invoice_item.ts";
import type { Period } from "../../objects/subscription.ts";
import { inCurrency } from "../catalog/presentment.ts";
import type { Redeemable } from "../discounts/redemption.ts";
import { withAmounts } from "../invoices/invoice_amounts.ts";
import { priceInAdvance, productName } from "../invoices/invoice_lines.ts";
import { planSubscription } from "../subscriptions/subscription_start.ts";

/** What the amounts of an order depend on. */
export interface QuoteTerms {
  currency: string;
  /** The customer with the address that is entered. Null while nothing is known. */
  customer: Customer | null;
  taxIds: NonNullable<Invoice["customer_tax_ids"]>;
  trial: Period | null;
}

/** The amounts of an order. */
export interface Quote {
  amounts: Pick<CheckoutSession, "amount_subtotal" | "amount_total" | "total_details">;
  taxStatus: CheckoutSession["automatic_tax"]["status"];
  lines: QuotedLine[];
}

/**
 * Calculates what an order costs now, with its discounts and taxes, exactly as the invoice of its completion. The
 * amounts of its lines are those without a trial.
 */
export function quoteOrder(change: Change, order: CheckoutOrder, terms: QuoteTerms): Quote {
  const due = orderInvoice(change, order, terms);
  const listed = terms.trial ? orderInvoice(change, order, { ...terms, trial: null }) : due;
  const discount = sum(due.total_discount_amounts ?? []);
  return {
    amounts: {
      amount_subtotal: due.subtotal,
      amount_total: due.total,
      total_details: {
        amount_discount: discount,
        amount_shipping: 0,
        amount_tax: sum(due.total_taxes ?? []),
      },
    },
    taxStatus: due.automatic_tax.status,
    lines: order.items.map((item) => lineOf(listed, item.price)),
  };
}

/** The coupons that an order redeems. */
export function couponsOfOrder(account: Account, { coupons = [] }: CheckoutOrder): Redeemable[] {
  return coupons.flatMap(({ coupon: id, promotionCode }) => {
    const coupon = account.coupons.find(id);
    return coupon
      ? [{ coupon, promotionCode: account.promotionCodes.find(promotionCode ?? "") ?? null }]
      : [];
  });
}

const sum = (parts: { amount: number }[]) => parts.reduce((total, { amount }) => total + amount, 0);

function lineOf({ lines }: Invoice, price: string): QuotedLine {
  const line = lines.data.find(({ pricing }) => pricing?.price_details?.price === price);
  const taxes = line?.taxes ?? [];
  const discount = sum(line?.discount_amounts ?? []);
  const added = sum(taxes.filter((tax) => tax.tax_behavior === "exclusive"));
  const amount = line?.amount ?? 0;
  return { subtotal: amount, discount, tax: sum(taxes), total: amount - discount + added };
}

function orderInvoice(change: Change, order: CheckoutOrder, terms: QuoteTerms): Invoice {
  const customer = terms.customer ?? newCustomer(change.now, {});
  if (order.terms.mode === "subscription") {
    return planSubscription(change, {
      customer,
      items: order.items,
      method: null,
      trial: terms.trial,
      terms: { ...order.terms, isTaxed: order.isTaxed ?? false },
      payment: null,
      coupons: couponsOfOrder(change.account, order),
      currency: terms.currency,
      isQuote: true,
      taxIds: terms.taxIds,
    }).draft;
  }
  return oneTimeInvoice(change, order, { ...terms, customer });
}

function oneTimeInvoice(
  change: Change,
  order: CheckoutOrder,
  { currency, customer, taxIds }: QuoteTerms & { customer: Customer },
): Invoice {
  const { account, now } = change;
  const id = newId("in");
  const items = order.items.map(({ price: priceId, quantity = 1 }) => {
    const price = inCurrency(account, account.prices.get(priceId), currency);
    return newInvoiceItem(now, {
      amount: priceInAdvance(price, quantity),
      currency,
      customer,
      description: productName(account, price),
      metadata: {},
      period: { start: now, end: now },
      price: { id: priceId, product: price.product, unitAmountDecimal: null },
      quantity,
      subscription: null,
      isProration: false,
    });
  });
  const draft = newInvoice(now, {
    id,
    customer,
    currency,
    lines: items.map((item) => newLineForInvoiceItem(id, item)),
    billingReason: "manual",
    subscription: null,
    defaultPaymentMethod: null,
    isTaxed: order.isTaxed,
    taxIds,
  });
  const coupons = couponsOfOrder(account, order).map(({ coupon }) => ({ coupon, discount: coupon.id }));
  return withAmounts(account, draft, draft.lines.data, coupons);
}
