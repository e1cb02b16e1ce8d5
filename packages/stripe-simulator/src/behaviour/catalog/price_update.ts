import type { Change } from "../../account/change.ts";
import { isRecurring, planOf, type Price } from "../../objects/price.ts";
import { invalidRequest } from "../../wire/errors.ts";

/**
 * Makes a lookup key available for another price. With `transfer` the price that has the key loses it; otherwise
 * throws a 400.
 */
export function releaseLookupKey(change: Change, key: string, transfer: boolean, owner?: string) {
  const holder = change.account.prices.oldestFirst().find((price) => price.lookup_key === key);
  if (!holder || holder.id === owner) return;
  if (!transfer) {
    const message = `A price (\`${holder.id}\`) already uses that lookup key. ` +
      "Set `transfer_lookup_key` to move it to this price.";
    throw invalidRequest(message, { param: "lookup_key", code: "resource_already_exists" });
  }
  updatePrice(change, holder, { ...holder, lookup_key: null });
}

/** Stores a changed price, also in the subscriptions that contain it, and emits `price.updated`. */
export function updatePrice(change: Change, before: Price, after: Price): Price {
  const { account } = change;
  account.prices.put(after);
  if (isRecurring(after)) {
    for (const subscription of account.subscriptions.oldestFirst()) {
      if (!subscription.items.data.some((item) => item.price.id === after.id)) continue;
      const data = subscription.items.data.map((item) =>
        item.price.id === after.id ? { ...item, price: after, plan: planOf(after) } : item
      );
      account.subscriptions.put({ ...subscription, items: { ...subscription.items, data } });
    }
  }
  change.emit("price.updated", after, before);
  return after;
}
