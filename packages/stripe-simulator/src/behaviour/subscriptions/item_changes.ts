import type Stripe from "stripe";
import type { Change } from "../../account/change.ts";
import { isRecurring, planOf, type RecurringPrice } from "../../objects/price.ts";
import { newSubscriptionItem, type Subscription, type SubscriptionItem } from "../../objects/subscription.ts";
import { invalidRequest, noSuch } from "../../wire/errors.ts";
import { mergeMetadata, type MetadataChange } from "../../wire/metadata.ts";
import { rejectInactiveProduct } from "../catalog/order_items.ts";
import { hasCurrency } from "../catalog/presentment.ts";
import { periodAt } from "./billing_periods.ts";

/** A change of an item: another price, another quantity, or its deletion. Without an id it is a new item. */
export interface ItemChange {
  id?: string;
  price?: string;
  quantity?: number;
  deleted?: boolean;
  metadata?: MetadataChange;
}

/**
 * Returns the subscription with changed items in their current periods. A new price resets the quantity to 1. Throws
 * Stripe's 400s.
 */
export function withChangedItems(
  change: Change,
  subscription: Subscription,
  changes: ItemChange[],
): Subscription {
  const data = changes.reduce(
    (items, wanted, index) =>
      applyChange(
        change,
        { ...subscription, items: { ...subscription.items, data: items } },
        wanted,
        `items[${index}]`,
      ),
    subscription.items.data,
  );
  if (data.length === 0) {
    throw invalidRequest("A subscription must have at least one active plan.", { param: "items" });
  }
  const prices = new Set(data.map((item) => item.price.id));
  if (prices.size < data.length) {
    throw invalidRequest("You cannot add multiple subscription items with the same plan.", {
      param: "items",
    });
  }
  return { ...subscription, items: { ...subscription.items, data } };
}

function applyChange(
  change: Change,
  subscription: Subscription,
  wanted: ItemChange,
  param: string,
): SubscriptionItem[] {
  const items = subscription.items.data;
  if (wanted.id === undefined) return [...items, newItem(change, subscription, wanted, param)];
  if (!items.some((item) => item.id === wanted.id)) {
    throw noSuch("subscription item", wanted.id, { param: `${param}[id]` });
  }
  if (wanted.deleted) return items.filter((item) => item.id !== wanted.id);
  return items.map((item) =>
    item.id === wanted.id ? changeItem(change, subscription.currency, item, { wanted, param }) : item
  );
}

function newItem(
  change: Change,
  subscription: Subscription,
  wanted: ItemChange,
  param: string,
): SubscriptionItem {
  const price = usablePrice(change, subscription.currency, wanted.price ?? "", `${param}[price]`);
  const isMetered = price.recurring.usage_type === "metered";
  rejectMeteredQuantity(isMetered, wanted, param);
  const aligned = periodAt(subscription.billing_cycle_anchor, price.recurring, change.now);
  const end = subscription.status === "trialing" ? subscription.trial_end ?? aligned.end : aligned.end;
  return newSubscriptionItem(change.now, {
    subscription: subscription.id,
    price,
    quantity: isMetered ? undefined : wanted.quantity ?? 1,
    period: { start: change.now, end },
    metadata: mergeMetadata({}, wanted.metadata),
  });
}

function changeItem(
  change: Change,
  currency: string,
  item: SubscriptionItem,
  { wanted, param }: { wanted: ItemChange; param: string },
): SubscriptionItem {
  const price = wanted.price === undefined || wanted.price === item.price.id
    ? undefined
    : usablePrice(change, currency, wanted.price, `${param}[price]`);
  const isMetered = (price ?? item.price).recurring?.usage_type === "metered";
  rejectMeteredQuantity(isMetered, wanted, param);
  const { quantity: before, ...rest } = item;
  const quantity = wanted.quantity ?? (price ? 1 : before);
  const metadata: Stripe.Metadata = mergeMetadata(item.metadata, wanted.metadata);
  return {
    ...rest,
    metadata,
    ...(price ? { price, plan: planOf(price) } : {}),
    ...(isMetered || quantity === undefined ? {} : { quantity }),
  };
}

function rejectMeteredQuantity(isMetered: boolean, wanted: ItemChange, param: string) {
  if (!isMetered || wanted.quantity === undefined) return;
  throw invalidRequest("Metered items have no quantity.", { param: `${param}[quantity]` });
}

function usablePrice(change: Change, currency: string, id: string, param: string): RecurringPrice {
  const price = change.account.prices.getReferenced(id, param);
  if (!price.active) throw invalidRequest("The price specified is inactive.", { param });
  rejectInactiveProduct(change.account, price, param);
  if (!isRecurring(price)) throw invalidRequest("The price specified is not recurring.", { param });
  if (!hasCurrency(change.account, price, currency)) {
    throw invalidRequest(`The price specified must be in ${currency}, like the subscription.`, { param });
  }
  return price;
}
