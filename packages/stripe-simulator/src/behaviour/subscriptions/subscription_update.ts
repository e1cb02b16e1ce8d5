import type { Change } from "../../account/change.ts";
import { previousAttributes } from "../../objects/event.ts";
import type { Subscription } from "../../objects/subscription.ts";

/** Stores a changed subscription and emits `customer.subscription.updated`. Does nothing when nothing differs. */
export function updateSubscription(change: Change, before: Subscription, after: Subscription): Subscription {
  if (Object.keys(previousAttributes(before, after)).length === 0) return before;
  change.account.subscriptions.put(after);
  change.emit("customer.subscription.updated", after, before);
  return after;
}
