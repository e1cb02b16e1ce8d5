import type { BillingInfo, OfferedPlan } from "./contract.ts";

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

/** The plans that an admin of this community can buy now. */
export function upgrades(info: BillingInfo): OfferedPlan[] {
  if (hasLiveSubscription(info)) return [];
  return info.plans.filter(({ priceCents }) => priceCents > info.plan.priceCents);
}
