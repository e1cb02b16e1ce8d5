import type { Change } from "../../account/change.ts";
import { hasEnded, type Subscription } from "../../objects/subscription.ts";
import {
  currentPhaseOf,
  newPhase,
  newScheduleFor,
  type Phase,
  phaseItemsOf,
  type SubscriptionSchedule,
} from "../../objects/subscription_schedule.ts";
import { invalidRequest } from "../../wire/errors.ts";
import { updateSubscription } from "../subscriptions/subscription_update.ts";
import { scheduleOf } from "./schedule_end.ts";
import { changeToPhase, takeStep } from "./schedule_steps.ts";

/** Creates the schedule of an existing subscription. Throws a 400 when it has one or has ended. */
export function scheduleSubscription(change: Change, subscription: Subscription): SubscriptionSchedule {
  const { account } = change;
  const param = "from_subscription";
  if (subscription.schedule) {
    const message = "You cannot migrate a subscription that is already attached to a schedule: " +
      `\`${subscription.schedule}\`.`;
    throw invalidRequest(message, { param });
  }
  if (hasEnded(subscription) || subscription.status === "incomplete") {
    throw invalidRequest(`You cannot migrate a subscription that is ${subscription.status}.`, { param });
  }
  const { items: { data } } = subscription;
  const schedule = account.subscriptionSchedules.put(newScheduleFor(
    change.now,
    subscription,
    newPhase({
      currency: subscription.currency,
      start: Math.min(...data.map((item) => item.current_period_start)),
      end: subscription.cancel_at ?? Math.max(...data.map((item) => item.current_period_end)),
      items: phaseItemsOf(data),
      metadata: subscription.metadata,
      trialEnd: subscription.status === "trialing" ? subscription.trial_end : null,
    }),
  ));
  change.emit("subscription_schedule.created", schedule);
  updateSubscription(change, subscription, {
    ...subscription,
    cancel_at: null,
    cancel_at_period_end: false,
    schedule: schedule.id,
  });
  return schedule;
}

/** The fields of a schedule that a request changes. */
export interface ScheduleChange {
  end_behavior?: SubscriptionSchedule["end_behavior"];
  metadata: SubscriptionSchedule["metadata"];
  phases?: Phase[];
  /** How a change of the current phase is prorated. */
  proration: Phase["proration_behavior"];
}

/**
 * Changes a schedule. When the current phase has other items than before, the subscription changes immediately. A
 * current phase that ends now is left.
 */
export function updateSchedule(
  change: Change,
  before: SubscriptionSchedule,
  wanted: ScheduleChange,
): SubscriptionSchedule {
  const { account } = change;
  const phases = wanted.phases ?? before.phases;
  const current = phases.find(({ start_date: start }) => start === before.current_phase?.start_date);
  const after = account.subscriptionSchedules.put({
    ...before,
    current_phase: current
      ? { start_date: current.start_date, end_date: current.end_date }
      : before.current_phase,
    end_behavior: wanted.end_behavior ?? before.end_behavior,
    metadata: wanted.metadata,
    phases,
  });
  change.emit("subscription_schedule.updated", after, before);
  const id = String(after.subscription);
  const isChanged = current && JSON.stringify(current) !== JSON.stringify(currentPhaseOf(before));
  if (isChanged) changeToPhase(change, account.subscriptions.get(id), current, wanted.proration);
  // Storing the subscription schedules its next step anew.
  account.subscriptions.put(account.subscriptions.get(id));
  if (current && current.end_date <= change.now) takeStep(change, account.subscriptions.get(id));
  return account.subscriptionSchedules.get(after.id);
}

/** Copies the items of a subscription that was changed directly into the current phase of its schedule. */
export function followSubscription(change: Change, subscription: Subscription): Subscription {
  const schedule = scheduleOf(change.account, subscription);
  const current = schedule && currentPhaseOf(schedule);
  if (!current) return subscription;
  const { items } = newPhase({
    currency: current.currency,
    start: current.start_date,
    end: current.end_date,
    items: phaseItemsOf(subscription.items.data),
  });
  if (JSON.stringify(items) === JSON.stringify(current.items)) return subscription;
  const phases = schedule.phases.map((phase) => phase === current ? { ...phase, items } : phase);
  const after = change.account.subscriptionSchedules.put({ ...schedule, phases });
  change.emit("subscription_schedule.updated", after, schedule);
  return subscription;
}
