import type { Change } from "../../account/change.ts";
import type { Invoice, InvoiceLine } from "../../objects/invoice.ts";
import type { InvoiceItem } from "../../objects/invoice_item.ts";
import type { Subscription, SubscriptionItem } from "../../objects/subscription.ts";
import { type DraftFields, planDraft, storeDraft } from "../invoices/invoice_draft.ts";
import { isMetered, lineForItem, lineForUsage, recurringPriceOf } from "../invoices/invoice_lines.ts";
import { voidInvoice } from "../invoices/invoice_voiding.ts";
import { chargeFor, creditFor } from "../invoices/proration.ts";
import { cardMissing, type Presence, refusal } from "../payments/card_verdict.ts";
import {
  collect,
  finalizeDraft,
  methodForSubscription,
  recordFailure,
} from "../payments/payment_collection.ts";
import { firstPeriod, periodAt } from "./billing_periods.ts";
import { type ItemChange, withChangedItems } from "./item_changes.ts";
import { startingPeriod } from "./renewal.ts";
import { updateSubscription } from "./subscription_update.ts";

/** A requested change of a subscription's items and periods. */
export interface PlanTerms {
  items: ItemChange[];
  proration: "always_invoice" | "create_prorations" | "none";
  /** The time from which the change is prorated, in seconds. Now unless given. */
  prorationDate?: number;
  /** True when a new period begins now even if the interval stays the same. */
  startsPeriod: boolean;
  /** The new end of the trial, in seconds. */
  trialEnd?: number | "now";
}

/** The result of a change before it is stored. */
export interface PlanChange {
  before: Subscription;
  after: Subscription;
  /** The credits for the old items and the charges for the new ones. */
  prorations: InvoiceItem[];
  /** True when a new period begins now and is billed immediately. */
  startsPeriod: boolean;
  /** True when there is an invoice now and not only at the next renewal. */
  isInvoiced: boolean;
}

export type PaymentBehavior =
  | "allow_incomplete"
  | "default_incomplete"
  | "error_if_incomplete"
  | "pending_if_incomplete";

const pendingFor = 23 * 3600;

/** Calculates a change of plan without storing it. Throws Stripe's 400s. */
export function planChange(change: Change, before: Subscription, terms: PlanTerms): PlanChange {
  const wanted = withChangedItems(change, before, terms.items);
  const endsTrial = terms.trialEnd === "now" && before.status === "trialing";
  const isFlexible = before.billing_mode.type === "flexible";
  const resets = !isFlexible && wanted.items.data.some((item) => hasOtherInterval(before, item));
  const startsPeriod = terms.startsPeriod || endsTrial || resets;
  const changed = startsPeriod ? wanted : withOtherIntervals(change, before, wanted);
  const prorations = terms.proration === "none"
    ? []
    : prorationsOf(change, changed, { before, startsPeriod, terms });
  return {
    before,
    after: withMovedCancellation(
      startsPeriod ? inNewPeriod(change, changed) : withTrial(change, changed, terms),
    ),
    prorations,
    startsPeriod,
    isInvoiced: startsPeriod || (terms.proration === "always_invoice" && prorations.length > 0),
  };
}

/**
 * Applies a change of plan and collects its invoice. Throws a 402 or 400 when `payment.behavior` is
 * `error_if_incomplete` and the payment would fail.
 */
export function applyPlanChange(
  change: Change,
  plan: PlanChange,
  payment: { behavior: PaymentBehavior; presence: Presence },
): Subscription {
  const { account } = change;
  if (!plan.isInvoiced) {
    const superseded = supersedePendingUpdate(change, plan);
    storeProrations(change, plan.prorations);
    return updateSubscription(change, account.subscriptions.get(plan.before.id), superseded.after);
  }
  const draft = invoiceOf(change, plan);
  const method = methodForSubscription(account, plan.before);
  const error = draft.amount_due === 0 ? null : method ? refusal(method, payment.presence) : cardMissing();
  if (error && payment.behavior === "error_if_incomplete") throw error;
  const isPending = error !== null && payment.behavior === "pending_if_incomplete";
  const superseded = supersedePendingUpdate(change, plan);
  storeProrations(change, plan.prorations);
  const stored = storeDraft(change, { ...draft, auto_advance: !isPending });
  const updated = updateSubscription(change, account.subscriptions.get(plan.before.id), {
    ...isPending ? withPendingUpdate(change, superseded) : superseded.after,
    latest_invoice: draft.id,
  });
  change.emit("invoice.created", stored);
  const invoice = finalizeDraft(change, stored);
  if (invoice.status !== "open") return account.subscriptions.get(updated.id);
  if (payment.behavior === "default_incomplete") {
    const current = account.subscriptions.get(updated.id);
    return updateSubscription(change, current, { ...current, status: "past_due" });
  }
  if (method) collect(change, invoice, method, payment.presence, !isPending);
  else recordFailure(change, invoice, { isAutomatic: !isPending, isActionRequired: false });
  return account.subscriptions.get(updated.id);
}

/** The invoice of a change: pending items, prorations and, in a new period, all items. */
export function invoiceOf(
  change: Change,
  plan: PlanChange,
  assumed: Pick<DraftFields, "coupons" | "customer" | "taxIds"> = {},
): Invoice {
  return planDraft(change, plan.after, {
    ...assumed,
    items: plan.prorations,
    linesOf: (id) => plan.startsPeriod ? newPeriodLines(change, plan, id) : [],
    billingReason: "subscription_update",
  });
}

