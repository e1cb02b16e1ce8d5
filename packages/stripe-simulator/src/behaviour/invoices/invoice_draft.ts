import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import { newId } from "../../objects/ids.ts";
import {
  type Invoice,
  type InvoiceFields,
  type InvoiceLine,
  newInvoice,
  newLineForInvoiceItem,
} from "../../objects/invoice.ts";
import { type InvoiceItem, subscriptionOf } from "../../objects/invoice_item.ts";
import type { Subscription } from "../../objects/subscription.ts";

export interface DraftFields extends Partial<Omit<InvoiceFields, "id" | "lines" | "subscription">> {
  billingReason: InvoiceFields["billingReason"];
  /** Items that go onto the invoice, beside those that wait for it. */
  items?: InvoiceItem[];
  /** What is billed of the subscription itself. */
  linesOf?: (invoice: string) => InvoiceLine[];
}

/** What waits for a subscription's next invoice: its own items, and those of its customer that belong to none. */
export function pendingItems(account: Account, subscription: Subscription): InvoiceItem[] {
  return account.invoiceItems.of(subscription.customer).filter((item) => {
    const owner = subscriptionOf(item);
    return item.invoice === null && item.currency === subscription.currency &&
      (owner === null || owner === subscription.id);
  });
}

/** A draft for a subscription, without a trace of it yet: what waits for it, and what is said. */
export function planDraft(change: Change, subscription: Subscription, fields: DraftFields): Invoice {
  const { account } = change;
  const { items = [], linesOf = () => [], ...rest } = fields;
  const id = newId("in");
  const billed = [...pendingItems(account, subscription), ...items];
  return newInvoice(change.now, {
    customer: rest.customer ?? account.customers.get(subscription.customer),
    currency: subscription.currency,
    defaultPaymentMethod: null,
    ...rest,
    id,
    lines: [...billed.map((item) => newLineForInvoiceItem(id, item)), ...linesOf(id)],
    subscription,
  });
}

/** Stores a draft. The items that it bills wait no more. */
export function storeDraft({ account }: Change, draft: Invoice): Invoice {
  for (const line of draft.lines.data) {
    const details = line.parent?.subscription_item_details ?? line.parent?.invoice_item_details;
    const item = account.invoiceItems.find(details?.invoice_item ?? "");
    if (item) account.invoiceItems.put({ ...item, invoice: draft.id });
  }
  return account.invoices.put(draft);
}
