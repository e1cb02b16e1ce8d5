import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import { hasEnded, type Subscription } from "../../objects/subscription.ts";
import { nextPhaseOf, type Phase, type SubscriptionSchedule } from "../../objects/subscription_schedule.ts";
import { changedDiscounts } from "../discounts/subscription_discounts.ts";
import { applyPlanChange, planChange } from "../subscriptions/plan_change.ts";
import { renew } from "../subscriptions/renewal.ts";
import { cancelAsScheduled } from "../subscriptions/subscription_end.ts";
import { updateSubscription } from "../subscriptions/subscription_update.ts";
import { discountsOf, entryInto, itemChangesTo, withPhaseFields } from "./phase_entry.ts";
import { endSchedule, releaseSchedule, scheduleOf } from "./schedule_end.ts";

/** When the current phase of a subscription's schedule ends, in seconds. Null without a schedule. */
export function nextStepAt(account: Account, subscription: Subscription): number | null {
  return scheduleOf(account, subscription)?.current_phase?.end_date ?? null;
}

/** Ends the current phase of a subscription's schedule: enters the next one, or ends the schedule. */
export function takeStep(change: Change, subscription: Subscription) {
  const schedule = scheduleOf(change.account, subscription);
  if (!schedule) return;
  const phase = nextPhaseOf(schedule);
  if (phase) return enterPhase(change, { subscription, schedule, phase });
  if (schedule.end_behavior !== "cancel") {
    releaseSchedule(change, schedule);
    return;
  }
  endSchedule(change, schedule, "completed");
  cancelAsScheduled(change, subscription);
}

interface Entering {
  subscription: Subscription;
  schedule: SubscriptionSchedule;
  phase: Phase;
}

function enterPhase(change: Change, { subscription, schedule, phase }: Entering) {
  const after = change.account.subscriptionSchedules.put({
    ...schedule,
    current_phase: { start_date: phase.start_date, end_date: phase.end_date },
  });
  const isRenewal = subscription.items.data.some((item) => item.current_period_end <= change.now);
  if (isRenewal) renew(change, subscription, entryInto(change, subscription, phase));
  else changeToPhase(change, subscription, phase, phase.proration_behavior);
  change.emit("subscription_schedule.updated", after, schedule);
}

/** Changes a subscription to a phase within its period, prorated as `proration` says. */
export function changeToPhase(
  change: Change,
  subscription: Subscription,
  phase: Phase,
  proration: Phase["proration_behavior"],
) {
  if (hasEnded(subscription)) return;
  const discounts = changedDiscounts(change, subscription, discountsOf(phase));
  const before = updateSubscription(change, subscription, withPhaseFields(subscription, phase, discounts));
  const items = itemChangesTo(before, phase);
  const startsPeriod = phase.billing_cycle_anchor === "phase_start" && phase.start_date === change.now;
  if (items.length === 0 && !startsPeriod) return;
  const behavior = (["always_invoice", "none"] as const).find((known) => known === proration) ??
    "create_prorations";
  const plan = planChange(change, before, { items, proration: behavior, startsPeriod });
  applyPlanChange(change, plan, { behavior: "allow_incomplete", presence: "off_session" });
}
