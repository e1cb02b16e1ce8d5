import type { Account } from "../../account/account.ts";
import type { Change } from "../../account/change.ts";
import type { Subscription } from "../../objects/subscription.ts";
import type { SubscriptionSchedule } from "../../objects/subscription_schedule.ts";

/** The active schedule of a subscription. */
export function scheduleOf(account: Account, subscription: Subscription): SubscriptionSchedule | undefined {
  const schedule = account.subscriptionSchedules.find(subscription.schedule ?? "");
  return schedule?.status === "active" ? schedule : undefined;
}

/** Ends a schedule because its subscription was canceled, or ended as the schedule said. */
export function endSchedule(
  change: Change,
  schedule: SubscriptionSchedule,
  status: "canceled" | "completed",
): SubscriptionSchedule {
  const ended = change.account.subscriptionSchedules.put({
    ...schedule,
    [status === "canceled" ? "canceled_at" : "completed_at"]: change.now,
    current_phase: null,
    status,
  });
  change.emit(`subscription_schedule.${status}`, ended);
  return ended;
}

/** Detaches a schedule from its subscription, which stays as it is. */
export function releaseSchedule(change: Change, schedule: SubscriptionSchedule): SubscriptionSchedule {
  const { account, now } = change;
  const released = account.subscriptionSchedules.put({
    ...schedule,
    current_phase: null,
    released_at: now,
    released_subscription: schedule.subscription,
    status: "released",
    subscription: null,
  });
  change.emit("subscription_schedule.released", released);
  const before = account.subscriptions.get(schedule.subscription ?? "");
  const after = account.subscriptions.put({ ...before, schedule: null });
  change.emit("customer.subscription.updated", after, before);
  return released;
}
