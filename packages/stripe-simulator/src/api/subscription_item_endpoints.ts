import { z } from "zod";
import type { Account } from "../account/account.ts";
import type { Change } from "../account/change.ts";
import { followSubscription } from "../behaviour/schedules/schedule_requests.ts";
import type { ItemChange } from "../behaviour/subscriptions/item_changes.ts";
import { applyPlanChange, planChange } from "../behaviour/subscriptions/plan_change.ts";
import { hasEnded, type Subscription, type SubscriptionItem } from "../objects/subscription.ts";
import { invalidRequest, noSuch } from "../wire/errors.ts";
import { paginate } from "../wire/pagination.ts";
import { boolean, integer, metadata, pagination, text, timestamp } from "../wire/params.ts";
import { endpoint } from "./endpoint.ts";
import { paymentBehavior, prorationBehavior } from "./subscription_params.ts";

const path = "/v1/subscription_items";

const terms = {
  off_session: boolean().default(false),
  payment_behavior: paymentBehavior.default("allow_incomplete"),
  proration_behavior: prorationBehavior.default("create_prorations"),
  proration_date: timestamp().optional(),
};
type Terms = z.output<z.ZodObject<typeof terms>>;

const fields = { metadata: metadata().optional(), quantity: integer({ min: 0 }).optional() };

export const subscriptionItemEndpoints = [
  endpoint(`POST ${path}`, { ...terms, ...fields, price: text(), subscription: text() }, (call) => {
    const { account, change, params } = call;
    const { metadata, price, quantity } = params;
    const before = account.subscriptions.getReferenced(params.subscription, "subscription");
    const after = changeItem(change, before, { metadata, price, quantity }, params);
    return added(before, after);
  }),

  endpoint(`GET ${path}`, { ...pagination, subscription: text() }, ({ account, params }) => {
    const { items } = account.subscriptions.getReferenced(params.subscription, "subscription");
    return paginate(items.data, params, path);
  }),

  endpoint(`GET ${path}/:id`, {}, ({ account, id }) => itemOf(ownerOf(account, id), id)),

  endpoint(`POST ${path}/:id`, { ...terms, ...fields, price: text().optional() }, (call) => {
    const { account, change, params, id } = call;
    const { metadata, price, quantity } = params;
    return itemOf(changeItem(change, ownerOf(account, id), { id, metadata, price, quantity }, params), id);
  }),

  endpoint(`DELETE ${path}/:id`, terms, ({ account, change, params, id }) => {
    changeItem(change, ownerOf(account, id), { id, deleted: true }, params);
    return { id, object: "subscription_item", deleted: true };
  }),
];

function changeItem(
  cause: Change,
  subscription: Subscription,
  item: ItemChange,
  params: Terms,
): Subscription {
  if (hasEnded(subscription)) {
    throw invalidRequest("The items of a subscription that has ended cannot be changed.");
  }
  const change = cause.of(subscription);
  const plan = planChange(change, subscription, {
    items: [item],
    proration: params.proration_behavior,
    prorationDate: params.proration_date,
    startsPeriod: false,
  });
  const updated = applyPlanChange(change, plan, {
    behavior: params.payment_behavior,
    presence: params.off_session ? "off_session" : "on_session",
  });
  return followSubscription(change, updated);
}

function ownerOf(account: Account, id: string): Subscription {
  const owner = account.subscriptions.oldestFirst().find(({ items }) =>
    items.data.some((item) => item.id === id)
  );
  if (!owner) throw noSuch("subscription_item", id, "path");
  return owner;
}

function itemOf({ items }: Subscription, id: string): SubscriptionItem {
  const item = items.data.find((item) => item.id === id);
  if (!item) throw noSuch("subscription_item", id, "path");
  return item;
}

/** The added item, also when its payment is pending. */
function added(before: Subscription, after: Subscription): SubscriptionItem {
  const known = new Set(before.items.data.map(({ id }) => id));
  const items = [...after.items.data, ...after.pending_update?.subscription_items ?? []];
  const item = items.find(({ id }) => !known.has(id));
  if (!item) throw new Error(`${after.id} has no new item`);
  return item;
}
