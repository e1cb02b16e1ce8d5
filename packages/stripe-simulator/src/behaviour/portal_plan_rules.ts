import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import type { PortalConfiguration } from "../objects/billing_portal.ts";
import { isRecurring, type Price, type Recurring } from "../objects/price.ts";
import { hasEnded, isSetToCancel, type Subscription } from "../objects/subscription.ts";
import { newPhase, phaseItemsOf } from "../objects/subscription_schedule.ts";
import { inCurrency } from "./catalog/presentment.ts";
import { priceInAdvance } from "./invoices/invoice_lines.ts";
import { scheduleOf } from "./schedules/schedule_end.ts";
import { scheduleSubscription, updateSchedule } from "./schedules/schedule_requests.ts";
import { addIntervals } from "./subscriptions/billing_periods.ts";

/** The customer's choice. */
export interface PlanChoice {
  price: string;
  quantity?: number;
  /** A promotion code that the customer typed. */
  promotionCode?: string;
}

/**
 * Why a customer cannot change the plan of a subscription in the portal, or null
 * (https://docs.stripe.com/customer-management#customer-portal-limitations).
 */
export function updateRefusal(
  account: Account,
  { features }: PortalConfiguration,
  subscription: Subscription,
): string | null {
  const { items: { data }, status } = subscription;
  if (!features.subscription_update.enabled) {
    return "the subscription update feature in the portal configuration is disabled";
  }
  if (hasEnded(subscription)) return `it is ${status}`;
  if (status === "incomplete" || status === "paused") return `it is ${status}`;
  if (data.length > 1) return "it contains multiple products";
  if (data.some(({ price }) => price.recurring?.usage_type === "metered")) {
    return "it contains usage-based prices";
  }
  if (scheduleOf(account, subscription)) return "it is managed by a subscription schedule";
  if (subscription.pending_update) return "it has a pending update";
  if (isSetToCancel(subscription)) return "it is set to cancel";
  return null;
}

/** True when the configuration says that a change waits for the end of the period (`schedule_at_period_end`). */
export function isDeferred(
  account: Account,
  { features }: PortalConfiguration,
  subscription: Subscription,
  choice: PlanChoice,
): boolean {
  const { conditions } = features.subscription_update.schedule_at_period_end;
  const [item] = subscription.items.data;
  const price = account.prices.get(choice.price);
  const [before, after] = [
    amountOf(account, item.price, item.quantity, subscription.currency),
    amountOf(account, price, choice.quantity ?? item.quantity, subscription.currency),
  ];
  const isShorter = isRecurring(price) && isRecurring(item.price) &&
    lengthOf(price.recurring) < lengthOf(item.price.recurring);
  return conditions.some(({ type }) => type === "shortening_interval" ? isShorter : after < before);
}

/** Plans a change for the end of the period, by a schedule that is released afterwards. */
export function scheduleChoice(change: Change, subscription: Subscription, choice: PlanChoice) {
  const schedule = scheduleSubscription(change, subscription);
  const [current] = schedule.phases;
  const price = change.account.prices.get(choice.price);
  if (!isRecurring(price)) throw new Error(`${price.id} is not recurring`);
  const [item] = phaseItemsOf(subscription.items.data);
  const next = newPhase({
    currency: subscription.currency,
    start: current.end_date,
    end: addIntervals(current.end_date, price.recurring, 1),
    items: [{ ...item, price: price.id, quantity: choice.quantity ?? item.quantity }],
    prorationBehavior: "none",
  });
  updateSchedule(change, schedule, { metadata: {}, phases: [current, next], proration: "none" });
}

function amountOf(account: Account, price: Price, quantity: number | undefined, currency: string): number {
  return priceInAdvance(inCurrency(account, price, currency), quantity ?? 1);
}

function lengthOf(recurring: Recurring): number {
  return addIntervals(0, recurring, 1);
}
