import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import { type CreditedItems, type InvoiceItem, newInvoiceItem } from "../../objects/invoice_item.ts";
import type { Subscription, SubscriptionItem } from "../../objects/subscription.ts";
import { firstPeriod, periodAt, shareOf } from "../subscriptions/billing_periods.ts";
import { isMetered, priceInAdvance, productName, recurringPriceOf } from "./invoice_lines.ts";

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
  return prorate(change, { subscription, item, from, sign: 1, name: "Remaining time on" });
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
  const { current_period_end: end, price, quantity = 1 } = item;
  const { recurring } = recurringPriceOf(item);
  const own = firstPeriod(item.current_period_start, recurring);
  const whole = own.end === end ? own : periodAt(subscription.billing_cycle_anchor, recurring, end - 1);
  const count = quantity === 1 ? "" : `${quantity} × `;
  return [newInvoiceItem(change.now, {
    amount: sign * shareOf(priceInAdvance(price, quantity), whole, from),
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
