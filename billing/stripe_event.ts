import { z } from "zod";

/**
 * What a Stripe event means to Dues: a pure mapping from what Stripe sends to what the database stores. Only the fields
 * in use are read, so that new ones and new event types pass.
 */

/** Stripe gives an id, or the whole object where it was expanded. */
const idOf = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

/** Stripe's times are unix seconds (https://docs.stripe.com/api); the database takes ISO 8601. */
const time = z.number().int().transform((seconds) => new Date(seconds * 1000).toISOString());
const maybeTime = time.nullish().transform((value) => value ?? null);

const itemSchema = z.object({
  id: z.string(),
  current_period_start: time,
  current_period_end: time,
  price: z.object({
    id: z.string(),
    recurring: z.object({ usage_type: z.string() }).nullish(),
  }),
});

/** A subscription as Stripe describes it (https://docs.stripe.com/api/subscriptions/object). */
const subscriptionSchema = z.object({
  id: z.string(),
  customer: idOf,
  status: z.string(),
  start_date: time,
  trial_end: maybeTime,
  cancel_at: maybeTime,
  cancel_at_period_end: z.boolean(),
  canceled_at: maybeTime,
  ended_at: maybeTime,
  items: z.object({ data: z.array(itemSchema).min(1) }),
});

/** A subscription as the database keeps it; the names are those of table `subscriptions`. */
export type SubscriptionState = {
  id: string;
  stripe_price_id: string;
  status: string;
  current_period_start: string;
  current_period_end: string;
  trial_end: string | null;
  cancel_at: string | null;
  canceled_at: string | null;
  ended_at: string | null;
  payment_issue: string | null;
  metered_item_id: string | null;
  started_at: string;
};

/** Reads a subscription, from an event or from Stripe's API. Throws `z.ZodError` when it is not one. */
export function readSubscription(object: unknown): { customerId: string; state: SubscriptionState } {
  const subscription = subscriptionSchema.parse(object);
  const items = subscription.items.data;
  const metered = items.find(isMetered);
  const main = items.find((item) => !isMetered(item)) ?? items[0];
  const periodEnd = items.map((item) => item.current_period_end).sort()[0];
  return {
    customerId: subscription.customer,
    state: {
      id: subscription.id,
      stripe_price_id: main.price.id,
      status: subscription.status,
      current_period_start: main.current_period_start,
      // Items billed at different intervals end their periods apart; the first end is the next renewal.
      current_period_end: periodEnd,
      trial_end: subscription.trial_end,
      // A scheduled cancellation is said in one of two ways, depending on the billing mode.
      cancel_at: subscription.cancel_at ?? (subscription.cancel_at_period_end ? periodEnd : null),
      canceled_at: subscription.canceled_at,
      ended_at: subscription.ended_at,
      payment_issue: paymentIssues[subscription.status] ?? null,
      metered_item_id: metered?.id ?? null,
      started_at: subscription.start_date,
    },
  };
}

const isMetered = (item: z.output<typeof itemSchema>) => item.price.recurring?.usage_type === "metered";

/** The statuses that mean somebody has to do something about a payment (https://docs.stripe.com/billing/subscriptions/overview). */
const paymentIssues: Record<string, string> = {
  past_due: "payment_failed",
  unpaid: "payment_failed",
  incomplete: "first_payment_incomplete",
};

/** What the database is asked to do about an event; null = only record it. */
export type Change =
  | { kind: "subscription"; subscription: SubscriptionState }
  | { kind: "checkout"; community_id: string }
  | { kind: "unreadable"; reason: string }
  | null;

/** What the ledger notes of an event. */
export type EventRecord = {
  id: string;
  type: string;
  /** Unix seconds. */
  created: number;
  livemode: boolean;
  api_version: string | null;
  customer_id: string | null;
  object_id: string | null;
};

const eventSchema = z.object({
  id: z.string().min(1),
  type: z.string().min(1),
  created: z.number().int().nonnegative(),
  livemode: z.boolean(),
  api_version: z.string().nullish().transform((value) => value ?? null),
  data: z.object({ object: z.looseObject({ object: z.string().optional(), id: z.string().optional() }) }),
});

const checkoutSchema = z.object({
  customer: idOf,
  client_reference_id: z.string(),
  metadata: z.object({ community_id: z.string() }),
});

const subscriptionEvents = [
  "customer.subscription.created",
  "customer.subscription.updated",
  "customer.subscription.deleted",
  "customer.subscription.paused",
  "customer.subscription.resumed",
  "customer.subscription.trial_will_end",
  "customer.subscription.pending_update_applied",
  "customer.subscription.pending_update_expired",
] as const;

/** The event types a webhook endpoint is to be subscribed to: those that change something. */
export const handledEventTypes = ["checkout.session.completed", ...subscriptionEvents] as const;

/** Reads a verified event. Throws `z.ZodError` when it is no event at all. */
export function readStripeEvent(body: unknown): { event: EventRecord; change: Change } {
  const { id, type, created, livemode, api_version, data: { object } } = eventSchema.parse(body);
  const event: EventRecord = {
    id,
    type,
    created,
    livemode,
    api_version,
    customer_id: customerOf(object),
    object_id: object.id ?? null,
  };
  return { event, change: changeOf(type, object) };
}

function customerOf(object: Record<string, unknown>): string | null {
  const customer = object.object === "customer" ? object.id : object.customer;
  return idOf.safeParse(customer).data ?? null;
}

function changeOf(type: string, object: unknown): Change {
  if ((subscriptionEvents as readonly string[]).includes(type)) {
    try {
      return { kind: "subscription", subscription: readSubscription(object).state };
    } catch (error) {
      // Of a type we live by, yet not of a shape we know: this must be seen, not passed over.
      if (error instanceof z.ZodError) return { kind: "unreadable", reason: z.prettifyError(error) };
      throw error;
    }
  }
  if (type === "checkout.session.completed") {
    const checkout = checkoutSchema.safeParse(object).data;
    // The same Stripe account may sell other things. A checkout of ours names its community twice.
    if (checkout && checkout.client_reference_id === checkout.metadata.community_id) {
      return { kind: "checkout", community_id: checkout.metadata.community_id };
    }
  }
  return null;
}
