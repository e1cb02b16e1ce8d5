import type Stripe from "stripe";
import type { Change } from "../../account/change.ts";
import { billedSubscription, type Invoice } from "../../objects/invoice.ts";
import { currentPeriodEnd, isSetToCancel, type Subscription } from "../../objects/subscription.ts";
import { endSchedule, scheduleOf } from "../schedules/schedule_end.ts";

export type CancellationDetails = NonNullable<Stripe.Subscription["cancellation_details"]>;

/** The customer's comment and feedback. The reason is a requested cancellation unless given. */
export type Feedback = Partial<Pick<CancellationDetails, "comment" | "feedback" | "reason">>;

/** Cancels a subscription now. Its unpaid invoices stay, but are no longer collected. */
export function cancelNow(change: Change, subscription: Subscription, feedback: Feedback = {}): Subscription {
  const schedule = scheduleOf(change.account, subscription);
  if (schedule) endSchedule(change, schedule, "canceled");
  const canceled = change.account.subscriptions.put({
    ...subscription,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: subscription.canceled_at ?? change.now,
    cancellation_details: { ...detailsOf(subscription), reason: "cancellation_requested", ...feedback },
    ended_at: change.now,
    pause_collection: null,
    pending_update: null,
    schedule: null,
    status: "canceled",
  });
  for (const invoice of change.account.invoices.of(canceled.customer)) {
    if (billedSubscription(invoice) === canceled.id) stopCollecting(change, invoice);
  }
  change.emit("customer.subscription.deleted", canceled);
  return canceled;
}

/** Stops the automatic collection of a draft or open invoice. */
export function stopCollecting({ account }: Change, invoice: Invoice) {
  if (invoice.status !== "draft" && invoice.status !== "open") return;
  account.invoices.put({
    ...invoice,
    auto_advance: false,
    automatically_finalizes_at: null,
    next_payment_attempt: null,
  });
}

/**
 * Returns the subscription scheduled to end with its period, as the portal does it. In flexible billing mode only
 * `cancel_at` is set, in classic mode also `cancel_at_period_end`.
 */
export function cancelingAtPeriodEnd(change: Change, subscription: Subscription): Subscription {
  return {
    ...subscription,
    cancel_at: currentPeriodEnd(subscription),
    cancel_at_period_end: subscription.billing_mode.type === "classic",
    canceled_at: change.now,
    cancellation_details: { ...detailsOf(subscription), reason: "cancellation_requested" },
  };
}

/** Returns the subscription without a scheduled end. */
export function continuing(subscription: Subscription): Subscription {
  if (!isSetToCancel(subscription)) return subscription;
  return {
    ...subscription,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { ...detailsOf(subscription), reason: null },
  };
}

function detailsOf(subscription: Subscription): CancellationDetails {
  return subscription.cancellation_details ??
    { comment: null, feedback: null, feedback_option: null, reason: null };
}
