import type { Change } from "../../account/change.ts";
import { billedSubscription, type Invoice } from "../../objects/invoice.ts";
import { cancelPayment, markAsUncollectible } from "../payments/payment_collection.ts";
import { recordBalance } from "../refunds/customer_balance.ts";
import { afterInvoiceClosed } from "../subscriptions/subscription_standing.ts";
import { updateSubscription } from "../subscriptions/subscription_update.ts";

/** Voids an invoice. The customer's balance that it used is restored. */
export function voidInvoice(change: Change, invoice: Invoice): Invoice {
  const { account } = change;
  const voided = account.invoices.put({
    ...invoice,
    auto_advance: false,
    next_payment_attempt: null,
    status: "void",
    status_transitions: { ...invoice.status_transitions, voided_at: change.now },
  });
  cancelPayment(change, invoice);
  giveBackBalance(change, voided);
  change.emit("invoice.voided", voided);
  expireIfFirst(change, voided);
  dropPendingUpdate(change, voided);
  afterInvoiceClosed(change, voided);
  return voided;
}

/** Marks an invoice as uncollectible on request. */
export function markUncollectible(change: Change, invoice: Invoice): Invoice {
  const uncollectible = markAsUncollectible(change, invoice, "user_forgiven");
  afterInvoiceClosed(change, uncollectible);
  return uncollectible;
}

function giveBackBalance(change: Change, invoice: Invoice) {
  const { account } = change;
  const before = account.customers.get(String(invoice.customer));
  const used = (invoice.ending_balance ?? 0) - invoice.starting_balance;
  if (used === 0) return;
  const after = account.customers.put({ ...before, balance: before.balance - used });
  recordBalance(change, before, after, {
    currency: invoice.currency,
    invoice: invoice.id,
    type: "unapplied_from_invoice",
  });
  change.emit("customer.updated", after, before);
}

/** Drops the pending update whose invoice was voided (https://docs.stripe.com/billing/pending-updates-reference). */
function dropPendingUpdate(change: Change, invoice: Invoice) {
  const subscription = change.account.subscriptions.find(billedSubscription(invoice) ?? "");
  if (!subscription?.pending_update || subscription.latest_invoice !== invoice.id) return;
  updateSubscription(change, subscription, { ...subscription, pending_update: null });
}

/** Expires an incomplete subscription whose first invoice was voided. */
function expireIfFirst(change: Change, invoice: Invoice) {
  const subscription = change.account.subscriptions.find(billedSubscription(invoice) ?? "");
  if (subscription?.status !== "incomplete" || subscription.latest_invoice !== invoice.id) return;
  const expired = change.account.subscriptions.put({
    ...subscription,
    ended_at: change.now,
    status: "incomplete_expired",
  });
  change.emit("customer.subscription.updated", expired, subscription);
}
