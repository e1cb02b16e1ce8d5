import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import type { Customer } from "../../objects/customer.ts";
import type { Invoice } from "../../objects/invoice.ts";
import {
  canceledIntent,
  canceledInvoicePayment,
  type Charge,
  failedIntent,
  intentToAuthenticate,
  type InvoicePayment,
  newCharge,
  newInvoicePayment,
  newPaymentIntent,
  paidInvoicePayment,
  type PaymentIntent,
  pendingCharge,
  processingIntent,
  succeededIntent,
} from "../../objects/payment.ts";
import { settlementSeconds } from "../../objects/pending_payment.ts";
import type { PaymentMethod } from "../../objects/payment_method.ts";
import type { Subscription } from "../../objects/subscription.ts";
import type { Decline } from "../../objects/test_card.ts";
import { recordBalance } from "../refunds/customer_balance.ts";
import { removeSpent } from "../discounts/redemption.ts";
import { withFreshLocation } from "../invoices/invoice_amounts.ts";
import { withFreshUsage } from "../invoices/invoice_lines.ts";
import { finalizeInvoice, paidInvoice } from "../invoices/invoice_states.ts";
import { afterFailure, afterPayment, findBilled } from "../subscriptions/subscription_standing.ts";
import { cardOf, type Presence, verdict } from "./card_verdict.ts";

const daySeconds = 86_400;

/** The result of charging a card. */
export interface Attempt {
  intent: PaymentIntent;
  /** Null when the bank requires authentication first. */
  charge: Charge | null;
  outcome: "succeeded" | "declined" | "processing" | "requires_action";
  decline: Decline | null;
}

/** Finalizes a draft. An invoice of 0 is paid immediately; for any other a payment is opened. */
export function finalizeDraft(change: Change, draft: Invoice): Invoice {
  const { account } = change;
  const before = account.customers.get(String(draft.customer));
  const located = withFreshLocation(account, draft);
  const [finalized, customer] = finalizeInvoice(change, withFreshUsage(account, located), before);
  account.customers.put(customer);
  account.invoices.put(finalized);
  change.emit("invoice.finalized", finalized);
  recordBalance(change, before, customer, {
    currency: finalized.currency,
    invoice: finalized.id,
    type: "applied_to_invoice",
  });
  if (customer.balance !== before.balance) change.emit("customer.updated", customer, before);
  removeSpent(change, finalized);
  if (finalized.amount_due === 0) return markPaid(change, finalized, null);
  change.emit("payment_intent.created", openPayment(change, finalized));
  return finalized;
}

/** Opens the payment of a finalized invoice: an intent for the amount due, without a card. */
export function openPayment(change: Change, invoice: Invoice): PaymentIntent {
  const { account } = change;
  const intent = account.paymentIntents.put(newPaymentIntent(change.now, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    customer: String(invoice.customer),
    description: purposeOf(invoice),
    savesCard: true,
  }));
  account.invoicePayments.put(newInvoicePayment(change.now, {
    amount: invoice.amount_due,
    currency: invoice.currency,
    invoice: invoice.id,
    intent: intent.id,
  }));
  return intent;
}

/** Charges a card for an intent and stores the result. Emits no events. */
export function tryCard(
  change: Change,
  intent: PaymentIntent,
  method: PaymentMethod,
  presence: Presence,
): Attempt {
  const { account } = change;
  const decline = verdict(cardOf(method), presence);
  if (decline === "requires_action") {
    const waiting = account.paymentIntents.put(intentToAuthenticate(intent, method.id));
    return { intent: waiting, charge: null, outcome: "requires_action", decline: null };
  }
  const fields = { amount: intent.amount, currency: intent.currency, customer: intent.customer, method };
  if (decline === null && cardOf(method).settles) return startSettlement(change, intent, method);
  const charge = account.charges.put(
    newCharge(change.now, intent.id, { ...fields, description: intent.description }, decline),
  );
  const tried = decline
    ? failedIntent(intent, method, charge, decline)
    : succeededIntent(intent, method.id, charge.id);
  account.paymentIntents.put(tried);
  return { intent: tried, charge, outcome: decline ? "declined" : "succeeded", decline };
}

