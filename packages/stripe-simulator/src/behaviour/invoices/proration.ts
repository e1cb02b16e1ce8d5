import type { Change } from "../../account/change.ts";
import type { Account } from "../../account/account.ts";
import type { Customer } from "../../objects/customer.ts";
import { type CreditedItems, type InvoiceItem, newInvoiceItem } from "../../objects/invoice_item.ts";
import type { Period, Subscription, SubscriptionItem } from "../../objects/subscription.ts";
import { firstPeriod, periodAt, shareOf } from "../subscriptions/billing_periods.ts";
import { inCurrency } from "../catalog/presentment.ts";
import { couponsFor } from "../discounts/redemption.ts";
import { reductionsOf } from "../discounts/discount_amounts.ts";
import { isMetered, priceInAdvance, productName, recurringPriceOf } from "./invoice_lines.ts";

/** How the description of a charge for the rest of a period begins. */
const remaining = "Remaining time on";

const day = new Intl.DateTimeFormat("en-GB", {
  day: "2-digit",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});

/**
 * Creates the credit for the unused time of an item's period from `from` on. Metered items have none, because they
 * are billed in arrears.
 */
export function creditFor(
  change: Change,
  subscription: Subscription,
  item: SubscriptionItem,
  from: number,
): InvoiceItem[] {
  return prorate(change, { subscription, item, from, sign: -1, name: "Unused time on" });
}

/** Creates the charge for the remaining time of an item's period from `from` on. */
export function chargeFor(
  change: Change,
  subscription: Subscription,
  item: SubscriptionItem,
  from: number,
): InvoiceItem[] {
  return prorate(change, { subscription, item, from, sign: 1, name: remaining });
}

function prorate(change: Change, { subscription, item, from, sign, name }: {
  subscription: Subscription;
  item: SubscriptionItem;
  from: number;
  sign: 1 | -1;
  name: string;
}): InvoiceItem[] {
  if (isMetered(item) || subscription.status === "trialing") return [];
  const { account } = change;
  const customer: Customer = account.customers.get(subscription.customer);
  const { current_period_end: end, quantity = 1 } = item;
  const price = inCurrency(account, item.price, subscription.currency);
  const { recurring } = recurringPriceOf(item);
  const own = firstPeriod(item.current_period_start, recurring);
  const whole = own.end === end ? own : periodAt(subscription.billing_cycle_anchor, recurring, end - 1);
  const count = quantity === 1 ? "" : `${quantity} × `;
  const gross = priceInAdvance(price, quantity);
  const ratio = sign === -1
    ? paidShare(account, subscription, item, { gross, whole })
    : discountedShare(change, subscription, item);
  return [newInvoiceItem(change.now, {
    amount: sign * shareOf(gross * ratio, whole, from),
    currency: price.currency,
    customer,
    description: `${name} ${count}${productName(account, price)} after ${day.format(from * 1000)}`,
    metadata: {},
    period: { start: from, end },
    price: {
      id: price.id,
      product: price.product,
      unitAmountDecimal: null,
    },
    quantity,
    subscription: { id: subscription.id, item: item.id },
    isProration: true,
    credited: sign < 0 ? creditedItems(change, item, end) : null,
  })];
}

/** The invoice and its line that billed the credited period in advance. Null when it was never billed. */
function creditedItems({ account }: Change, item: SubscriptionItem, end: number): CreditedItems | null {
  const owner = account.subscriptions.find(item.subscription)?.customer;
  const invoices = owner === undefined ? [] : account.invoices.of(String(owner)).reverse();
  for (const { id, lines } of invoices) {
    const line = lines.data.find(({ parent, period, amount }) =>
      parent?.subscription_item_details?.subscription_item === item.id && period.end === end && amount >= 0
    );
    if (line) return { invoice: id, invoice_line_items: [line.id] };
  }
  return null;
}

/**
 * The part of an item's price that is charged after the subscription's discounts. Prorations include discounts
 * (https://docs.stripe.com/billing/subscriptions/billing-mode, `proration_discounts: included`).
 */
function discountedShare(change: Change, subscription: Subscription, item: SubscriptionItem): number {
  const { account, now } = change;
  const coupons = couponsFor(account, subscription, now);
  if (coupons.length === 0) return 1;
  const items = subscription.items.data.filter((other) => !isMetered(other));
  const amounts = items.map((other) => ({
    amount: priceInAdvance(inCurrency(account, other.price, subscription.currency), other.quantity ?? 1),
    isDiscountable: true,
    product: other.price.product,
  }));
  const index = items.findIndex(({ id }) => id === item.id);
  const { amount } = amounts[index] ?? { amount: 0 };
  if (amount === 0) return 1;
  const off = reductionsOf(account, coupons, amounts, subscription.currency)
    .reduce((sum, reduction) => sum + reduction.amounts[index], 0);
  return (amount - off) / amount;
}

/**
 * The part of an item's price that was charged for its current period: less than 1 when a discount reduced the line or
 * the proration that billed it. A credit gives back no more than that.
 */
function paidShare(
  account: Account,
  { customer }: Subscription,
  item: SubscriptionItem,
  { gross, whole }: { gross: number; whole: Period },
): number {
  const charge = account.invoiceItems.of(customer).findLast((
    { description, parent, period, pricing, quantity },
  ) =>
    description?.startsWith(remaining) && parent?.subscription_details?.subscription_item === item.id &&
    period.end === item.current_period_end && pricing?.price_details?.price === item.price.id &&
    quantity === item.quantity
  );
  if (charge) {
    const full = shareOf(gross, whole, charge.period.start);
    return full === 0 ? 1 : charge.amount / full;
  }
  for (const { lines, status } of account.invoices.of(customer).reverse()) {
    const line = lines.data.find(({ amount, parent, period }) =>
      status !== "void" && amount > 0 && period.end === item.current_period_end &&
      parent?.subscription_item_details?.subscription_item === item.id
    );
    if (!line) continue;
    const off = (line.discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0);
    return (line.amount - off) / line.amount;
  }
  return 1;
}
