import type { Change } from "../../account/change.ts";
import { isRecurring, planOf, type Price, type RecurringPrice } from "../../objects/price.ts";
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
  if (isRecurring(after) && isRecurring(before)) {
    change.emit("plan.updated", planOf(after), planOf(before));
  }
  change.emit("price.updated", after, before);
  return after;
}

/** Stores a new price and emits its events. A recurring price is also a plan. */
export function storeNewPrice(change: Change, price: Price): Price {
  change.account.prices.put(price);
  if (isRecurring(price)) change.emit("plan.created", planOf(price));
  change.emit("price.created", price);
  return price;
}

/** Deletes a price. Subscriptions that have it keep it. */
export function deletePrice(change: Change, price: RecurringPrice) {
  change.account.prices.remove(price.id);
  change.emit("plan.deleted", planOf(price));
  change.emit("price.deleted", price);
}
