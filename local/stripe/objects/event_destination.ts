import type Stripe from "stripe";
import { newId, randomText } from "./ids.ts";
import { isoTime } from "./stored.ts";

/** Kept with its address and secret; replies show them only where they are asked for. */
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

/** True when an event of this type and payload goes to the destination. */
export function isSentTo(
  destination: EventDestination,
  payload: EventDestination["event_payload"],
  eventType: string,
): boolean {
  if (destination.status !== "enabled" || destination.event_payload !== payload) return false;
  return destination.enabled_events.includes("*") || destination.enabled_events.includes(eventType);
}