/** The lines of a new period: the usage of the interrupted period, and the other items in advance. */
function newPeriodLines(change: Change, { before, after }: PlanChange, invoice: string): InvoiceLine[] {
  const { account } = change;
  const context = { invoice, subscription: after };
  const used = before.status === "trialing" ? [] : before.items.data.filter(isMetered);
  return [
    ...used.map((item) =>
      lineForUsage(account, item, { start: item.current_period_start, end: change.now }, context)
    ),
    ...after.items.data.filter((item) => !isMetered(item)).map((item) =>
      lineForItem(account, item, { ...context, isTrial: false })
    ),
  ];
}

/**
 * A new change takes the place of a pending one, whose invoice is voided
 * (https://docs.stripe.com/billing/subscriptions/pending-updates).
 */
function supersedePendingUpdate(change: Change, plan: PlanChange): PlanChange {
  if (!plan.before.pending_update) return plan;
  const invoice = change.account.invoices.find(String(plan.before.latest_invoice));
  if (invoice?.status === "open") voidInvoice(change, invoice);
  return {
    ...plan,
    before: { ...plan.before, pending_update: null },
    after: { ...plan.after, pending_update: null },
  };
}

function storeProrations(change: Change, prorations: InvoiceItem[]) {
  for (const item of prorations) change.emit("invoiceitem.created", change.account.invoiceItems.put(item));
}

function prorationsOf(
  change: Change,
  changed: Subscription,
  { before, startsPeriod, terms }: { before: Subscription; startsPeriod: boolean; terms: PlanTerms },
): InvoiceItem[] {
  const from = terms.prorationDate ?? change.now;
  const changesPeriod = startsPeriod || typeof terms.trialEnd === "number";
  const left = before.items.data.filter((item) => changesPeriod || !isKept(item, changed));
  const entered = changesPeriod ? [] : changed.items.data.filter((item) => !isKept(item, before));
  return [
    ...left.flatMap((item) => creditFor(change, before, item, from)),
    ...entered.flatMap((item) => chargeFor(change, changed, item, from)),
  ];
}

/** True when the other state has the same item with the same price and quantity. */
function isKept(item: SubscriptionItem, other: Subscription): boolean {
  return other.items.data.some(({ id, price, quantity }) =>
    id === item.id && price.id === item.price.id && quantity === item.quantity
  );
}

function hasOtherInterval(before: Subscription, item: SubscriptionItem): boolean {
  const old = before.items.data.find(({ id }) => id === item.id);
  return old !== undefined && old.price.id !== item.price.id && (
    old.plan.interval !== item.plan.interval || old.plan.interval_count !== item.plan.interval_count
  );
}

/**
 * In flexible billing mode an item with another interval keeps the start of its period, which then has the new
 * length. When that is over already, the item is in the present period counted from the anchor. In a trial the period
 * is the trial.
 */
function withOtherIntervals(change: Change, before: Subscription, changed: Subscription): Subscription {
  if (before.status === "trialing") return changed;
  const data = changed.items.data.map((item) => {
    if (!hasOtherInterval(before, item)) return item;
    const { recurring } = recurringPriceOf(item);
    const kept = firstPeriod(item.current_period_start, recurring);
    const { start, end } = kept.end > change.now
      ? kept
      : periodAt(changed.billing_cycle_anchor, recurring, change.now);
    return { ...item, current_period_start: start, current_period_end: end };
  });
  return { ...changed, items: { ...changed.items, data } };
}

function inNewPeriod(change: Change, subscription: Subscription): Subscription {
  const started = startingPeriod(change, subscription);
  return started.status === "trialing" ? { ...started, status: "active", trial_end: change.now } : started;
}

function withTrial(change: Change, subscription: Subscription, { trialEnd }: PlanTerms): Subscription {
  if (typeof trialEnd !== "number") return subscription;
  const isTrialing = subscription.status === "trialing";
  const data = subscription.items.data.map((item) => ({
    ...item,
    current_period_start: isTrialing ? item.current_period_start : change.now,
    current_period_end: trialEnd,
  }));
  return {
    ...subscription,
    billing_cycle_anchor: trialEnd,
    items: { ...subscription.items, data },
    status: "trialing",
    trial_end: trialEnd,
    trial_start: isTrialing ? subscription.trial_start : change.now,
  };
}

/** A subscription that was to end with its period ends with the new period. */
function withMovedCancellation(subscription: Subscription): Subscription {
  if (!subscription.cancel_at_period_end) return subscription;
  const ends = subscription.items.data.map((item) => item.current_period_end);
  return { ...subscription, cancel_at: Math.min(...ends) };
}

/** Returns the old subscription with the change as its `pending_update`. */
function withPendingUpdate(change: Change, { before, after, startsPeriod }: PlanChange): Subscription {
  return {
    ...before,
    pending_update: {
      billing_cycle_anchor: startsPeriod ? change.now : null,
      cancel_at_period_end: null,
      discount: null,
      discounts: null,
      expires_at: change.now + pendingFor,
      metadata: null,
      subscription_items: after.items.data,
      trial_end: null,
      trial_from_plan: null,
    },
  };
}
