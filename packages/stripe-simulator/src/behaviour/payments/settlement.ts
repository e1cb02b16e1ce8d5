import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import {
  type Charge,
  failedIntent,
  type PaymentIntent,
  settledCharge,
  succeededIntent,
} from "../../objects/payment.ts";
import type { PendingPayment } from "../../objects/pending_payment.ts";
import { debitReturned } from "../../objects/test_card.ts";
import { markPaid, recordFailure } from "./payment_collection.ts";

/**
 * The bank's answer to a delayed payment, such as a SEPA debit: the invoice is paid or the attempt failed, and the
 * checkout session that began it says so
 * (https://docs.stripe.com/payments/checkout/fulfill-orders#delayed-notification).
 */
export function settle(change: Change, pending: PendingPayment, outcome = pending.outcome): PaymentIntent {
  const { account } = change;
  const intent = account.paymentIntents.get(pending.id);
  account.pendingPayments.remove(pending.id);
  const charge = account.charges.get(String(intent.latest_charge));
  const decline = outcome === "failed" ? debitReturned : null;
  const settled = account.charges.put(settledCharge(charge, decline));
  const after = account.paymentIntents.put(answered(account, intent, settled, outcome));
  change.emit(outcome === "failed" ? "charge.failed" : "charge.succeeded", settled);
  change.emit(outcome === "failed" ? "payment_intent.payment_failed" : "payment_intent.succeeded", after);
  const payment = account.invoicePayments.oldestFirst().find(({ payment }) =>
    payment.payment_intent === intent.id
  );
  const invoice = payment && account.invoices.get(String(payment.invoice));
  if (invoice && outcome === "succeeded") markPaid(change, invoice, payment);
  if (invoice && outcome === "failed") {
    recordFailure(change, invoice, { isAutomatic: true, isActionRequired: false });
  }
  tellCheckout(change, { intent: intent.id, invoice: invoice?.id }, outcome);
  return account.paymentIntents.get(intent.id);
}

function answered(
  account: Account,
  intent: PaymentIntent,
  charge: Charge,
  outcome: PendingPayment["outcome"],
): PaymentIntent {
  const method = account.paymentMethods.get(String(intent.payment_method));
  return outcome === "succeeded"
    ? succeededIntent(intent, method.id, charge.id)
    : failedIntent(intent, method, charge, debitReturned);
}

/** The session that waits for this payment is paid, or stays unpaid. */
function tellCheckout(
  change: Change,
  { intent, invoice }: { intent: string; invoice: string | undefined },
  outcome: PendingPayment["outcome"],
) {
  const { checkoutSessions } = change.account;
  const session = checkoutSessions.oldestFirst().find((session) =>
    session.status === "complete" && session.payment_status === "unpaid" &&
    (session.payment_intent === intent || (invoice !== undefined && session.invoice === invoice))
  );
  if (!session) return;
  if (outcome === "failed") return change.emit("checkout.session.async_payment_failed", session);
  const paid = checkoutSessions.put({ ...session, payment_status: "paid" });
  change.emit("checkout.session.async_payment_succeeded", paid);
}
