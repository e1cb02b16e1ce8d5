import type { BillingInfo, OfferedPlan } from "../api/contract.ts";

/** Stripe's statuses of a subscription that is over or never began. */
const ENDED = ["canceled", "incomplete", "incomplete_expired"];

/** Whether the community has a subscription that is not over. The server refuses a second one. */
export function hasLiveSubscription({ subscription }: BillingInfo): boolean {
  return subscription !== null && !ENDED.includes(subscription.status);
}

/** Whether what was paid for has arrived: a live subscription, and the community on its plan. */
export function hasPaidPlan(info: BillingInfo): boolean {
  return hasLiveSubscription(info) && info.subscription?.planCode === info.plan.code;
}

/** Whether a new card is what the subscription needs. */
export function needsPayment({ subscription }: BillingInfo): boolean {
  return subscription !== null &&
    (subscription.paymentIssue !== null || ["past_due", "unpaid"].includes(subscription.status));
}

/** Whether there is a subscription that could still be cancelled. */
export function canCancel(info: BillingInfo): boolean {
  return hasLiveSubscription(info) && info.subscription?.cancelAt === null;
}

/** The plans on offer that are more than what the community has, and more than what it has to pay for already. */
export function largerPlans(info: BillingInfo): OfferedPlan[] {
  const subscribed = hasLiveSubscription(info) ? info.subscription?.planCode : null;
  return info.plans.filter(({ code, priceCents }) =>
    priceCents > info.plan.priceCents && code !== subscribed
  );
}
