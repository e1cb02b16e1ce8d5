import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import { balanceAfter, type Invoice, withBalance } from "../../objects/invoice.ts";

/**
 * Finalizes a draft: it gets its number and its pages, and its amount no longer changes. Returns the open invoice,
 * and the customer with the next invoice number and the new balance.
 */
export function finalizeInvoice(change: Change, draft: Invoice, customer: Customer): [Invoice, Customer] {
  const sequence = customer.next_invoice_sequence ?? 1;
  const page = `${change.account.origin}/invoice/${draft.id}`;
  const counted = withBalance(draft, customer.balance);
  const balance = balanceAfter(counted);
  const finalized: Invoice = {
    ...counted,
    automatically_finalizes_at: null,
    effective_at: change.now,
    ending_balance: balance,
    hosted_invoice_url: page,
    invoice_pdf: `${page}/pdf`,
    number: `${customer.invoice_prefix}-${String(sequence).padStart(4, "0")}`,
    status: "open",
    status_transitions: { ...draft.status_transitions, finalized_at: change.now },
    webhooks_delivered_at: draft.webhooks_delivered_at ?? change.now,
  };
  const currency = customer.currency ?? draft.currency;
  return [finalized, { ...customer, balance, currency, next_invoice_sequence: sequence + 1 }];
}

/** Returns the paid invoice. An invoice of 0 is paid without a payment. */
export function paidInvoice(change: Change, open: Invoice): Invoice {
  const isFirstAttempt = open.amount_due > 0 && open.attempt_count === 0;
  return {
    ...open,
    amount_paid: open.amount_due,
    amount_remaining: 0,
    attempt_count: isFirstAttempt ? 1 : open.attempt_count,
    attempted: true,
    auto_advance: false,
    next_payment_attempt: null,
    status: "paid",
    status_transitions: { ...open.status_transitions, paid_at: change.now },
  };
}
