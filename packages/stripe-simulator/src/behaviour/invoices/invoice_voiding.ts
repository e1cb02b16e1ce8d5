import type { Change } from "../../account/change.ts";
import { billedSubscription, type Invoice } from "../../objects/invoice.ts";
import { cancelPayment, writeOff } from "../payments/payment_collection.ts";
import { afterSettlement } from "../subscriptions/subscription_standing.ts";

/** Takes an invoice back: nothing is owed for it, and the balance that it used up is given back. */
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
  afterSettlement(change, voided);
  return voided;
}

/** Gives an invoice up by hand. */
export function markUncollectible(change: Change, invoice: Invoice): Invoice {
  const uncollectible = writeOff(change, invoice, "user_forgiven");
  afterSettlement(change, uncollectible);
  return uncollectible;
}

function giveBackBalance(change: Change, invoice: Invoice) {
  const { account } = change;
  const before = account.customers.get(String(invoice.customer));
  const used = (invoice.ending_balance ?? 0) - invoice.starting_balance;
  if (used === 0) return;
  const after = account.customers.put({ ...before, balance: before.balance - used });
  change.emit("customer.updated", after, before);
}

/** A subscription whose first invoice is taken back will never start. */
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