/** Begins a payment that the bank answers after days. */
function startSettlement(change: Change, intent: PaymentIntent, method: PaymentMethod): Attempt {
  const { account, now } = change;
  const { amount, currency, customer, description } = intent;
  const { settles, settlesAfter } = cardOf(method);
  const fields = { amount, currency, customer, description, method };
  const charge = account.charges.put(pendingCharge(newCharge(now, intent.id, fields, null)));
  const processing = account.paymentIntents.put(processingIntent(intent, method, charge.id));
  account.pendingPayments.put({
    id: intent.id,
    object: "pending_payment",
    at: now + (settlesAfter ?? settlementSeconds),
    outcome: settles ?? "succeeded",
    customer,
  });
  return { intent: processing, charge, outcome: "processing", decline: null };
}

/** Emits the events of a charge. */
export function emitAttempt(change: Change, { intent, charge, outcome }: Attempt) {
  if (outcome === "processing") {
    if (charge) change.emit("charge.pending", charge);
    change.emit("payment_intent.processing", intent);
    return;
  }
  if (charge) change.emit(charge.paid ? "charge.succeeded" : "charge.failed", charge);
  if (outcome === "succeeded") change.emit("payment_intent.succeeded", intent);
  if (outcome === "declined") change.emit("payment_intent.payment_failed", intent);
  if (outcome === "requires_action") change.emit("payment_intent.requires_action", intent);
}

/**
 * Charges a card for an open invoice and applies the consequences: on success the invoice is paid and its
 * subscription active; on failure the attempt is counted and the next one scheduled.
 */
export function collect(
  change: Change,
  invoice: Invoice,
  method: PaymentMethod,
  presence: Presence,
  isAutomatic = false,
): Attempt {
  const { payment, intent } = openPaymentOf(change.account, invoice) ?? reopenPayment(change, invoice);
  const attempt = tryCard(change, intent, method, presence);
  emitAttempt(change, attempt);
  if (attempt.outcome === "succeeded") markPaid(change, isAutomatic ? counted(invoice) : invoice, payment);
  else if (attempt.outcome === "processing") recordProcessing(change, invoice);
  else {recordFailure(change, invoice, {
      isAutomatic,
      isActionRequired: attempt.outcome === "requires_action",
    });}
  return attempt;
}

/** The invoice stays open, and is not retried, until the bank has answered. */
function recordProcessing(change: Change, before: Invoice) {
  const after = change.account.invoices.put({
    ...before,
    attempt_count: before.attempt_count + 1,
    attempted: true,
    next_payment_attempt: null,
  });
  change.emit("invoice.updated", after, before);
}

function counted(invoice: Invoice): Invoice {
  return { ...invoice, attempt_count: invoice.attempt_count + 1 };
}

/** Collects an invoice automatically, with its default payment method. */
export function collectAutomatically(change: Change, invoice: Invoice) {
  const method = methodForInvoice(change.account, invoice);
  if (method) collect(change, invoice, method, "off_session", true);
  else recordFailure(change, invoice, { isAutomatic: true, isActionRequired: false });
}

/** Marks an invoice as paid, with or without a payment, and applies the consequences. */
export function markPaid(change: Change, invoice: Invoice, payment: InvoicePayment | null): Invoice {
  const { account } = change;
  const paid = account.invoices.put(paidInvoice(change, invoice));
  change.emit("invoice.paid", paid);
  change.emit("invoice.payment_succeeded", paid);
  if (payment) {
    change.emit(
      "invoice_payment.paid",
      account.invoicePayments.put(paidInvoicePayment(change.now, payment)),
    );
  }
  setDelinquent(change, account.customers.get(String(invoice.customer)), false);
  afterPayment(change, paid, payment && cardOfPayment(account, payment));
  return paid;
}

function cardOfPayment(account: Account, { payment }: InvoicePayment): string | null {
  return account.paymentIntents.find(String(payment.payment_intent))?.payment_method ?? null;
}

/** Changes the amount of an invoice's open payment to what is still due. */
export function resizePayment({ account }: Change, invoice: Invoice) {
  const open = openPaymentOf(account, invoice);
  if (!open) return;
  account.invoicePayments.put({ ...open.payment, amount_requested: invoice.amount_remaining });
  account.paymentIntents.put({ ...open.intent, amount: invoice.amount_remaining });
}

/** Cancels the open payment of an invoice that was voided or paid in another way. */
export function cancelPayment(change: Change, invoice: Invoice) {
  const { account } = change;
  const open = openPaymentOf(account, invoice);
  if (!open) return;
  account.invoicePayments.put(canceledInvoicePayment(change.now, open.payment));
  change.emit(
    "payment_intent.canceled",
    account.paymentIntents.put(canceledIntent(change.now, open.intent)),
  );
}

