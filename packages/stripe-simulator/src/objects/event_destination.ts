import type Stripe from "stripe";
import { newId, randomText } from "./ids.ts";
import { isoTime } from "./stored_object.ts";
import type { ThinEvent } from "./thin_event.ts";

/** The type of the event that tests a destination. */
export const pingType = "v2.core.event_destination.ping";

/** Stored with its URL and secret. Replies show them only when the request includes them. */
export interface EventDestination extends Stripe.V2.Core.EventDestination {
  webhook_endpoint: { signing_secret: string; url: string };
}

export function newEventDestination(
  created: number,
  fields:
    & Pick<EventDestination, "description" | "enabled_events" | "event_payload" | "metadata" | "name">
    & { url: string; snapshotApiVersion: string | null },
): EventDestination {
  const { url, snapshotApiVersion, ...shown } = fields;
  const at = isoTime(created);
  return {
    id: newId("ed_test", 26),
    object: "v2.core.event_destination",
    created: at,
    ...shown,
    events_from: ["@self"],
    livemode: false,
    ...(snapshotApiVersion === null ? {} : { snapshot_api_version: snapshotApiVersion }),
    status: "enabled",
    type: "webhook_endpoint",
    updated: at,
    webhook_endpoint: { signing_secret: `whsec_${randomText(32)}`, url },
  };
}

/** True when snapshot events of this type go to the destination. */
export function receivesSnapshots(destination: EventDestination, type: string): boolean {
  return listensTo(destination, "snapshot", type);
}

/** True when a thin event goes to the destination. A ping goes only to the destination that it is about. */
export function receivesThin(
  destination: EventDestination,
  event: Pick<ThinEvent, "type" | "related_object">,
): boolean {
  if (event.type !== pingType) return listensTo(destination, "thin", event.type);
  return destination.status === "enabled" && event.related_object?.id === destination.id;
}

function listensTo(
  { status, event_payload, enabled_events: types }: EventDestination,
  payload: EventDestination["event_payload"],
  type: string,
): boolean {
  return status === "enabled" && event_payload === payload && (types.includes("*") || types.includes(type));
}
