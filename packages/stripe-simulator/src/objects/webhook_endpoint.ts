import type Stripe from "stripe";
import { newId, randomText } from "./ids.ts";
import type { Stored } from "./stored_object.ts";

/** Stored with its secrets. Only the reply to its creation shows the secret. */
export type WebhookEndpoint = Stored<Stripe.WebhookEndpoint> & {
  secret: string;
  /** The previous secret, which signs too until it expires. */
  former_secret?: { secret: string; expires_at: number };
};

export function newWebhookEndpoint(
  created: number,
  fields: Pick<WebhookEndpoint, "api_version" | "description" | "enabled_events" | "metadata" | "url">,
): WebhookEndpoint {
  return {
    id: newId("we"),
    object: "webhook_endpoint",
    application: null,
    created,
    livemode: false,
    secret: `whsec_${randomText(32)}`,
    status: "enabled",
    ...fields,
  };
}

/** True when events of this type go to the endpoint. */
export function listensTo(endpoint: WebhookEndpoint, eventType: string): boolean {
  if (endpoint.status !== "enabled") return false;
  return endpoint.enabled_events.includes("*") || endpoint.enabled_events.includes(eventType);
}

/** Returns the endpoint with a new secret. The previous one stays valid for `overlap` seconds. */
export function withNewSecret(endpoint: WebhookEndpoint, now: number, overlap: number): WebhookEndpoint {
  return {
    ...endpoint,
    secret: `whsec_${randomText(32)}`,
    former_secret: { secret: endpoint.secret, expires_at: now + overlap },
  };
}

/** The secrets that sign events to the endpoint, the newest first. */
export function signingSecrets({ secret, former_secret: former }: WebhookEndpoint, now: number): string[] {
  return former && former.expires_at > now ? [secret, former.secret] : [secret];
}
