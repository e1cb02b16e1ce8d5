import type Stripe from "stripe";
import { newId } from "./ids.ts";

export type EventType = Stripe.Event["type"];

/** A snapshot event. `data.object` is the object at the time of the event. */
export interface Event {
  id: string;
  object: "event";
  api_version: string;
  created: number;
  data: { object: object; previous_attributes?: object };
  livemode: false;
  pending_webhooks: number;
  request: Cause;
  type: EventType;
}

/**
 * The request that caused an event. Both are null for events without a request, such as renewals and actions on
 * Stripe's pages.
 */
export interface Cause {
  id: string | null;
  idempotency_key: string | null;
}

/** Creates an event in the API version that the account has at this time. */
export function newEvent(
  created: number,
  fields: { type: EventType; data: Event["data"]; cause: Cause; version: string },
): Event {
  const { type, data, cause, version } = fields;
  return {
    id: newId("evt"),
    object: "event",
    api_version: version,
    created,
    data,
    livemode: false,
    pending_webhooks: 0,
    request: cause,
    type,
  };
}

/**
 * Returns `previous_attributes`: the old values of the changed keys. Nested hashes contain only the keys that differ;
 * arrays are given as a whole (https://docs.stripe.com/api/events/object).
 */
export function previousAttributes(before: object, after: object): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const was: unknown = Reflect.get(before, key) ?? null;
    const is: unknown = Reflect.get(after, key) ?? null;
    if (was === is) continue;
    if (isHash(was) && isHash(is)) {
      const inner = previousAttributes(was, is);
      if (Object.keys(inner).length > 0) changes[key] = inner;
    } else if (JSON.stringify(was) !== JSON.stringify(is)) {
      changes[key] = was;
    }
  }
  return changes;
}

function isHash(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
