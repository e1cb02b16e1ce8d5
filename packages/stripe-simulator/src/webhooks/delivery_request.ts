import type { Account } from "../account/account.ts";
import type { Delivery } from "../objects/delivery.ts";
import type { Event } from "../objects/event.ts";
import { apiVersion } from "../objects/stored_object.ts";
import type { ThinEvent } from "../objects/thin_event.ts";
import { signingSecrets } from "../objects/webhook_endpoint.ts";

/** One event as one recipient gets it: the exact text, and what it is signed with. */
export interface DeliveryRequest {
  type: string;
  url: string;
  body: string;
  /** Several while a secret is being replaced. */
  secrets: string[];
}

/** Writes the request of a delivery; nothing where the event is gone, or the recipient is gone or disabled. */
export function buildRequest(
  account: Account,
  { event: id, endpoint }: Delivery,
): DeliveryRequest | undefined {
  const address = findAddress(account, endpoint);
  if (!address) return;
  const { version, ...recipient } = address;
  const snapshot = account.events.find(id);
  if (snapshot) return { type: snapshot.type, body: serializeSnapshot(snapshot, version), ...recipient };
  const thin = account.thinEvents.find(id);
  if (thin) return { type: thin.type, body: serializeThin(thin), ...recipient };
}

/** What a snapshot event is on the wire, in the recipient's API version. */
export function serializeSnapshot(event: Event, version: string | null): string {
  return JSON.stringify({ ...event, api_version: version }, null, 2);
}

/** What a thin event is on the wire: its data has to be fetched. */
export function serializeThin({ data: _, ...shown }: ThinEvent): string {
  return JSON.stringify(shown);
}

function findAddress(account: Account, id: string) {
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
