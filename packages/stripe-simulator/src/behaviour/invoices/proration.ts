import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import { type InvoiceItem, newInvoiceItem } from "../../objects/invoice_item.ts";
import type { Subscription, SubscriptionItem } from "../../objects/subscription.ts";
import { periodAt, shareOf } from "../subscriptions/billing_periods.ts";
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
  const whole = periodAt(subscription.billing_cycle_anchor, recurring, end - 1);
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
      unitAmountDecimal: price.unit_amount_decimal === null ? null : String(price.unit_amount_decimal),
    },
    quantity,
    subscription: { id: subscription.id, item: item.id },
    isProration: true,
  })];
}
