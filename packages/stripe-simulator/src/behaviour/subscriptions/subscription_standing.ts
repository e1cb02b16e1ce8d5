import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import { billedSubscription, type Invoice } from "../../objects/invoice.ts";
import { hasEnded, type Subscription } from "../../objects/subscription.ts";
import { cancelNow } from "./cancellation.ts";
import { resumeNow } from "./pause.ts";
import { updateSubscription } from "./subscription_update.ts";

/*
 * How invoices determine the status of their subscription. Only the newest finalized invoice counts: once it is paid,
 * void or uncollectible, older open invoices do not keep the subscription past due
 * (https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses).
 */

/**
 * Updates the subscription after an invoice was paid: the first invoice starts it, later ones make it active again.
 * The card becomes the subscription's when `save_default_payment_method` says so.
 */
export function afterPayment(change: Change, invoice: Invoice, card: string | null) {
  const billed = findBilled(change.account, invoice);
  if (!billed) return;
  const subscription = keepCard(change, billed, card);
  const isCurrent = subscription.latest_invoice === invoice.id;
  if (isCurrent && subscription.pending_update) return applyPendingUpdate(change, subscription);
  if (subscription.status === "incomplete") return activate(change, subscription);
  if (subscription.status === "paused") return isCurrent ? resumeNow(change, subscription) : undefined;
  afterInvoiceClosed(change, invoice);
}

function keepCard(change: Change, subscription: Subscription, card: string | null): Subscription {
  const keeps = subscription.payment_settings?.save_default_payment_method === "on_subscription";
  if (!keeps || card === null) return subscription;
  return updateSubscription(change, subscription, { ...subscription, default_payment_method: card });
}

/** Updates the subscription after an invoice was paid, voided or marked as uncollectible. */
export function afterInvoiceClosed(change: Change, invoice: Invoice) {
  const subscription = findBilled(change.account, invoice);
  if (!subscription || !isNewestFinal(change.account, invoice)) return;
  if (isInArrears(subscription)) activate(change, subscription);
}

/** Updates the subscription after automatic collection failed. `isLast` means that there are no more retries. */
export function afterFailure(change: Change, invoice: Invoice, isLast: boolean) {
  const subscription = findBilled(change.account, invoice);
  if (!subscription || !isNewestFinal(change.account, invoice)) return;
  if (isLast) return afterLastRetry(change, subscription);
  if (subscription.status === "active" || subscription.status === "trialing") {
    updateSubscription(change, subscription, { ...subscription, status: "past_due" });
  }
}

/** The subscription that an invoice bills, unless it has ended. */
export function findBilled(account: Account, invoice: Invoice): Subscription | undefined {
  const subscription = account.subscriptions.find(billedSubscription(invoice) ?? "");
  return subscription && !hasEnded(subscription) ? subscription : undefined;
}

/** Applies the pending update whose invoice was paid. */
function applyPendingUpdate(change: Change, before: Subscription) {
  const update = before.pending_update;
  const data = update?.subscription_items ?? before.items.data;
  const after = change.account.subscriptions.put({
    ...before,
    billing_cycle_anchor: update?.billing_cycle_anchor ?? before.billing_cycle_anchor,
    items: { ...before.items, data },
    pending_update: null,
  });
  change.emit("customer.subscription.updated", after, before);
  change.emit("customer.subscription.pending_update_applied", after);
}

function isInArrears({ status }: Subscription): boolean {
  return status === "past_due" || status === "unpaid";
}

function isNewestFinal(account: Account, invoice: Invoice): boolean {
  const subscription = billedSubscription(invoice);
  const newest = account.invoices.of(String(invoice.customer)).findLast((other) =>
    other.status !== "draft" && billedSubscription(other) === subscription
  );
  return newest?.id === invoice.id;
}

function activate(change: Change, subscription: Subscription) {
  updateSubscription(change, subscription, { ...subscription, status: "active" });
}

function afterLastRetry(change: Change, subscription: Subscription) {
  const { after_last_retry: rule } = change.account.billingSettings;
  if (rule === "cancel") {
    cancelNow(change, subscription, { reason: "payment_failed" });
  } else {
    const status = rule === "mark_unpaid" ? "unpaid" : "past_due";
    updateSubscription(change, subscription, { ...subscription, status });
  }
}
