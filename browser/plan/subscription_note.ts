import type { BillingInfo, Subscription } from "../api/contract.ts";
import { fill, type Language } from "../language/language.ts";
import { paidPrice } from "./paid_amount.ts";
import { hasLiveSubscription, needsPayment } from "./subscription.ts";

/** A few sentences about a subscription. */
export interface SubscriptionNote {
  tone: "calm" | "warning";
  text: string;
}

/** Describes the state of the subscription. Null if there is none to describe, as on the free plan. */
export function describeSubscription(info: BillingInfo, language: Language): SubscriptionNote | null {
  const { subscription, plan, isAdmin } = info;
  if (!subscription || (!hasLiveSubscription(info) && !subscription.paymentIssue)) return null;
  const { texts: { subscription: texts } } = language;
  const { status, planCode, currentPeriodEnd, cancelAt, trialEnd, pastDueSince, graceEndsAt } = subscription;

  const say = sentenceOf(subscription, language, plan.name);
  const note = (tone: SubscriptionNote["tone"], ...sentences: (string | false | null | undefined)[]) => {
    const text = sentences.filter(Boolean).join(" ");
    return text ? { tone, text } : null;
  };

  if (needsPayment(info)) {
    return note(
      "warning",
      pastDueSince ? say(texts.paymentFailedSince, pastDueSince) : texts.paymentFailed,
      planCode !== plan.code ? say(texts.planLost) : graceEndsAt && say(texts.graceUntil, graceEndsAt),
      isAdmin ? texts.updateCard : texts.askAdmin,
    );
  }
  if (status === "paused") return note("warning", texts.paused);
  const terms = describeTerms(info, language);
  if (cancelAt) return note("warning", say(texts.ends, cancelAt), isAdmin && texts.resume, ...terms);
  if (status === "trialing" && trialEnd) return note("calm", say(texts.trial, trialEnd), ...terms);
  return note("calm", currentPeriodEnd && say(texts.renews, currentPeriodEnd), ...terms);
}

/** Fills in a text: the plan, a date, and what is paid from that date on. */
const sentenceOf = (subscription: Subscription, language: Language, plan: string) =>
(
  text: string,
  iso?: string | null,
  more: Record<string, string> = {},
): string => {
  const price = iso && paidPrice(subscription, language, iso);
  const then = price ? fill(language.texts.subscription.then, { price }) : "";
  return fill(text, { plan, then, date: iso ? language.date(iso) : "", ...more });
};

/** Discounts, paused payments and what is scheduled, each in a sentence. */
function describeTerms({ subscription, plan }: BillingInfo, language: Language): string[] {
  const { texts: { subscription: texts }, money, percent } = language;
  const { discounts, pausedCollection, scheduledChange, cancelAt, currency } = subscription!;
  const say = sentenceOf(subscription!, language, plan.name);
  const sentences = discounts.map(({ percentOff, amountOff, currency: of, endsAt }) => {
    const discount = percentOff !== null
      ? percent(percentOff)
      : money(amountOff ?? 0, of ?? currency ?? "usd");
    return say(endsAt ? texts.discountUntil : texts.discount, endsAt, { discount });
  });
  if (pausedCollection) {
    const { resumesAt } = pausedCollection;
    sentences.push(say(resumesAt ? texts.collectionPausedUntil : texts.collectionPaused, resumesAt));
  }
  if (scheduledChange && !cancelAt) {
    const { at, planCode, planName } = scheduledChange;
    const next = planCode !== subscription!.planCode && planName;
    sentences.push(next ? say(texts.changesTo, at, { next }) : say(texts.changes, at));
  }
  return sentences;
}
