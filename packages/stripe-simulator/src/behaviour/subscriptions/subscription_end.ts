import type { Change } from "../../account/change.ts";
import type { Invoice, InvoiceFields } from "../../objects/invoice.ts";
import type { Subscription } from "../../objects/subscription.ts";
import { planDraft, storeDraft } from "../invoices/invoice_draft.ts";
import { isMetered, lineForUsage } from "../invoices/invoice_lines.ts";
import { voidInvoice } from "../invoices/invoice_voiding.ts";
import { creditFor } from "../invoices/proration.ts";
import { collectAutomatically, finalizeDraft } from "../payments/payment_collection.ts";
import { cancelNow, type Feedback } from "./cancellation.ts";

/** Cancels a subscription at its scheduled end and bills what is still unbilled. */
export function cancelAsScheduled(change: Change, subscription: Subscription) {
  cancelNow(change, subscription, {
    reason: subscription.cancellation_details?.reason ?? "cancellation_requested",
  });
  billRemainder(change, subscription, {
    billingReason: "subscription_cycle",
    finalizesAt: change.now + change.account.billingSettings.draft_seconds,
  });
}

/**
 * Cancels a subscription on request. `prorate` credits the unused time. `invoiceNow` bills usage and pending items
 * now; otherwise usage of the current period is never billed.
 */
export function cancelOnRequest(
  change: Change,
  subscription: Subscription,
  { feedback, invoiceNow, prorate }: { feedback?: Feedback; invoiceNow: boolean; prorate: boolean },
): Subscription {
  const { account } = change;
  const credits = prorate
    ? subscription.items.data.flatMap((item) => creditFor(change, subscription, item, change.now))
    : [];
  for (const item of credits) change.emit("invoiceitem.created", account.invoiceItems.put(item));
  cancelNow(change, subscription, feedback);
  const draft = invoiceNow
    ? billRemainder(change, subscription, { billingReason: "subscription_update", finalizesAt: null })
    : undefined;
  const invoice = draft && finalizeDraft(change, draft);
  if (invoice?.status === "open") collectAutomatically(change, invoice);
  return account.subscriptions.get(subscription.id);
}

/** Expires a subscription whose first invoice was not paid in time. */
export function expireIncomplete(change: Change, subscription: Subscription) {
  const invoice = change.account.invoices.get(String(subscription.latest_invoice));
  voidInvoice(change, invoice);
}

/** Drops a pending update that was not paid in time. */
export function expirePendingUpdate(change: Change, subscription: Subscription) {
  const { account } = change;
  const after = account.subscriptions.put({ ...subscription, pending_update: null });
  voidInvoice(change, account.invoices.get(String(subscription.latest_invoice)));
  change.emit("customer.subscription.updated", after, subscription);
  change.emit("customer.subscription.pending_update_expired", after);
}

/**
 * Bills the pending items of an ended subscription and the usage of its current period, which is free in a trial.
 * Returns undefined when there is nothing to bill.
 */
function billRemainder(
  change: Change,
  subscription: Subscription,
  fields: Pick<InvoiceFields, "billingReason" | "finalizesAt">,
): Invoice | undefined {
  const { account } = change;
  const metered = subscription.status === "trialing" ? [] : subscription.items.data.filter(isMetered);
  const draft = planDraft(change, subscription, {
    ...fields,
    linesOf: (invoice) =>
      metered.map((item) => {
        const period = {
          start: item.current_period_start,
          end: Math.min(item.current_period_end, change.now),
        };
        return lineForUsage(account, item, period, { invoice, subscription });
      }),
    defaultPaymentMethod: subscription.default_payment_method,
  });
  if (draft.lines.data.every(({ amount }) => amount === 0)) return;
  storeDraft(change, draft);
  account.subscriptions.put({ ...account.subscriptions.get(subscription.id), latest_invoice: draft.id });
  change.emit("invoice.created", draft);
  return draft;
}
