import type Stripe from "stripe";
import type { Event } from "./event.ts";
import { newId } from "./ids.ts";
import { pathOf } from "./object_paths.ts";
import { isoTime } from "./stored_object.ts";

export type RelatedObject = Stripe.V2.Core.Events.RelatedObject;

/**
 * An event of the v2 API. It names the type and the related object; its data is fetched separately
 * (https://docs.stripe.com/event-destinations#thin-events).
 */
export interface ThinEvent extends Omit<Stripe.V2.Core.EventBase, "snapshot_event"> {
  related_object: RelatedObject | null;
  /** The id of the snapshot event for the same change, if there is one. */
  snapshot_event?: string;
  /** Included when the event is retrieved, but not when it is delivered. */
  data?: object;
}

export function newThinEvent(
  created: number,
  type: string,
  fields: { related: RelatedObject | null; data?: object } & Partial<Pick<ThinEvent, "reason">>,
): ThinEvent {
  const { related, ...shown } = fields;
  return {
    id: newId("evt_test", 26),
    object: "v2.core.event",
    created: isoTime(created),
    livemode: false,
    related_object: related,
    type,
    ...shown,
  };
}

/** Creates the thin event for a snapshot event: `v1.customer.created` for `customer.created`. */
export function thinEventFor(event: Event): ThinEvent {
  const { id, idempotency_key: key } = event.request;
  const reason = id === null
    ? {}
    : { reason: { type: "request", request: { id, idempotency_key: key ?? "" } } };
  const thin = newThinEvent(event.created, thinTypeOf(event.type), {
    related: relate(event.data.object),
    ...reason,
  });
  return { ...thin, snapshot_event: event.id };
}

export function thinTypeOf(type: string): string {
  return `v1.${type}`;
}

/** Returns a reference to a v1 object. Null for an object that cannot be retrieved by itself. */
export function relate(object: object): RelatedObject | null {
  const id: unknown = Reflect.get(object, "id");
  const type: unknown = Reflect.get(object, "object");
  if (typeof id !== "string" || typeof type !== "string") return null;
  const url = pathOf(type, id);
  return url === undefined ? null : { id, type, url };
}
