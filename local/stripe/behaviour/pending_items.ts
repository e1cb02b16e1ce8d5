import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import { type InvoiceLine, newLineForInvoiceItem } from "../objects/invoice.ts";
import { type InvoiceItem, subscriptionOf } from "../objects/invoice_item.ts";
import type { Subscription } from "../objects/subscription.ts";

/** What waits for a subscription's next invoice: its own items, and those of its customer that belong to none. */
export function pendingItems(account: Account, subscription: Subscription): InvoiceItem[] {
  return account.invoiceItems.of(subscription.customer).filter((item) => {
    const owner = subscriptionOf(item);
    return item.invoice === null && item.currency === subscription.currency &&
      (owner === null || owner === subscription.id);
  });
}

/** Bills pending items with an invoice: they wait no more. */
export function billPendingItems(change: Change, items: InvoiceItem[], invoice: string): InvoiceLine[] {
  return items.map((item) => {
    return newLineForInvoiceItem(invoice, change.account.invoiceItems.put({ ...item, invoice }));
  });
}
