import { z } from "zod";
import { readInvoice } from "./read_invoice.ts";
import { readSubscription } from "./read_subscription.ts";
import { storableJson } from "./storable_payload.ts";
import { idOf, IncompleteObjectError, type ObjectReading, unixSeconds } from "./stripe_fields.ts";

/**
 * What a Stripe event means to Dues: a pure mapping from what Stripe sends to what `billing.process_events` takes. Only the
 * fields in use are read, so new fields and new event types do no harm.
 */

/** The kinds of objects whose state is stored. */
export type ObjectKind = "subscription" | "invoice";

/** An event as it was read; the names are those of the SQL type `billing.incoming_event`, which explains `kind`. */
export interface IncomingEvent {
  id: string;
  type: string;
  /** Unix seconds. */
  created: number;
  livemode: boolean;
  api_version: string | null;
  account_id: string | null;
  customer_id: string | null;
  object_id: string | null;
  object_status: string | null;
  kind:
    | ObjectKind
    | "checkout"
    | "customer_deleted"
    | "price"
    | "product"
    | "meter_errors"
    | "ask"
    | "record"
    | "refused"
    | "unreadable";
  /** What the object is now. Null when only Stripe knows. */
  state: object | null;
  state_hash: string | null;
  community_id: string | null;
  reason: string | null;
  /** The event as JSON text that the database can store. */
  payload: string | null;
}

type Meaning =
  & Partial<Pick<IncomingEvent, "state" | "state_hash" | "community_id" | "reason" | "object_id">>
  & {
    kind: IncomingEvent["kind"];
    status?: string | null;
  };

const eventSchema = z.object({
  id: z.string().min(1),
  type: z.string().min(1),
  created: unixSeconds,
  livemode: z.boolean(),
  account: z.string().nullish(),
  api_version: z.string().nullish(),
  data: z.object({ object: z.looseObject({}) }),
});

/**
 * The releases of Stripe's API in which the fields that are read have one shape (https://docs.stripe.com/changelog). Objects
 * of other releases are asked for, in the version of the SDK.
 */
const READABLE_VERSION = /^\d{4}-\d{2}-\d{2}\.(clover|dahlia|endive)$/;

type Source = { type: string; object: Record<string, unknown>; isReadable: boolean };

/** How each handled event type is read. */
const readers = {
  "checkout.session.completed": checkout,
  "checkout.session.async_payment_succeeded": checkout,
  "checkout.session.async_payment_failed": recordOnly,
  "checkout.session.expired": recordOnly,
  "customer.subscription.created": subscription,
  "customer.subscription.updated": subscription,
  "customer.subscription.deleted": subscription,
  "customer.subscription.paused": subscription,
  "customer.subscription.resumed": subscription,
  "customer.subscription.trial_will_end": subscription,
  "customer.subscription.pending_update_applied": subscription,
  "customer.subscription.pending_update_expired": subscription,
  "subscription_schedule.created": schedule,
  "subscription_schedule.updated": schedule,
  "subscription_schedule.released": schedule,
  "subscription_schedule.canceled": schedule,
  "subscription_schedule.completed": schedule,
  "subscription_schedule.aborted": schedule,
  "invoice.created": invoice,
  "invoice.updated": invoice,
  "invoice.finalized": invoice,
  "invoice.paid": invoice,
  "invoice.payment_failed": invoice,
  "invoice.payment_action_required": invoice,
  "invoice.voided": invoice,
  "invoice.marked_uncollectible": invoice,
  "invoice.deleted": invoice,
  "customer.updated": recordOnly,
  "customer.deleted": (): Meaning => ({ kind: "customer_deleted" }),
  "price.updated": catalog("price"),
  "price.deleted": catalog("price"),
  "product.updated": catalog("product"),
  "product.deleted": catalog("product"),
} satisfies Record<string, (source: Source) => Meaning>;

export type HandledEventType = keyof typeof readers;

/** The event types that a webhook endpoint has to be subscribed to. */
export const handledEventTypes = Object.keys(readers) as HandledEventType[];

const isHandled = (type: string): type is HandledEventType => Object.hasOwn(readers, type);

/** Which events count here. */
export interface EventScope {
  /** Whether the deployment is bound to live mode, as its secret key is. */
  isLive: boolean;
}

/**
 * Reads a verified event, given as the text that Stripe sent. `isListed`: from Stripe's list of events, where objects are
 * written in the API version of their time and are not read.
 *
 * Throws `SyntaxError` or `z.ZodError` when it is not an event.
 */
