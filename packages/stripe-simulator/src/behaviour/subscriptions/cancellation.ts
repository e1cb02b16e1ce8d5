import type Stripe from "stripe";
import type { Change } from "../../account/change.ts";
import { billedSubscription, type Invoice } from "../../objects/invoice.ts";
import { currentPeriodEnd, isSetToCancel, type Subscription } from "../../objects/subscription.ts";

export type CancellationDetails = NonNullable<Stripe.Subscription["cancellation_details"]>;

/** The comment and feedback a customer leaves, and why it came to this unless they asked for it. */
export type Feedback = Partial<Pick<CancellationDetails, "comment" | "feedback" | "reason">>;

/** Ends a subscription now. Its unpaid invoices stay, but nothing is collected for them any more. */
export function cancelNow(change: Change, subscription: Subscription, feedback: Feedback = {}): Subscription {
  const canceled = change.account.subscriptions.put({
    ...subscription,
    cancel_at_period_end: false,
    canceled_at: subscription.canceled_at ?? change.now,
    cancellation_details: { ...detailsOf(subscription), reason: "cancellation_requested", ...feedback },
    ended_at: change.now,
    pause_collection: null,
    pending_update: null,
    status: "canceled",
  });
  for (const invoice of change.account.invoices.of(canceled.customer)) {
    if (billedSubscription(invoice) === canceled.id) stopCollecting(change, invoice);
  }
  change.emit("customer.subscription.deleted", canceled);
  return canceled;
}

/** Leaves an invoice that is not settled yet to be dealt with by hand. */
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
 * The subscription as it is once it is set to end with its period, asked for in the portal. In flexible billing mode
 * that shows in `cancel_at` alone, in classic mode in `cancel_at_period_end` too.
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

/** The subscription as it is once it is no longer set to end; one that was not stays the same. */
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
