import type { BillingInfo } from "../api/contract.ts";
import { fill, type Language } from "../language/language.ts";
import { hasLiveSubscription, needsPayment } from "./subscription.ts";

/** One or two sentences about a subscription. */
export interface SubscriptionNote {
  tone: "calm" | "warning";
  text: string;
}

/** Describes the state of the subscription. Null if there is none to describe, as on the free plan. */
export function describeSubscription(
  info: BillingInfo,
  { texts: { subscription: texts }, date, price }: Language,
): SubscriptionNote | null {
  const { subscription, plan, isAdmin } = info;
  if (!subscription || (!hasLiveSubscription(info) && !subscription.paymentIssue)) return null;
  const { status, planCode, currentPeriodEnd, cancelAt, trialEnd, pastDueSince, graceEndsAt } = subscription;

  const say = (text: string, iso = "") =>
    fill(text, { plan: plan.name, price: price(plan), date: iso && date(iso) });
  const note = (tone: SubscriptionNote["tone"], ...sentences: (string | false | null | undefined)[]) => ({
    tone,
    text: sentences.filter(Boolean).join(" "),
  });

  if (needsPayment(info)) {
    const hasLostPlan = planCode !== null && planCode !== plan.code;
    return note(
      "warning",
      pastDueSince ? say(texts.paymentFailedSince, pastDueSince) : texts.paymentFailed,
      hasLostPlan ? say(texts.planLost) : graceEndsAt && say(texts.graceUntil, graceEndsAt),
      isAdmin ? texts.updateCard : texts.askAdmin,
    );
  }
  if (status === "paused") return note("warning", texts.paused);
  if (cancelAt) return note("warning", say(texts.ends, cancelAt), isAdmin && texts.resume);
  if (status === "trialing" && trialEnd) return note("calm", say(texts.trial, trialEnd));
  return currentPeriodEnd ? note("calm", say(texts.renews, currentPeriodEnd)) : null;
}
