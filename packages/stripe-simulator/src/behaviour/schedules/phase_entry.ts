import type { Change } from "../../account/change.ts";
import type { InvoiceItem } from "../../objects/invoice_item.ts";
import type { Subscription, SubscriptionItem } from "../../objects/subscription.ts";
import { newId } from "../../objects/ids.ts";
import { nextPhaseOf, type Phase, type PhaseDiscount } from "../../objects/subscription_schedule.ts";
import type { AppliedCoupon } from "../discounts/discount_amounts.ts";
import { appliedCoupons, redeemable } from "../discounts/redemption.ts";
import { changedDiscounts } from "../discounts/subscription_discounts.ts";
import { recurringPriceOf } from "../invoices/invoice_lines.ts";
import { chargeFor, creditFor } from "../invoices/proration.ts";
import { periodAt } from "../subscriptions/billing_periods.ts";
import { type ItemChange, withChangedItems } from "../subscriptions/item_changes.ts";
import { scheduleOf } from "./schedule_end.ts";

/** A subscription at the moment when it enters a phase, before the next periods of its items begin. */
export interface PhaseEntry {
  /** The subscription with the items of the phase. Items whose period is over keep this period. */
  next: Subscription;
  /** The prorations of items whose period goes on. */
  prorations: InvoiceItem[];
}

/** The changes that lead from the items of a subscription to those of a phase. An item keeps its id where it can. */
export function itemChangesTo({ items: { data } }: Subscription, phase: Phase): ItemChange[] {
  const staying = data.filter(({ price }) => phase.items.some((wanted) => wanted.price === price.id));
  const leaving = data.filter((item) => !staying.includes(item));
  const coming = phase.items.filter((wanted) => !staying.some(({ price }) => price.id === wanted.price));
  const replaced = coming.map((wanted, index) => ({ id: leaving.at(index)?.id, wanted }));
  const kept = staying.flatMap(({ id, price, quantity }) => {
    const wanted = phase.items.find((item) => item.price === price.id);
    return wanted?.quantity === quantity ? [] : [{ id, quantity: wanted?.quantity }];
  });
  return [
    ...kept,
    ...replaced.map(({ id, wanted: { price, quantity } }) => ({ id, price, quantity })),
    ...leaving.slice(coming.length).map(({ id }) => ({ id, deleted: true })),
  ];
}

/** The discounts of a phase. Without any, those of the subscription stay. */
export function discountsOf({ discounts }: Phase): PhaseDiscount[] | undefined {
  return discounts.length === 0 ? undefined : discounts;
}

/**
 * Returns the subscription with the fields of a phase that do not concern items and periods. */
export function withPhaseFields(
  subscription: Subscription,
  phase: Phase,
  discounts: string[],
): Subscription {
  return {
    ...subscription,
    discounts,
    default_payment_method: phase.default_payment_method ?? subscription.default_payment_method,
    description: phase.description ?? subscription.description,
    metadata: { ...subscription.metadata, ...phase.metadata },
  };
}

/**
 * The entry into a phase at the end of a period. Items whose period is over change without proration, because they
 * are billed anew. When the interval changes, the new cycle begins with the phase.
 */
export function entryInto(
  change: Change,
  subscription: Subscription,
  phase: Phase,
  discounts = changedDiscounts(change, subscription, discountsOf(phase)),
): PhaseEntry {
  const { now } = change;
  const known = new Set(subscription.items.data.map(({ id }) => id));
  const changed = withChangedItems(
    change,
    withPhaseFields(subscription, phase, discounts),
    itemChangesTo(subscription, phase),
  );
  const isWhole = subscription.items.data.every((item) => item.current_period_end <= now);
  const startsCycle = isWhole && (phase.billing_cycle_anchor === "phase_start" ||
    changed.items.data.some((item) => startOfPeriod(subscription, item, now) !== now));
  const anchored = startsCycle ? { ...changed, billing_cycle_anchor: now } : changed;
  const data = anchored.items.data.map((item) =>
    known.has(item.id) || startOfPeriod(anchored, item, now) !== now
      ? item
      : { ...item, current_period_start: now, current_period_end: now }
  );
  const next = { ...anchored, items: { ...anchored.items, data } };
  return { next, prorations: prorationsOf(change, { before: subscription, next, phase }) };
}

function prorationsOf(
  change: Change,
  { before, next, phase }: { before: Subscription; next: Subscription; phase: Phase },
): InvoiceItem[] {
  if (phase.proration_behavior === "none") return [];
  const running = ({ current_period_end: end }: SubscriptionItem) => end > change.now;
  const isIn = (item: SubscriptionItem, { items }: Subscription) =>
    items.data.some(({ id, price, quantity }) =>
      id === item.id && price.id === item.price.id && quantity === item.quantity
    );
  return [
    ...before.items.data.filter((item) => running(item) && !isIn(item, next))
      .flatMap((item) => creditFor(change, before, item, change.now)),
    ...next.items.data.filter((item) => running(item) && !isIn(item, before))
      .flatMap((item) => chargeFor(change, next, item, change.now)),
  ];
}

function startOfPeriod(
  { billing_cycle_anchor: anchor }: Subscription,
  item: SubscriptionItem,
  now: number,
): number {
  return periodAt(anchor, recurringPriceOf(item).recurring, now).start;
}

/**
 * The entry into the phase that begins at `change.now`, if the subscription's schedule has one, with the coupons that
 * this phase redeems. Nothing is stored.
 */
export function scheduledEntry(
  change: Change,
  subscription: Subscription,
): PhaseEntry & { coupons?: AppliedCoupon[] } | undefined {
  const schedule = scheduleOf(change.account, subscription);
  if (!schedule?.current_phase || schedule.current_phase.end_date > change.now) return;
  const phase = nextPhaseOf(schedule);
  if (!phase) return;
  const { customer, currency } = subscription;
  const coupons = discountsOf(phase)?.flatMap((wanted) => {
    if (wanted.discount) return appliedCoupons(change.account, [wanted.discount]);
    const { coupon } = redeemable(change, wanted, "discounts", { customer, currency, amount: null });
    return [{ coupon, discount: newId("di") }];
  });
  return { ...entryInto(change, subscription, phase, subscription.discounts.map(String)), coupons };
}
