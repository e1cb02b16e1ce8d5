import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import {
  balanceAfter,
  type Invoice,
  type InvoiceLine,
  newInvoiceLine,
  withBalance,
  withLines,
} from "../../objects/invoice.ts";
import { isRecurring, type Price, type RecurringPrice } from "../../objects/price.ts";
import type { Period, Subscription, SubscriptionItem } from "../../objects/subscription.ts";
import { formatPrice, multiply } from "../catalog/money.ts";
import { usageIn } from "../meters/metered_usage.ts";

/** What a number of units of a price costs now. Metered prices cost nothing in advance. */
export function priceInAdvance(price: Price, quantity: number | undefined): number {
  return multiply(price, String(quantity ?? 0));
}

interface LineContext {
  invoice: string;
  subscription: Pick<Subscription, "customer" | "metadata">;
}

/** The line that bills an item for its current period, or says that the trial is free. */
export function lineForItem(
  account: Account,
  item: SubscriptionItem,
  fields: { invoice: string; subscription: Pick<Subscription, "metadata">; isTrial: boolean },
): InvoiceLine {
  const name = productName(account, item.price);
  const price = recurringPriceOf(item);
  return newInvoiceLine({
    invoice: fields.invoice,
    item,
    amount: fields.isTrial ? 0 : priceInAdvance(price, item.quantity),
    description: fields.isTrial ? `Trial period for ${name}` : describe(name, price, item.quantity),
    period: { start: item.current_period_start, end: item.current_period_end },
    quantity: item.quantity === undefined ? null : String(item.quantity),
    metadata: fields.subscription.metadata,
  });
}

/** The line that bills what a metered item has used in a period. */
export function lineForUsage(
  account: Account,
  item: SubscriptionItem,
  period: Period,
  { invoice, subscription }: LineContext,
): InvoiceLine {
  const price = recurringPriceOf(item);
  const quantity = usedQuantity(account, price, String(subscription.customer), period);
  return newInvoiceLine({
    invoice,
    item,
    amount: multiply(price, quantity),
    description: describe(productName(account, price), price, quantity),
    period,
    quantity,
    metadata: subscription.metadata,
  });
}

/** True for an item that is billed afterwards, by what a meter counted. */
export function isMetered(item: SubscriptionItem): boolean {
  return item.price.recurring?.usage_type === "metered";
}

/** The draft with its metered lines as the meters stand now: usage that was reported late still counts. */
export function withFreshUsage(account: Account, draft: Invoice): Invoice {
  const lines = draft.lines.data.map((line) => {
    const price = account.prices.find(String(line.pricing?.price_details?.price));
    const isUsage = price?.recurring?.usage_type === "metered" && line.quantity !== null;
    if (!isUsage || !isRecurring(price)) return line;
    const quantity = usedQuantity(account, price, String(draft.customer), line.period);
    if (quantity === String(line.quantity_decimal)) return line;
    const amount = multiply(price, quantity);
    const description = describe(productName(account, price), price, quantity);
    return {
      ...line,
      amount,
      description,
      quantity: Math.round(Number(quantity)),
      quantity_decimal: quantity,
      subtotal: amount,
    };
  });
  return lines.every((line, index) => line === draft.lines.data[index]) ? draft : withLines(draft, lines);
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

function describe(name: string, price: RecurringPrice, quantity: number | string | undefined): string {
  const count = quantity === undefined ? "" : `${quantity} × `;
  return `${count}${name} (at ${formatPrice(price)})`;
}

/**
 * Gives the invoice its number and its pages: from now on it is open and its amount stands.
 * Counts up the customer's invoice numbers and settles the balance, and answers with the customer as well.
 */
export function finalizeInvoice(change: Change, draft: Invoice, customer: Customer): [Invoice, Customer] {
  const sequence = customer.next_invoice_sequence ?? 1;
  const page = `${change.account.origin}/invoice/${draft.id}`;
  const counted = withBalance(draft, customer.balance);
  const balance = balanceAfter(counted);
  const finalized: Invoice = {
    ...counted,
    automatically_finalizes_at: null,
    effective_at: change.now,
    ending_balance: balance,
    hosted_invoice_url: page,
    invoice_pdf: `${page}/pdf`,
    number: `${customer.invoice_prefix}-${String(sequence).padStart(4, "0")}`,
    status: "open",
    status_transitions: { ...draft.status_transitions, finalized_at: change.now },
  };
  return [finalized, { ...customer, balance, next_invoice_sequence: sequence + 1 }];
}

/** The invoice as it is once its whole amount is paid. An invoice of nothing is paid without a payment. */
export function paidInvoice(change: Change, open: Invoice): Invoice {
  const isFirstAttempt = open.amount_due > 0 && open.attempt_count === 0;
  return {
    ...open,
    amount_paid: open.amount_due,
    amount_remaining: 0,
    attempt_count: isFirstAttempt ? 1 : open.attempt_count,
    attempted: true,
    auto_advance: false,
    next_payment_attempt: null,
    status: "paid",
    status_transitions: { ...open.status_transitions, paid_at: change.now },
  };
}
