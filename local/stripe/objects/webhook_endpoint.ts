import type Stripe from "stripe";
import { newId, randomText } from "./ids.ts";
import type { Stored } from "./stored.ts";

/** Kept with its secret; replies leave the secret out, except the one to its creation. */
export type WebhookEndpoint = Stored<Stripe.WebhookEndpoint> & { secret: string };

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

/** True when an event of this type goes to the endpoint. */
export function listensTo(endpoint: WebhookEndpoint, eventType: string): boolean {
  if (endpoint.status !== "enabled") return false;
  return endpoint.enabled_events.includes("*") || endpoint.enabled_events.includes(eventType);
}
