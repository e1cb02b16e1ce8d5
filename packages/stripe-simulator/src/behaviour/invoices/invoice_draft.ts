import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import { taxIdsOf } from "../taxes/customer_tax_ids.ts";
import type { AppliedCoupon } from "../discounts/discount_amounts.ts";
import { couponsFor } from "../discounts/redemption.ts";
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
import { withAmounts } from "./invoice_amounts.ts";

export interface DraftFields extends Partial<Omit<InvoiceFields, "id" | "lines" | "subscription">> {
  billingReason: InvoiceFields["billingReason"];
  /** Invoice items to bill in addition to the pending ones. */
  items?: InvoiceItem[];
  /** True when the pending items are left out. */
  ignoresPending?: boolean;
  /** The coupons that reduce the invoice. Those of the subscription unless given. */
  coupons?: AppliedCoupon[];
  /** Returns the lines for the subscription's own items. */
  linesOf?: (invoice: string) => InvoiceLine[];
}

/**
 * The invoice items for a subscription's next invoice: its own pending items and its customer's items without a
 * subscription.
 */
export function pendingItems(account: Account, subscription: Subscription): InvoiceItem[] {
  return account.invoiceItems.of(subscription.customer).filter((item) => {
    const owner = subscriptionOf(item);
    return item.invoice === null && item.currency === subscription.currency &&
      (owner === null || owner === subscription.id);
  });
}

/** Creates a draft for a subscription without storing anything. It bills the pending items and what `fields` say. */
export function planDraft(change: Change, subscription: Subscription, fields: DraftFields): Invoice {
  const { account } = change;
  const { items = [], linesOf = () => [], coupons, ignoresPending = false, ...rest } = fields;
  const id = newId("in");
  const billed = [...(ignoresPending ? [] : pendingItems(account, subscription)), ...items];
  const customer = rest.customer ?? account.customers.get(subscription.customer);
  const draft = newInvoice(change.now, {
    isTaxed: subscription.automatic_tax.enabled,
    taxIds: taxIdsOf(account, customer.id),
    currency: subscription.currency,
    defaultPaymentMethod: null,
    ...rest,
    id,
    lines: [...billed.map((item) => newLineForInvoiceItem(id, item)), ...linesOf(id)],
    subscription,
    customer,
  });
  return withAmounts(
    account,
    draft,
    draft.lines.data,
    coupons ?? couponsFor(account, subscription, change.now),
  );
}

/** Stores a draft. The invoice items that it bills are no longer pending. */
export function storeDraft({ account }: Change, draft: Invoice): Invoice {
  for (const line of draft.lines.data) {
    const details = line.parent?.subscription_item_details ?? line.parent?.invoice_item_details;
    const item = account.invoiceItems.find(details?.invoice_item ?? "");
    if (item) account.invoiceItems.put({ ...item, invoice: draft.id });
  }
  return account.invoices.put(draft);
}
