import { z } from "zod";
import { hashOf, idOf, IncompleteObjectError, listOf, type ObjectReading, time } from "./stripe_fields.ts";

/** Stripe's subscriptions, read whole: every item, and all that the customer, the page or the operator need to know. */

const priceSchema = z.object({
  id: z.string(),
  product: idOf,
  currency: z.string(),
  unit_amount: z.number().nullable(),
  unit_amount_decimal: z.string().nullable(),
  recurring: z.object({ interval: z.string(), interval_count: z.number().int(), usage_type: z.string() })
    .nullable(),
});

const itemSchema = z.object({
  id: z.string(),
  current_period_start: time,
  current_period_end: time,
  quantity: z.number().int().optional(), // a metered item has none
  price: priceSchema,
});

const couponSchema = z.object({
  name: z.string().nullable(),
  percent_off: z.number().nullable(),
  amount_off: z.number().int().nullable(),
  currency: z.string().nullable(),
});

const discountSchema = z.object({
  end: time.nullable(),
  source: z.object({ coupon: couponSchema.nullable() }),
});

const scheduleSchema = z.object({
  id: z.string(),
  status: z.string(),
  end_behavior: z.string(),
  phases: z.array(z.object({
    start_date: z.number(),
    end_date: z.number(),
    items: z.array(z.object({ price: idOf, quantity: z.number().int().optional() })),
  })),
  current_phase: z.object({ start_date: z.number(), end_date: z.number() }).nullable(),
});

const pendingUpdateSchema = z.object({
  expires_at: time,
  subscription_items: z.array(
    z.object({ price: z.object({ id: z.string() }), quantity: z.number().optional() }),
  )
    .nullable(),
});

/** The fields in use (https://docs.stripe.com/api/subscriptions/object). */
const subscriptionSchema = z.object({
  id: z.string(),
  customer: idOf,
  status: z.string(),
  currency: z.string(),
  start_date: time,
  trial_start: time.nullable(),
  trial_end: time.nullable(),
  cancel_at: time.nullable(),
  cancel_at_period_end: z.boolean(),
  canceled_at: time.nullable(),
  ended_at: time.nullable(),
  cancellation_details: z.object({
    reason: z.string().nullable(),
    feedback: z.string().nullable(),
    comment: z.string().nullable(),
  }).nullable(),
  collection_method: z.string(),
  pause_collection: z.object({ behavior: z.string(), resumes_at: time.nullable() }).nullable(),
  pending_update: pendingUpdateSchema.nullable(),
  latest_invoice: idOf.nullable(),
  discounts: z.array(z.union([z.string(), discountSchema])),
  schedule: z.union([z.string(), scheduleSchema]).nullable(),
  items: listOf(itemSchema),
});

/** A subscription as the database stores it, with the column names of table `subscriptions`. */
export type SubscriptionState = {
  id: string;
  status: string;
  items: SubscriptionItemState[];
  price_ids: string[];
  currency: string;
  current_period_start: string | null;
  current_period_end: string | null;
  trial_start: string | null;
  trial_end: string | null;
  cancel_at: string | null;
  canceled_at: string | null;
  ended_at: string | null;
  cancellation_reason: string | null;
  cancellation_feedback: string | null;
  cancellation_comment: string | null;
  collection_method: string;
  pause_collection: { behavior: string; resumes_at: string | null } | null;
  schedule: { id: string; next_phase: { starts_at: string; items: PricedItem[] } | null } | null;
  pending_update: { expires_at: string; items: PricedItem[] } | null;
  discounts: DiscountState[];
  latest_invoice_id: string | null;
  started_at: string;
};

/** `unit_amount` is in the smallest unit of the currency and may have decimals; null for a tiered price. */
export type SubscriptionItemState = {
  id: string;
  price_id: string;
  product_id: string;
  quantity: number | null;
  unit_amount: number | null;
  currency: string;
  interval: string | null;
  interval_count: number | null;
  usage_type: string | null;
  current_period_start: string;
  current_period_end: string;
};

type PricedItem = { price_id: string; quantity: number | null };

type DiscountState = {
  name: string | null;
  percent_off: number | null;
  amount_off: number | null;
  currency: string | null;
  ends_at: string | null;
};

