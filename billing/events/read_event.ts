import { z } from "zod";

/**
 * What a Stripe event means to Dues: a pure mapping from what Stripe sends to what the database stores. Only the fields in
 * use are read, so new fields and new event types do no harm.
 */

/** Stripe gives an id, or the whole object where it is expanded (https://docs.stripe.com/api/expanding_objects). */
const idOf = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

/** Stripe's times are unix seconds (https://docs.stripe.com/api); accepted up to the year 9999. */
const unixSeconds = z.number().int().nonnegative().max(253_402_300_799);
/** The database takes ISO 8601. */
const time = unixSeconds.transform((seconds) => new Date(seconds * 1000).toISOString());
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

/** The fields in use of a subscription (https://docs.stripe.com/api/subscriptions/object). */
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

/** A subscription as the database stores it, with the column names of table `subscriptions`. */
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
      // Items billed at different intervals have different period ends. The earliest is the next renewal.
      current_period_end: periodEnd,
      trial_end: subscription.trial_end,
      // Stripe reports a scheduled cancellation in one of two ways, depending on the billing mode.
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

/** The statuses in which somebody has to act on a payment (https://docs.stripe.com/billing/subscriptions/overview). */
const paymentIssues: Record<string, string> = {
  past_due: "payment_failed",
  unpaid: "payment_failed",
  incomplete: "first_payment_incomplete",
};

/** The fields in use of an invoice (https://docs.stripe.com/api/invoices/object). */
const invoiceSchema = z.object({
  id: z.string(),
  customer: idOf,
  number: z.string().nullish(),
  status: z.string().nullish(),
  amount_due: z.number().int(),
  amount_paid: z.number().int(),
  currency: z.string(),
  hosted_invoice_url: z.string().nullish(),
  invoice_pdf: z.string().nullish(),
  created: time,
  status_transitions: z.object({ paid_at: maybeTime }),
  parent: z.object({
    subscription_details: z.object({ subscription: idOf }).nullish(),
  }).nullish(),
});

/** An invoice as the database stores it, with the column names of table `invoices`. */
export type InvoiceState = {
  id: string;
  subscription_id: string | null;
  number: string | null;
  status: string;
  amount_due_cents: number;
  amount_paid_cents: number;
  currency: string;
  hosted_invoice_url: string | null;
  invoice_pdf: string | null;
  issued_at: string;
  paid_at: string | null;
};

/** Reads an invoice, from an event or from Stripe's API. Throws `z.ZodError` when it is not one. */
export function readInvoice(object: unknown): { customerId: string; state: InvoiceState } {
  const invoice = invoiceSchema.parse(object);
  return {
    customerId: invoice.customer,
    state: {
      id: invoice.id,
      subscription_id: invoice.parent?.subscription_details?.subscription ?? null,
      number: invoice.number ?? null,
      status: invoice.status ?? "draft",
      amount_due_cents: invoice.amount_due,
      amount_paid_cents: invoice.amount_paid,
      currency: invoice.currency,
      hosted_invoice_url: invoice.hosted_invoice_url ?? null,
      invoice_pdf: invoice.invoice_pdf ?? null,
      issued_at: invoice.created,
      paid_at: invoice.status_transitions.paid_at,
    },
  };
}

/** The current state of a Stripe object. */
export type ObjectChange =
  | { kind: "subscription"; state: SubscriptionState }
  | { kind: "invoice"; state: InvoiceState };

/** What the database has to do about an event. Null: only record it. */
export type Change =
  | ObjectChange
  | { kind: "checkout"; community_id: string }
  | { kind: "customer_deleted" }
  | { kind: "anomaly"; anomaly: "missing_in_stripe"; detail: string }
  | { kind: "meter_errors"; detail: string; refused: { identifier: string; reason: string }[] }
  | { kind: "unreadable"; reason: string }
  | null;

/** What the event log stores of an event. */
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
  created: unixSeconds,
  livemode: z.boolean(),
  api_version: z.string().nullish().transform((value) => value ?? null),
  data: z.object({ object: z.looseObject({ object: z.string().optional(), id: z.string().optional() }) }),
});

const checkoutSchema = z.object({
  customer: idOf,
  client_reference_id: z.string(),
  metadata: z.object({ dues_community_id: z.string() }),
});

/** How each handled event type is read. */
const readers = {
  "checkout.session.completed": readCheckout,
  "checkout.session.async_payment_succeeded": readCheckout,
  "checkout.session.async_payment_failed": recordOnly,
  "checkout.session.expired": recordOnly,
  "customer.subscription.created": readSubscriptionChange,
  "customer.subscription.updated": readSubscriptionChange,
  "customer.subscription.deleted": readSubscriptionChange,
  "customer.subscription.paused": readSubscriptionChange,
  "customer.subscription.resumed": readSubscriptionChange,
  "customer.subscription.trial_will_end": readSubscriptionChange,
  "customer.subscription.pending_update_applied": readSubscriptionChange,
  "customer.subscription.pending_update_expired": readSubscriptionChange,
  "invoice.created": readInvoiceChange,
  "invoice.updated": readInvoiceChange,
  "invoice.finalized": readInvoiceChange,
  "invoice.paid": readInvoiceChange,
  "invoice.payment_failed": readInvoiceChange,
  "invoice.payment_action_required": readInvoiceChange,
  "invoice.voided": readInvoiceChange,
  "invoice.marked_uncollectible": readInvoiceChange,
  "customer.updated": recordOnly,
  "customer.deleted": (): Change => ({ kind: "customer_deleted" }),
} satisfies Record<string, (object: unknown) => Change>;

type HandledEventType = keyof typeof readers;

/** The event types that a webhook endpoint has to be subscribed to. */
export const handledEventTypes = Object.keys(readers) as HandledEventType[];

const isHandled = (type: string): type is HandledEventType => type in readers;

function recordOnly(): Change {
  return null;
}

function readSubscriptionChange(object: unknown): Change {
  return { kind: "subscription", state: readSubscription(object).state };
}

function readInvoiceChange(object: unknown): Change {
  // Billed to an account rather than a customer, so it is not an invoice of this plugin.
  if (z.object({ customer: z.null() }).safeParse(object).success) return null;
  return { kind: "invoice", state: readInvoice(object).state };
}

/** The Stripe account may sell other things, too. A checkout of this plugin names its community in both fields. */
function readCheckout(object: unknown): Change {
  const checkout = checkoutSchema.safeParse(object).data;
  return checkout && checkout.client_reference_id === checkout.metadata.dues_community_id
    ? { kind: "checkout", community_id: checkout.metadata.dues_community_id }
    : null;
}

/** Reads a verified event. Throws `z.ZodError` when it is not an event. */
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
  if (!isHandled(type)) return null;
  try {
    return readers[type](object);
  } catch (error) {
    // A handled type of an unknown shape must not be skipped: it is stored as failed and reported to the operator.
    if (error instanceof z.ZodError) return { kind: "unreadable", reason: z.prettifyError(error) };
    throw error;
  }
}
