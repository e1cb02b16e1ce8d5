import type { Change } from "../account/change.ts";
import { newId } from "../objects/ids.ts";
import { newInvoice } from "../objects/invoice.ts";
import type { Subscription } from "../objects/subscription.ts";
import { cancelNow } from "./cancellation.ts";
import { isMetered, lineForUsage } from "./invoicing.ts";
import { billPendingItems, pendingItems } from "./pending_items.ts";
import { voidInvoice } from "./voiding.ts";

/** How much later the invoice of an ended subscription is final; null leaves it to the caller. */
type FinalIn = number | null;

/** Ends a subscription at the moment it was set to end, and bills what is still to be billed. */
export function cancelAsScheduled(change: Change, subscription: Subscription) {
  const canceled = cancelNow(change, subscription, {
    reason: subscription.cancellation_details?.reason ?? "cancellation_requested",
  });
  billRemainder(change, canceled, change.account.billingSettings.draft_seconds);
}

/** Gives up a subscription whose first invoice was not paid in time. */
export function expireIncomplete(change: Change, subscription: Subscription) {
  const invoice = change.account.invoices.get(String(subscription.latest_invoice));
  voidInvoice(change, invoice);
}

/**
 * Bills what an ended subscription still owes: its pending items and the usage of its unfinished period. There is no
 * invoice when that is nothing at all.
 */
export function billRemainder(change: Change, subscription: Subscription, finalIn: FinalIn) {
  const { account } = change;
  const id = newId("in");
  const usage = subscription.items.data.filter(isMetered).map((item) => {
    const period = { start: item.current_period_start, end: Math.min(item.current_period_end, change.now) };
    return lineForUsage(account, item, period, { invoice: id, subscription });
  });
  const lines = [...billPendingItems(change, pendingItems(account, subscription), id), ...usage];
  if (lines.every((line) => line.amount === 0)) return;
  const draft = account.invoices.put(newInvoice(change.now, {
    id,
    customer: account.customers.get(subscription.customer),
    currency: subscription.currency,
    lines,
    billingReason: "subscription_cycle",
    subscription,
    defaultPaymentMethod: subscription.default_payment_method,
    finalizesAt: finalIn === null ? null : change.now + finalIn,
  }));
  account.subscriptions.put({ ...account.subscriptions.get(subscription.id), latest_invoice: id });
  change.emit("invoice.created", draft);
  return draft;
}