/**
 * Reads a subscription, from an event or from Stripe's API.
 *
 * Throws `z.ZodError` when it is of another shape, and `IncompleteObjectError` when it has more items than are listed, or
 * discounts or a schedule of which only ids are given.
 */
export function readSubscription(object: unknown): ObjectReading<SubscriptionState> {
  const subscription = subscriptionSchema.parse(object);
  if (subscription.items.has_more) throw new IncompleteObjectError("it has more items than it lists");
  const items = subscription.items.data.map(itemState);
  // Of items that are billed at different intervals the earliest period ends with the next renewal.
  const periods = items.map(({ current_period_end }) => current_period_end).sort();
  const starts = items.map(({ current_period_start }) => current_period_start).sort();
  const schedule = scheduleState(subscription.schedule);
  const { cancellation_details: cancellation, pending_update: pending } = subscription;
  const state: SubscriptionState = {
    id: subscription.id,
    status: subscription.status,
    items,
    price_ids: [...new Set(items.map(({ price_id }) => price_id))],
    currency: subscription.currency,
    current_period_start: starts.at(-1) ?? null,
    current_period_end: periods[0] ?? null,
    trial_start: subscription.trial_start,
    trial_end: subscription.trial_end,
    cancel_at: subscription.cancel_at ??
      (subscription.cancel_at_period_end ? periods[0] ?? null : schedule.endsAt),
    canceled_at: subscription.canceled_at,
    ended_at: subscription.ended_at,
    cancellation_reason: cancellation?.reason ?? null,
    cancellation_feedback: cancellation?.feedback ?? null,
    cancellation_comment: cancellation?.comment ?? null,
    collection_method: subscription.collection_method,
    pause_collection: subscription.pause_collection,
    schedule: schedule.state,
    pending_update: pending && {
      expires_at: pending.expires_at,
      items: (pending.subscription_items ?? []).map(({ price, quantity }) => pricedItem(price.id, quantity)),
    },
    discounts: subscription.discounts.map(discountState),
    latest_invoice_id: subscription.latest_invoice,
    started_at: subscription.start_date,
  };
  return { customerId: subscription.customer, state, hash: hashOf(state) };
}

function itemState(
  { id, quantity, price, current_period_start, current_period_end }: z.output<typeof itemSchema>,
): SubscriptionItemState {
  const decimal = price.unit_amount_decimal === null ? null : Number(price.unit_amount_decimal);
  return {
    id,
    price_id: price.id,
    product_id: price.product,
    quantity: quantity ?? null,
    unit_amount: price.unit_amount ?? decimal,
    currency: price.currency,
    interval: price.recurring?.interval ?? null,
    interval_count: price.recurring?.interval_count ?? null,
    usage_type: price.recurring?.usage_type ?? null,
    current_period_start,
    current_period_end,
  };
}

const pricedItem = (price_id: string, quantity: number | undefined): PricedItem => ({
  price_id,
  quantity: quantity ?? null,
});

function discountState(discount: string | z.output<typeof discountSchema>): DiscountState {
  if (typeof discount === "string") {
    throw new IncompleteObjectError("only the ids of its discounts are given");
  }
  const { coupon } = discount.source;
  return {
    name: coupon?.name ?? null,
    percent_off: coupon?.percent_off ?? null,
    amount_off: coupon?.amount_off ?? null,
    currency: coupon?.currency ?? null,
    ends_at: discount.end,
  };
}

/** The phase after the current one. After the last phase the subscription ends, or goes on without the schedule. */
function scheduleState(schedule: z.output<typeof subscriptionSchema>["schedule"]) {
  if (schedule === null) return { state: null, endsAt: null };
  if (typeof schedule === "string") throw new IncompleteObjectError("only the id of its schedule is given");
  const { id, phases, current_phase: current, end_behavior, status } = schedule;
  const isRunning = status === "active" || status === "not_started";
  const next = isRunning
    ? phases.find(({ start_date }) => start_date >= (current?.end_date ?? 0))
    : undefined;
  return {
    state: {
      id,
      next_phase: next
        ? {
          starts_at: time.parse(next.start_date),
          items: next.items.map(({ price, quantity }) => pricedItem(price, quantity)),
        }
        : null,
    },
    endsAt: isRunning && end_behavior === "cancel" && phases.length > 0
      ? time.parse(phases.at(-1)!.end_date)
      : null,
  };
}
