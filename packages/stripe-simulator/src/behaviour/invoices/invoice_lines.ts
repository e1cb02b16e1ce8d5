import type { Account } from "../../account/account.ts";
import { type Invoice, type InvoiceLine, newInvoiceLine } from "../../objects/invoice.ts";
import { isRecurring, type Price, type RecurringPrice } from "../../objects/price.ts";
import type { Period, Subscription, SubscriptionItem } from "../../objects/subscription.ts";
import { withAmounts } from "./invoice_amounts.ts";
import { inCurrency } from "../catalog/presentment.ts";
import { formatPrice, multiply } from "../catalog/money.ts";
import { usageIn } from "../meters/metered_usage.ts";

/** The price of a quantity, billed in advance. Metered prices cost nothing in advance. */
export function priceInAdvance(price: Price, quantity: number | undefined): number {
  return multiply(price, String(quantity ?? 0));
}

interface LineContext {
  invoice: string;
  subscription: Pick<Subscription, "currency" | "customer" | "metadata">;
}

/** Creates the line that bills an item for its current period, or the line of a free trial. */
export function lineForItem(
  account: Account,
  item: SubscriptionItem,
  fields: { invoice: string; subscription: Pick<Subscription, "currency" | "metadata">; isTrial: boolean },
): InvoiceLine {
  const name = productName(account, item.price);
  const price = inCurrency(account, recurringPriceOf(item), fields.subscription.currency);
  return newInvoiceLine({
    invoice: fields.invoice,
    item: { ...item, price },
    amount: fields.isTrial ? 0 : priceInAdvance(price, item.quantity),
    description: fields.isTrial
      ? `Free trial for ${counted(account, price, item.quantity)}${name}`
      : describe(account, price, item.quantity),
    period: { start: item.current_period_start, end: item.current_period_end },
    quantity: item.quantity === undefined ? null : String(item.quantity),
    metadata: fields.subscription.metadata,
    isFree: fields.isTrial,
  });
}

/** Creates the line that bills the usage of a metered item in a period. */
export function lineForUsage(
  account: Account,
  item: SubscriptionItem,
  period: Period,
  { invoice, subscription }: LineContext,
): InvoiceLine {
  const price = inCurrency(account, recurringPriceOf(item), subscription.currency);
  const quantity = usedQuantity(account, price, String(subscription.customer), period);
  return newInvoiceLine({
    invoice,
    item: { ...item, price },
    amount: multiply(price, quantity),
    description: describe(account, price, quantity),
    period,
    quantity,
    metadata: subscription.metadata,
  });
}

/** True for an item that is billed in arrears, by a meter. */
export function isMetered(item: SubscriptionItem): boolean {
  return item.price.recurring?.usage_type === "metered";
}

/** Returns the draft with recalculated usage lines: usage that was reported late still counts. */
export function withFreshUsage(account: Account, draft: Invoice): Invoice {
  const lines = draft.lines.data.map((line) => {
    const stored = account.prices.find(String(line.pricing?.price_details?.price));
    const price = stored && inCurrency(account, stored, draft.currency);
    const isUsage = price?.recurring?.usage_type === "metered" && line.quantity !== null;
    if (!isUsage || !isRecurring(price)) return line;
    const quantity = usedQuantity(account, price, String(draft.customer), line.period);
    if (quantity === String(line.quantity_decimal)) return line;
    const amount = multiply(price, quantity);
    const description = describe(account, price, quantity);
    return {
      ...line,
      amount,
      description,
      quantity: Math.round(Number(quantity)),
      quantity_decimal: quantity,
      subtotal: amount,
    };
  });
  return lines.every((line, index) => line === draft.lines.data[index])
    ? draft
    : withAmounts(account, draft, lines);
}

function usedQuantity(account: Account, price: RecurringPrice, customer: string, period: Period): string {
  const meter = account.meters.find(price.recurring.meter ?? "");
  return meter ? usageIn(account, meter, customer, period) : "0";
}

export function recurringPriceOf(item: SubscriptionItem): RecurringPrice {
  const { price } = item;
  if (!isRecurring(price)) throw new Error(`${price.id} is not recurring`);
  return price;
}

export function productName(account: Account, price: Price): string {
  return account.products.find(price.product)?.name ?? price.product;
}

function describe(account: Account, price: RecurringPrice, quantity: number | string | undefined): string {
  return `${counted(account, price, quantity)}${productName(account, price)} (at ${formatPrice(price)})`;
}

/** `3 × `, or `3 seat × ` when the product has a unit label. Nothing without a quantity. */
function counted(account: Account, price: Price, quantity: number | string | undefined): string {
  if (quantity === undefined) return "";
  const label = account.products.find(price.product)?.unit_label;
  return `${quantity} ${label ? `${label} ` : ""}× `;
}
