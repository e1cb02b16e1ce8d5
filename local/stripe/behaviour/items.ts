import type { Change } from "../account/change.ts";
import { isRecurring, planOf, type RecurringPrice } from "../objects/price.ts";
import type { Subscription, SubscriptionItem } from "../objects/subscription.ts";
import { invalidRequest, noSuch } from "../protocol/errors.ts";

/** What an item becomes: another price, another quantity, or both. */
export interface ItemChange {
  id: string;
  price?: string;
  quantity?: number;
}

/**
 * The subscription with changed items. The period stays as it is, and nothing is prorated: a price with another
 * interval, which would start a new period, is refused. A new price resets the quantity to one unless it is sent.
 */
export function withChangedItems(
  change: Change,
  subscription: Subscription,
  changes: ItemChange[],
): Subscription {
  const items = changes.reduce((items, itemChange, index) => {
    const param = `items[${index}]`;
    if (!items.some((item) => item.id === itemChange.id)) {
      throw noSuch("subscription item", itemChange.id, { param: `${param}[id]` });
    }
    return items.map((item) =>
      item.id === itemChange.id ? changeItem(change, item, itemChange, param) : item
    );
  }, subscription.items.data);
  return { ...subscription, items: { ...subscription.items, data: items } };
}

function changeItem(
  change: Change,
  item: SubscriptionItem,
  wanted: ItemChange,
  param: string,
): SubscriptionItem {
  const price = wanted.price === undefined
    ? undefined
    : newPriceFor(change, item, wanted.price, `${param}[price]`);
  const isMetered = (price ?? item.price).recurring?.usage_type === "metered";
  if (isMetered && wanted.quantity !== undefined) {
    throw invalidRequest("Metered items have no quantity.", { param: `${param}[quantity]` });
  }
  const { quantity: before, ...rest } = item;
  const quantity = wanted.quantity ?? (price ? 1 : before);
  return {
    ...rest,
    ...(price ? { price, plan: planOf(price) } : {}),
    ...(isMetered || quantity === undefined ? {} : { quantity }),
  };
}

function newPriceFor(change: Change, item: SubscriptionItem, id: string, param: string): RecurringPrice {
  const price = change.account.prices.getReferenced(id, param);
  if (!price.active) throw invalidRequest("The price specified is inactive.", { param });
  if (!isRecurring(price)) throw invalidRequest("The price specified is not recurring.", { param });
  const { interval, interval_count } = item.plan;
  if (price.recurring.interval !== interval || price.recurring.interval_count !== interval_count) {
    throw invalidRequest("The Stripe simulator does not simulate a change of the billing interval.", {
      param,
    });
  }
  return price;
}
