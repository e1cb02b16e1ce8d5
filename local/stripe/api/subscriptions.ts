import { z } from "zod";
import type { Change } from "../account/change.ts";
import {
  cancelingAtPeriodEnd,
  cancelNow,
  continuing,
  updateSubscription,
} from "../behaviour/cancellation.ts";
import { withChangedItems } from "../behaviour/items.ts";
import { currentPeriodEnd, hasEnded, type Subscription } from "../objects/subscription.ts";
import { endpoint } from "../protocol/endpoint.ts";
import { invalidRequest, noSuch } from "../protocol/errors.ts";
import { mergeMetadata } from "../protocol/metadata.ts";
import { paginate, passes } from "../protocol/pagination.ts";
import {
  boolean,
  clearable,
  integer,
  list,
  metadata,
  oneOf,
  pagination,
  text,
  timeFilter,
  timestamp,
} from "../protocol/params.ts";

const feedback = z.strictObject({
  comment: clearable(text()).optional(),
  feedback: clearable(text()).optional(),
});

const statusFilter = oneOf(
  "active",
  "all",
  "canceled",
  "ended",
  "incomplete",
  "incomplete_expired",
  "past_due",
  "paused",
  "trialing",
  "unpaid",
);

const itemChange = { price: text().optional(), quantity: integer({ min: 0 }).optional() };
const proration_behavior = oneOf("create_prorations", "none").optional();

const updateParams = {
  cancel_at: clearable(z.union([timestamp(), oneOf("min_period_end", "max_period_end")])).optional(),
  cancel_at_period_end: boolean().optional(),
  cancellation_details: feedback.optional(),
  default_payment_method: clearable(text()).optional(),
  description: clearable(text(500)).optional(),
  items: list(z.strictObject({ id: text(), ...itemChange })).optional(),
  metadata: metadata().optional(),
  proration_behavior,
};
type UpdateParams = z.output<z.ZodObject<typeof updateParams>>;

export const subscriptionEndpoints = [
  endpoint("GET /v1/subscriptions", {
    ...pagination,
    created: timeFilter().optional(),
    current_period_end: timeFilter().optional(),
    customer: text().optional(),
    price: text().optional(),
    status: statusFilter.optional(),
  }, ({ account, params }) => {
    const found = account.subscriptions.newestFirst().filter((subscription) =>
      (params.customer === undefined || subscription.customer === params.customer) &&
      (params.price === undefined ||
        subscription.items.data.some((item) => item.price.id === params.price)) &&
      hasStatus(subscription, params.status) &&
      passes(subscription.created, params.created) &&
      passes(earliestPeriodEnd(subscription), params.current_period_end)
    );
    return paginate(found, params, "/v1/subscriptions");
  }),

  endpoint("GET /v1/subscriptions/:id", {}, ({ account, id }) => account.subscriptions.get(id)),

  endpoint("POST /v1/subscriptions/:id", updateParams, ({ account, change, params, id }) => {
    const before = account.subscriptions.get(id);
    rejectIfEnded(before, params);
    if (params.default_payment_method) {
      account.paymentMethods.getReferenced(params.default_payment_method, "default_payment_method");
    }
    const canceling = withFeedback(withSchedule(change, before, params), params);
    const changed = params.items ? withChangedItems(change, canceling, params.items) : canceling;
    const { default_payment_method = before.default_payment_method, description = before.description } =
      params;
    const metadata = mergeMetadata(before.metadata, params.metadata);
    return updateSubscription(change, before, { ...changed, default_payment_method, description, metadata });
  }),

  endpoint("DELETE /v1/subscriptions/:id", {
    cancellation_details: feedback.optional(),
    invoice_now: oneOf("false").optional(),
    prorate: oneOf("false").optional(),
  }, ({ account, change, params, id }) => {
    const subscription = account.subscriptions.get(id);
    if (hasEnded(subscription)) throw noSuch("subscription", id, "path");
    return cancelNow(change, subscription, params.cancellation_details);
  }),

  endpoint("GET /v1/subscription_items", { ...pagination, subscription: text() }, ({ account, params }) => {
    const { items } = account.subscriptions.getReferenced(params.subscription, "subscription");
    return paginate(items.data, params, "/v1/subscription_items");
  }),

  endpoint("GET /v1/subscription_items/:id", {}, ({ account, id }) => {
    const item = account.subscriptions.oldestFirst().flatMap((subscription) => subscription.items.data)
      .find((item) => item.id === id);
    if (!item) throw noSuch("subscription_item", id, "path");
    return item;
  }),
];

/** Without a filter, and with none of its own, a list leaves the canceled ones out. */
function hasStatus(subscription: Subscription, wanted: z.output<typeof statusFilter> | undefined): boolean {
  if (wanted === undefined) return subscription.status !== "canceled";
  if (wanted === "all") return true;
  return wanted === "ended" ? hasEnded(subscription) : subscription.status === wanted;
}

function rejectIfEnded(subscription: Subscription, params: UpdateParams) {
  if (!hasEnded(subscription)) return;
  const editable = new Set(["cancellation_details", "metadata"]);
  if (Object.keys(params).every((name) => editable.has(name))) return;
  throw invalidRequest("A canceled subscription can only update its cancellation_details and metadata.", {
    code: "invalid_canceled_subscription_fields",
  });
}

/** The subscription with its end scheduled, or no longer, as the parameters say. */
function withSchedule(change: Change, subscription: Subscription, params: UpdateParams): Subscription {
  const { cancel_at: at, cancel_at_period_end: atPeriodEnd } = params;
  if (at !== undefined && atPeriodEnd === true) {
    throw invalidRequest("You may only specify one of these parameters: cancel_at, cancel_at_period_end.");
  }
  if (at === null || atPeriodEnd === false) return continuing(subscription);
  if (atPeriodEnd === undefined && at === undefined) return subscription;
  return {
    ...cancelingAtPeriodEnd(change, subscription),
    cancel_at: at === undefined ? earliestPeriodEnd(subscription) : moment(subscription, at, change.now),
    cancel_at_period_end: atPeriodEnd === true,
  };
}

function withFeedback(subscription: Subscription, params: UpdateParams): Subscription {
  const { cancellation_details: details } = subscription;
  if (!params.cancellation_details || !details) return subscription;
  return { ...subscription, cancellation_details: { ...details, ...params.cancellation_details } };
}

/** The helpers become a fixed moment at once and do not follow later changes of the period. */
function moment(
  subscription: Subscription,
  at: number | "min_period_end" | "max_period_end",
  now: number,
): number {
  if (at === "min_period_end") return earliestPeriodEnd(subscription);
  if (at === "max_period_end") return currentPeriodEnd(subscription);
  if (at > now) return at;
  throw invalidRequest("`cancel_at` must be a timestamp in the future.", { param: "cancel_at" });
}

function earliestPeriodEnd(subscription: Subscription): number {
  return Math.min(...subscription.items.data.map((item) => item.current_period_end));
}
