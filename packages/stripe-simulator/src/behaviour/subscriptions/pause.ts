import type Stripe from "stripe";
import type { Change } from "../../account/change.ts";
import type { Subscription } from "../../objects/subscription.ts";

type PauseReason = Stripe.Subscription.StatusDetails.Paused.Subscription["type"];

/** Pauses a subscription. It is not billed until it is resumed. */
export function pauseNow(change: Change, subscription: Subscription, reason: PauseReason): Subscription {
  const paused = change.account.subscriptions.put({
    ...subscription,
    status: "paused",
    status_details: {
      paused: { subscription: { type: reason }, transitioned_at: change.now, type: "subscription" },
    },
  });
  change.emit("customer.subscription.updated", paused, subscription);
  change.emit("customer.subscription.paused", paused);
  return paused;
}

/** Resumes a subscription. */
export function resumeNow(change: Change, subscription: Subscription): Subscription {
  const { status_details: _, ...rest } = subscription;
  const resumed = change.account.subscriptions.put({ ...rest, status: "active" });
  change.emit("customer.subscription.updated", resumed, subscription);
  change.emit("customer.subscription.resumed", resumed);
  return resumed;
}