export function readStripeEvent(
  text: string,
  { isLive }: EventScope,
  { isListed = false } = {},
): IncomingEvent {
  const payload = storableJson(text);
  const { id, type, created, livemode, account, api_version, data } = eventSchema.parse(JSON.parse(payload));
  const { object } = data;
  const isReadable = !isListed && READABLE_VERSION.test(api_version ?? "");
  const status = z.string().safeParse(object.status).data ?? null;
  const meaning = refusal({ livemode, isLive, account }) ?? meaningOf({ type, object, isReadable });
  const reasons = [meaning.reason, payload === text ? null : "text that cannot be stored was replaced"];
  return {
    id,
    type,
    created,
    livemode,
    api_version: api_version ?? null,
    account_id: account ?? null,
    customer_id: customerOf(object),
    object_id: meaning.object_id ?? z.string().safeParse(object.id).data ?? null,
    object_status: meaning.status === undefined ? status : meaning.status,
    kind: meaning.kind,
    state: meaning.state ?? null,
    state_hash: meaning.state_hash ?? null,
    community_id: meaning.community_id ?? null,
    reason: reasons.filter((reason) => reason).join("; ") || null,
    payload,
  };
}

/** Null when the event counts here. A test key never sees live objects, and an account of ours is no account of others. */
export function refusal(
  { livemode, isLive, account }: { livemode: boolean; isLive: boolean; account?: string | null },
): Meaning | null {
  if (account) return { kind: "refused", reason: `it happened in the connected account ${account}` };
  const [mode, own] = [livemode, isLive].map((live) => live ? "live" : "test");
  return mode === own
    ? null
    : { kind: "refused", reason: `it is of ${mode} mode, and the key of ${own} mode` };
}

/** What an event of the event log means of which only this much was kept: the object has to be asked for. */
export function kindOfType(type: string): ObjectKind | "ask" | "record" {
  if (!isHandled(type)) return "record";
  const reader: unknown = readers[type];
  if (reader === subscription || reader === schedule) return "subscription";
  if (reader === invoice) return "invoice";
  return reader === checkout ? "ask" : "record";
}

function customerOf(object: Record<string, unknown>): string | null {
  const customer = object.object === "customer" ? object.id : object.customer;
  return idOf.safeParse(customer).data ?? null;
}

function meaningOf(source: Source): Meaning {
  if (!isHandled(source.type)) return { kind: "record" };
  const meaning = readers[source.type](source);
  const { id } = source.object;
  // Of a handled type, so it must not be skipped: it is stored as failed and reported to the operator.
  if (meaning.kind !== "record" && typeof id !== "string") {
    return { kind: "unreadable", reason: "its object has no id" };
  }
  return meaning;
}

function recordOnly(): Meaning {
  return { kind: "record" };
}

function subscription({ object, isReadable }: Source): Meaning {
  return stateOr("subscription", isReadable, object, () => readSubscription(object));
}

function invoice({ type, object, isReadable }: Source): Meaning {
  if (type !== "invoice.deleted") return stateOr("invoice", isReadable, object, () => readInvoice(object));
  return {
    ...stateOr("invoice", isReadable, object, () => readInvoice(object, "deleted")),
    status: "deleted",
  };
}

/** The state that the object has, or else that it has to be asked for. */
function stateOr(
  kind: ObjectKind,
  isReadable: boolean,
  object: Record<string, unknown>,
  read: () => ObjectReading<{ id: string; status: string }>,
): Meaning {
  // Of an account rather than a customer, so it is nothing of this plugin's.
  if (object.customer === null) return { kind: "record", reason: "it has no customer" };
  if (!isReadable) return { kind, reason: "written in another version of Stripe's API" };
  try {
    const { state, hash } = read();
    return { kind, state, state_hash: hash };
  } catch (error) {
    if (error instanceof IncompleteObjectError) return { kind, reason: error.message };
    if (error instanceof z.ZodError) return { kind, reason: `of another shape: ${z.prettifyError(error)}` };
    throw error;
  }
}

/** A schedule says what a subscription changes to: the subscription has to be asked for. */
function schedule({ object }: Source): Meaning {
  const { subscription, released_subscription } = object;
  const id = idOf.safeParse(subscription ?? released_subscription).data;
  return id === undefined
    ? { kind: "record", reason: "it has no subscription" }
    : { kind: "subscription", object_id: id, status: null, reason: "its schedule has changed" };
}

const checkoutSchema = z.object({
  customer: idOf.nullable(),
  client_reference_id: z.string().nullable(),
  metadata: z.record(z.string(), z.string()).nullable(),
});

/**
 * The Stripe account may sell other things, too. A checkout of this plugin names its community in two fields, which have had
 * one shape in all versions.
 */
function checkout({ object }: Source): Meaning {
  const { data, error } = checkoutSchema.safeParse(object);
  if (error) return { kind: "ask", reason: `of another shape: ${z.prettifyError(error)}` };
  const communityId = data.metadata?.dues_community_id;
  return data.customer !== null && communityId !== undefined && data.client_reference_id === communityId
    ? { kind: "checkout", community_id: communityId }
    : { kind: "record", reason: "a checkout of something else" };
}

/** Prices and products have had one shape in all versions, too. */
function catalog(kind: "price" | "product") {
  return ({ type, object }: Source): Meaning => {
    const status = type.endsWith(".deleted") ? "deleted" : object.active === true ? "active" : "archived";
    return { kind, status };
  };
}