/** The payment method for an invoice: its own, else its subscription's, else its customer's. */
export function methodForInvoice(account: Account, invoice: Invoice): PaymentMethod | undefined {
  const own = account.paymentMethods.find(String(invoice.default_payment_method));
  return own ?? methodForSubscription(account, {
    customer: String(invoice.customer),
    default_payment_method: findBilled(account, invoice)?.default_payment_method ?? null,
  });
}

/**
 * The payment method for a subscription: its own, else its customer's. Undefined when it is not attached to the
 * customer.
 */
export function methodForSubscription(
  account: Account,
  { customer: id, default_payment_method: own }: Pick<Subscription, "customer" | "default_payment_method">,
): PaymentMethod | undefined {
  const customer = account.customers.get(id);
  const chosen = own ?? customer.invoice_settings.default_payment_method ?? customer.default_source;
  const method = account.paymentMethods.find(String(chosen));
  return method?.customer === id ? method : undefined;
}

export function setDelinquent(change: Change, customer: Customer, delinquent: boolean) {
  if (customer.delinquent === delinquent) return;
  const updated = change.account.customers.put({ ...customer, delinquent });
  change.emit("customer.updated", updated, customer);
}

function openPaymentOf(
  account: Account,
  invoice: Invoice,
): { payment: InvoicePayment; intent: PaymentIntent } | undefined {
  const payment = account.invoicePayments.of(invoice.id).find(({ status }) => status === "open");
  return payment && { payment, intent: account.paymentIntents.get(String(payment.payment.payment_intent)) };
}

function reopenPayment(change: Change, invoice: Invoice) {
  openPayment(change, invoice);
  const open = openPaymentOf(change.account, invoice);
  if (!open) throw new Error(`${invoice.id} has no payment`);
  return open;
}

/**
 * Counts a failed attempt and schedules the next one. Only the first attempt and automatic ones are counted: paying
 * on request does not use up retries (https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count).
 */
export function recordFailure(
  change: Change,
  before: Invoice,
  { isAutomatic, isActionRequired }: { isAutomatic: boolean; isActionRequired: boolean },
) {
  const { account } = change;
  const counts = isAutomatic || before.attempt_count === 0;
  const attempts = before.attempt_count + (counts ? 1 : 0);
  const isPlanned = before.auto_advance && findBilled(account, before)?.status !== "incomplete";
  const next = counts && isPlanned ? nextAttempt(account, attempts, change.now) : before.next_payment_attempt;
  const after: Invoice = { ...before, attempt_count: attempts, attempted: true, next_payment_attempt: next };
  account.invoices.put(after);
  if (counts) change.emit("invoice.updated", after, before);
  change.emit("invoice.payment_failed", after);
  if (isActionRequired) change.emit("invoice.payment_action_required", after);
  if (!isAutomatic) return;
  setDelinquent(change, account.customers.get(String(after.customer)), true);
  if (!isPlanned) return;
  if (next === null && account.billingSettings.failed_invoice === "mark_uncollectible") {
    markAsUncollectible(change, after, "max_payment_attempts");
  }
  afterFailure(change, after, next === null);
}

function nextAttempt(account: Account, attempts: number, now: number): number | null {
  const days = account.billingSettings.retry_after_days.at(attempts - 1);
  return days === undefined || attempts === 0 ? null : now + Math.round(days * daySeconds);
}

/** Marks an invoice as uncollectible. It can still be paid. */
export function markAsUncollectible(
  change: Change,
  invoice: Invoice,
  reason: "max_payment_attempts" | "user_forgiven" | "subscription_paused",
): Invoice {
  const uncollectible = change.account.invoices.put({
    ...invoice,
    auto_advance: false,
    next_payment_attempt: null,
    status: "uncollectible",
    status_details: { uncollectible: { reason } },
    status_transitions: { ...invoice.status_transitions, marked_uncollectible_at: change.now },
  });
  change.emit("invoice.marked_uncollectible", uncollectible);
  return uncollectible;
}

function purposeOf(invoice: Invoice): string {
  switch (invoice.billing_reason) {
    case "subscription_create":
      return "Subscription creation";
    case "subscription_update":
      return "Subscription update";
    default:
      return invoice.parent ? "Subscription update" : `Payment for Invoice ${invoice.number}`;
  }
}
