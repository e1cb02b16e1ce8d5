import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import type { Invoice, InvoiceLine } from "../../objects/invoice.ts";
import type { Subscription, SubscriptionItem } from "../../objects/subscription.ts";
import { planDraft, storeDraft } from "../invoices/invoice_draft.ts";
import { isMetered, lineForItem, lineForUsage, recurringPriceOf } from "../invoices/invoice_lines.ts";
import { voidInvoice } from "../invoices/invoice_voiding.ts";
import { finalizeDraft, markAsUncollectible, methodForSubscription } from "../payments/payment_collection.ts";
import type { PhaseEntry } from "../schedules/phase_entry.ts";
import { firstPeriod, periodAt } from "./billing_periods.ts";
import { cancelNow } from "./cancellation.ts";
import { pauseNow } from "./pause.ts";
import { updateSubscription } from "./subscription_update.ts";

/**
 * Starts the next period of the items whose period is over, and bills it with a draft. A trial ends in the same way,
 * unless there is no card and `missing_payment_method` says to pause or cancel. `entry` is given when a phase of the
 * subscription's schedule begins.
 */
export function renew(
  change: Change,
  subscription: Subscription,
  entry: PhaseEntry = { next: subscription, prorations: [] },
) {
  const isTrialEnd = subscription.status === "trialing";
  if (isTrialEnd && endTrialWithoutCard(change, subscription)) return;
  for (const item of entry.prorations) {
    change.emit("invoiceitem.created", change.account.invoiceItems.put(item));
  }
  const invoice = storeDraft(change, renewalInvoice(change, subscription, entry.next));
  updateSubscription(change, subscription, {
    ...withNextPeriods(entry.next, change.now),
    latest_invoice: invoice.id,
    status: isTrialEnd ? "active" : subscription.status,
  });
  change.emit("invoice.created", invoice);
  if (subscription.pause_collection) holdBack(change, invoice, subscription.pause_collection.behavior);
}

/**
 * Pauses or cancels a subscription whose trial ends without a card, as `missing_payment_method` says. Returns
 * undefined when there is a card or an invoice is to be created.
 */
export function endTrialWithoutCard(change: Change, subscription: Subscription): Subscription | undefined {
  if (methodForSubscription(change.account, subscription)) return;
  const wanted = subscription.trial_settings?.end_behavior.missing_payment_method;
  if (wanted === "cancel") return cancelNow(change, subscription, { reason: null });
  if (wanted === "pause") return pauseNow(change, subscription, "trial_end_without_payment_method");
}

/** Returns the subscription with the next period in each item whose period is over at `now`. */
export function withNextPeriods(subscription: Subscription, now: number): Subscription {
  const data = subscription.items.data.map((item) =>
    isOver(item, now) ? inNextPeriod(subscription, item) : item
  );
  return { ...subscription, items: { ...subscription.items, data } };
}

/** Returns the subscription with a new cycle that begins now. */
export function startingPeriod(change: Change, subscription: Subscription): Subscription {
  const data = subscription.items.data.map((item) => {
    const { start, end } = firstPeriod(change.now, recurringPriceOf(item).recurring);
    return { ...item, current_period_start: start, current_period_end: end };
  });
  return { ...subscription, billing_cycle_anchor: change.now, items: { ...subscription.items, data } };
}

function isOver(item: SubscriptionItem, now: number): boolean {
  return item.current_period_end <= now;
}

function inNextPeriod(subscription: Subscription, item: SubscriptionItem): SubscriptionItem {
  const { recurring } = recurringPriceOf(item);
  const { current_period_end: start } = item;
  const aligned = periodAt(subscription.billing_cycle_anchor, recurring, start);
  const isPart = aligned.start !== start && isWhole(item);
  const next = isPart ? firstPeriod(start, recurring) : aligned;
  return { ...item, current_period_start: start, current_period_end: next.end };
}

/** True when the item's period is as long as its interval. After a change of interval it need not fit the anchor. */
function isWhole(item: SubscriptionItem): boolean {
  const { end } = firstPeriod(item.current_period_start, recurringPriceOf(item).recurring);
  return end === item.current_period_end;
}

function renewalInvoice(change: Change, subscription: Subscription, next: Subscription): Invoice {
  const { account } = change;
  const isOnHold = subscription.status === "unpaid" || subscription.pause_collection !== null;
  const [ending] = subscription.items.data.filter((item) => isOver(item, change.now));
  const draft = planDraft(change, next, {
    linesOf: (id) => renewalLines(account, { ending: subscription, next }, id, change.now),
    billingReason: "subscription_cycle",
    finalizesAt: isOnHold ? null : change.now + account.billingSettings.draft_seconds,
    period: { start: ending.current_period_start, end: ending.current_period_end },
  });
  return isOnHold ? { ...draft, auto_advance: false } : draft;
}

/**
 * The lines of a renewal: the usage of the past period, and the next period in advance. `next` differs from `ending`
 * when a phase of a schedule begins.
 */
export function renewalLines(
  account: Account,
  { ending, next }: { ending: Subscription; next: Subscription },
  invoice: string,
  now: number,
): InvoiceLine[] {
  const usage = (item: SubscriptionItem) => {
    const period = { start: item.current_period_start, end: item.current_period_end };
    return ending.status === "trialing" || period.start === period.end
      ? []
      : [lineForUsage(account, item, period, { invoice, subscription: next })];
  };
  const advance = (item: SubscriptionItem) =>
    lineForItem(account, inNextPeriod(next, item), { invoice, subscription: next, isTrial: false });
  const over = (items: SubscriptionItem[]) => items.filter((item) => isOver(item, now));
  const kept = new Set(next.items.data.filter(isMetered).map(({ id }) => id));
  const left = over(ending.items.data).filter((item) => isMetered(item) && !kept.has(item.id));
  return [
    ...left.flatMap(usage),
    ...over(next.items.data).flatMap((item) => {
      const old = ending.items.data.find(({ id }) => id === item.id);
      return isMetered(item) ? (old && isMetered(old) ? usage(old) : []) : [advance(item)];
    }),
  ];
}

/** Applies `pause_collection` to a new invoice. */
function holdBack(change: Change, draft: Invoice, behavior: string) {
  if (behavior === "keep_as_draft") return;
  const invoice = finalizeDraft(change, draft);
  if (invoice.status !== "open") return;
  if (behavior === "void") voidInvoice(change, invoice);
  else markAsUncollectible(change, invoice, "subscription_paused");
}
