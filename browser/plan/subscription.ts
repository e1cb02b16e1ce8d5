import type { BillingInfo, OfferedPlan } from "../api/contract.ts";

/**
 * Statuses of a subscription that has ended or never began
 * (https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses).
 */
const ENDED = ["canceled", "incomplete", "incomplete_expired"];

/** Whether the community has a subscription that has not ended. The server refuses a second one. */
export function hasLiveSubscription({ subscription }: BillingInfo): boolean {
  return subscription !== null && !ENDED.includes(subscription.status);
}

/** Whether the community is on the plan of its live subscription, as it is once the webhook has arrived. */
export function hasPaidPlan(info: BillingInfo): boolean {
  return hasLiveSubscription(info) && info.subscription?.planCode === info.plan.code;
}

/** Whether a payment of the subscription is overdue. */
export function needsPayment({ subscription }: BillingInfo): boolean {
  return subscription !== null &&
    (subscription.paymentIssue !== null || ["past_due", "unpaid"].includes(subscription.status));
}

/** Whether there is a live subscription that is not cancelled yet. */
export function canCancel(info: BillingInfo): boolean {
  return hasLiveSubscription(info) && info.subscription?.cancelAt === null;
}

/** The plans that cost more than the current one, without the one that the community already subscribes to. */
export function largerPlans(info: BillingInfo): OfferedPlan[] {
  const subscribed = hasLiveSubscription(info) ? info.subscription?.planCode : null;
  return info.plans.filter(({ code, priceCents }) =>
    priceCents > info.plan.priceCents && code !== subscribed
  );
}
