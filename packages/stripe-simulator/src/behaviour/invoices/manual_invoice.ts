import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import { newId } from "../../objects/ids.ts";
import { type Invoice, newInvoice, newLineForInvoiceItem } from "../../objects/invoice.ts";
import { type InvoiceItem, subscriptionOf } from "../../objects/invoice_item.ts";
import type { Deleted } from "../../objects/stored_object.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { redeem, type Redeemable } from "../discounts/redemption.ts";
import { taxIdsOf } from "../taxes/customer_tax_ids.ts";
import { withAmounts } from "./invoice_amounts.ts";
import { storeDraft } from "./invoice_draft.ts";

export interface ManualInvoiceFields {
  customer: Customer;
  subscription: Subscription | null;
  currency: string;
  /** True when the customer's pending invoice items go on this invoice. */
  includesPending: boolean;
  /** True for `automatic_tax`. */
  isTaxed: boolean;
  coupons: Redeemable[];
  own: Partial<
    Pick<
      Invoice,
      | "auto_advance"
      | "collection_method"
      | "default_payment_method"
      | "description"
      | "due_date"
      | "footer"
      | "metadata"
    >
  >;
}

/** How the PDF of an invoice looks that was not created by a subscription. */
const rendering: Invoice["rendering"] = {
  amount_tax_display: null,
  pdf: { page_size: "auto" },
  template: null,
  template_version: null,
};

/** Creates a draft on request. It is finalized automatically only with `auto_advance`. */
export function draftInvoice(change: Change, fields: ManualInvoiceFields): Invoice {
  const { customer, subscription, own } = fields;
  const id = newId("in");
  const items = fields.includesPending ? waitingItems(change, fields) : [];
  const draft = newInvoice(change.now, {
    id,
    customer,
    currency: fields.currency,
    lines: items.map((item) => newLineForInvoiceItem(id, item)),
    billingReason: "manual",
    subscription,
    isTaxed: fields.isTaxed,
    taxIds: taxIdsOf(change.account, customer.id),
    defaultPaymentMethod: own.default_payment_method ?? null,
    finalizesAt: own.auto_advance ? change.now + change.account.billingSettings.draft_seconds : null,
  });
  const coupons = fields.coupons.map((redeemed) => ({
    coupon: redeemed.coupon,
    discount: redeem(change, redeemed, { customer: customer.id, invoice: id }).id,
  }));
  const priced = withAmounts(change.account, draft, draft.lines.data, coupons);
  const isSent = own.collection_method === "send_invoice";
  const invoice = storeDraft(change, {
    ...priced,
    auto_advance: false,
    next_payment_attempt: isSent ? null : draft.next_payment_attempt,
    rendering,
    ...own,
  });
  change.emit("invoice.created", invoice);
  return invoice;
}

function waitingItems(
  { account }: Change,
  { customer, subscription, currency }: ManualInvoiceFields,
): InvoiceItem[] {
  return account.invoiceItems.of(customer.id).filter((item) => {
    const owner = subscriptionOf(item);
    return item.invoice === null && item.currency === currency &&
      (owner === null || owner === subscription?.id);
  });
}

/** Adds an invoice item to an existing draft. */
export function addToDraft(change: Change, invoice: Invoice, item: InvoiceItem): Invoice {
  const lines = [...invoice.lines.data, newLineForInvoiceItem(invoice.id, item)];
  return updateInvoice(change, invoice, withAmounts(change.account, invoice, lines));
}

/** Removes an invoice item from its draft. Throws a 400 when the invoice is no longer a draft. */
export function takeOffDraft(change: Change, item: InvoiceItem) {
  if (item.invoice === null) return;
  const invoice = change.account.invoices.get(String(item.invoice));
  if (invoice.status !== "draft") {
    throw invalidRequest("Invoice items of an invoice that is not a draft cannot be changed.");
  }
  const lines = invoice.lines.data.filter(({ parent }) =>
    parent?.invoice_item_details?.invoice_item !== item.id
  );
  updateInvoice(change, invoice, withAmounts(change.account, invoice, lines));
}

/** Stores a changed invoice and emits `invoice.updated`. */
export function updateInvoice(change: Change, before: Invoice, after: Invoice): Invoice {
  change.account.invoices.put(after);
  change.emit("invoice.updated", after, before);
  return after;
}

/**
 * Deletes a draft. Its invoice items are pending again. Throws a 400 for other invoices and for those of
 * subscriptions.
 */
export function deleteDraft(change: Change, draft: Invoice): Deleted {
  const { account } = change;
  if (draft.status !== "draft" || draft.parent?.subscription_details) {
    throw invalidRequest("You can only delete draft invoices that do not belong to a subscription.");
  }
  for (const item of account.invoiceItems.of(String(draft.customer))) {
    if (item.invoice === draft.id) account.invoiceItems.put({ ...item, invoice: null });
  }
  account.invoices.remove(draft.id);
  change.emit("invoice.deleted", draft);
  return { id: draft.id, object: "invoice", deleted: true };
}
