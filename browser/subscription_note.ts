import type { BillingInfo, Subscription } from "./contract.ts";
import { fill, type Language } from "./language.ts";
import { hasLiveSubscription, needsPayment } from "./subscription.ts";

/** What to know about a subscription, in a sentence or two. */
export interface SubscriptionNote {
  tone: "calm" | "warning";
  text: string;
}

/** Puts the state of the subscription into words. Null when there is nothing to say, as on the free plan. */
export function describeSubscription(info: BillingInfo, language: Language): SubscriptionNote | null {
  const { subscription, plan } = info;
  const { texts: { subscription: texts }, date, price } = language;
  if (!subscription || (!hasLiveSubscription(info) && !subscription.paymentIssue)) return null;
  if (needsPayment(info)) {
    return { tone: "warning", text: describePaymentIssue(info, subscription, language) };
  }
  if (subscription.status === "paused") return { tone: "warning", text: texts.paused };
  if (subscription.cancelAt) {
    const end = date(subscription.cancelAt);
    return { tone: "warning", text: fill(texts.ends, { plan: plan.name, date: end }) };
  }
  if (subscription.status === "trialing" && subscription.trialEnd) {
    const end = date(subscription.trialEnd);
    return { tone: "calm", text: fill(texts.trial, { date: end, price: price(plan) }) };
  }
  if (!subscription.currentPeriodEnd) return null;
  return { tone: "calm", text: fill(texts.renews, { date: date(subscription.currentPeriodEnd) }) };
}

/** What happened, what it means for the plan, and what to do about it. */
function describePaymentIssue(
  info: BillingInfo,
  { pastDueSince, graceEndsAt, planCode }: Subscription,
  { texts: { subscription: texts }, date }: Language,
): string {
  const plan = info.plan.name;
  const happened = pastDueSince
    ? fill(texts.paymentFailedSince, { date: date(pastDueSince) })
    : texts.paymentFailed;
  const hasLostPlan = planCode !== null && planCode !== info.plan.code;
  const consequence = hasLostPlan
    ? fill(texts.planLost, { plan })
    : graceEndsAt
    ? fill(texts.graceUntil, { plan, date: date(graceEndsAt) })
    : null;
  const cure = info.isAdmin ? texts.updateCard : texts.askAdmin;
  return [happened, consequence, cure].filter(Boolean).join(" ");
}
