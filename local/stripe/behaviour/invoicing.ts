import type { Change } from "../account/change.ts";
import type { Customer } from "../objects/customer.ts";
import { type Invoice, type InvoiceLine, newInvoiceLine } from "../objects/invoice.ts";
import { isRecurring, type Price, type RecurringPrice } from "../objects/price.ts";
import type { Subscription, SubscriptionItem } from "../objects/subscription.ts";
import type { Account } from "../account/account.ts";
import { formatPrice } from "./money.ts";

/** What a number of units of a price costs now. Metered prices cost nothing in advance. */
export function priceInAdvance(price: Price, quantity: number | undefined): number {
  return (price.unit_amount ?? 0) * (quantity ?? 0);
}

/** The line that bills an item for its current period, or says that the trial is free. */
export function lineForItem(
  account: Account,
  item: SubscriptionItem,
  fields: { invoice: string; subscription: Pick<Subscription, "metadata">; isTrial: boolean },
): InvoiceLine {
  const name = account.products.find(item.price.product)?.name ?? item.price.product;
  const { price } = item;
  if (!isRecurring(price)) throw new Error(`${price.id} is not recurring`);
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

function describe(name: string, price: RecurringPrice, quantity: number | undefined): string {
  const count = quantity === undefined ? "" : `${quantity} × `;
  return `${count}${name} (at ${formatPrice(price)})`;
}

/**
 * Gives the invoice its number and its pages: from now on it is open and its amount stands.
 * Counts up the customer's invoice numbers, and answers with the customer as well.
 */
export function finalizeInvoice(change: Change, draft: Invoice, customer: Customer): [Invoice, Customer] {
  const sequence = customer.next_invoice_sequence ?? 1;
  const page = `${change.account.origin}/invoice/${draft.id}`;
  const finalized: Invoice = {
    ...draft,
    effective_at: change.now,
    hosted_invoice_url: page,
    invoice_pdf: `${page}/pdf`,
    number: `${customer.invoice_prefix}-${String(sequence).padStart(4, "0")}`,
    status: "open",
    status_transitions: { ...draft.status_transitions, finalized_at: change.now },
  };
  return [finalized, { ...customer, next_invoice_sequence: sequence + 1 }];
}

/** The invoice as it is once its whole amount is paid. An invoice of nothing is paid without a payment. */
export function paidInvoice(change: Change, open: Invoice): Invoice {
  return {
    ...open,
    amount_paid: open.amount_due,
    amount_remaining: 0,
    attempt_count: open.amount_due > 0 ? open.attempt_count + 1 : open.attempt_count,
    attempted: true,
    status: "paid",
    status_transitions: { ...open.status_transitions, paid_at: change.now },
  };
}
