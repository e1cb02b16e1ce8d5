import type { Account } from "../account/account.ts";
import { type Lookup, lookupIn } from "../account/rendering/lookup.ts";
import { renderEvent } from "../account/rendering/rendering.ts";
import type { Delivery } from "../objects/delivery.ts";
import type { Event } from "../objects/event.ts";
import { apiVersion } from "../objects/stored_object.ts";
import type { ThinEvent } from "../objects/thin_event.ts";
import { signingSecrets } from "../objects/webhook_endpoint.ts";

/** One event as one recipient gets it: the exact body and the secrets that sign it. */
export interface DeliveryRequest {
  type: string;
  url: string;
  body: string;
  /** Two while a secret is being rolled, else one. */
  secrets: string[];
}

/**
 * Creates the request of a delivery. Undefined when the event was removed, or the recipient was deleted or disabled.
 */
export function buildRequest(
  account: Account,
  { event: id, endpoint }: Delivery,
): DeliveryRequest | undefined {
  const found = findRecipient(account, endpoint);
  if (!found) return;
  const { version, ...recipient } = found;
  const snapshot = account.events.find(id);
  if (snapshot) {
    const body = serializeSnapshot(snapshot, version ?? snapshot.api_version, lookupIn(account));
    return { type: snapshot.type, body, ...recipient };
  }
  const thin = account.thinEvents.find(id);
  if (thin) return { type: thin.type, body: serializeThin(thin), ...recipient };
}

/**
 * The body of a snapshot event in an API version. Versions before 2025-03-31.basil show more of an invoice's payment
 * and prices when they can look them up.
 */
export function serializeSnapshot(event: Event, version: string, lookup?: Lookup): string {
  return JSON.stringify({ ...renderEvent(event, version, lookup), api_version: version }, null, 2);
}

/** The body of a thin event. Its data is left out and must be fetched. */
export function serializeThin({ data: _, ...shown }: ThinEvent): string {
  return JSON.stringify(shown);
}

function findRecipient(account: Account, id: string) {
  const endpoint = account.webhookEndpoints.find(id);
  if (endpoint?.status === "enabled") {
    return {
      url: endpoint.url,
      secrets: signingSecrets(endpoint, account.now()),
      version: endpoint.api_version,
    };
  }
  const destination = account.eventDestinations.find(id);
  if (destination?.status === "enabled") {
    const { url, signing_secret: secret } = destination.webhook_endpoint;
    return { url, secrets: [secret], version: destination.snapshot_api_version ?? apiVersion };
  }
}
