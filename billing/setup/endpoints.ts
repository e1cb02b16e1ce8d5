/** Creates the configuration of the billing portal and the destinations of Stripe's events. */
import { isDeepStrictEqual } from "node:util";
import Stripe from "stripe";
import type { SetupSteps } from "./setup_steps.ts";
import { handledEventTypes } from "../events/read_event.ts";
import { handledThinEventTypes } from "../events/thin_event.ts";

const portalFeatures = {
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true },
  subscription_cancel: { enabled: true, mode: "at_period_end" },
} satisfies Stripe.BillingPortal.ConfigurationCreateParams.Features;

/** Finds or creates the portal's configuration and returns its id. */
export async function ensurePortalConfiguration(stripe: Stripe, steps: SetupSteps): Promise<string> {
  for await (const configuration of stripe.billingPortal.configurations.list({ active: true, limit: 100 })) {
    if (configuration.metadata?.dues === "portal") return configuration.id;
  }
  return await steps.run("Create the billing portal's configuration", async () => {
    const metadata = { dues: "portal" };
    const { id } = await stripe.billingPortal.configurations.create({ features: portalFeatures, metadata });
    return id;
  }, "(portal)");
}

/** `secret`: Stripe shows it only when the endpoint is created; null when it existed before. */
export interface EnsuredEndpoint {
  id: string;
  secret: string | null;
}

/**
 * Finds or creates the webhook endpoint, for exactly the events that are handled. Its API version is fixed at its creation,
 * so that payloads have the shape that this code reads; another version needs another endpoint
 * (https://docs.stripe.com/webhooks/versioning).
 */
export async function ensureWebhookEndpoint(
  stripe: Stripe,
  steps: SetupSteps,
  url: string,
): Promise<EnsuredEndpoint> {
  const enabled_events = [...handledEventTypes];
  for await (const endpoint of stripe.webhookEndpoints.list({ limit: 100 })) {
    if (endpoint.url !== url || endpoint.api_version !== Stripe.API_VERSION) continue;
    if (!isDeepStrictEqual(new Set<string>(endpoint.enabled_events), new Set<string>(enabled_events))) {
      await steps.run(
        `Change the event types of the webhook endpoint ${url}`,
        () => stripe.webhookEndpoints.update(endpoint.id, { enabled_events }),
        null,
      );
    }
    return { id: endpoint.id, secret: null };
  }
  return await steps.run(`Create the webhook endpoint ${url}`, async () => {
    const api_version = Stripe.API_VERSION;
    const endpoint = await stripe.webhookEndpoints.create({
      url,
      enabled_events,
      api_version,
      description: "Dues",
    });
    return { id: endpoint.id, secret: endpoint.secret ?? null };
  }, { id: "(webhook endpoint)", secret: null });
}

/** The same for thin events. Only they report meter errors (https://docs.stripe.com/event-destinations). */
export async function ensureThinEventDestination(
  stripe: Stripe,
  steps: SetupSteps,
  url: string,
): Promise<EnsuredEndpoint> {
  const enabled_events = [...handledThinEventTypes];
  const { eventDestinations } = stripe.v2.core;
  for await (const destination of eventDestinations.list({ include: ["webhook_endpoint.url"] })) {
    if (destination.event_payload !== "thin" || destination.webhook_endpoint?.url !== url) continue;
    if (!isDeepStrictEqual(new Set(destination.enabled_events), new Set(enabled_events))) {
      await steps.run(
        `Change the event types of the thin event destination ${url}`,
        () => eventDestinations.update(destination.id, { enabled_events }),
        null,
      );
    }
    return { id: destination.id, secret: null };
  }
  return await steps.run(`Create the thin event destination ${url}`, async () => {
    const destination = await eventDestinations.create({
      name: "Dues",
      type: "webhook_endpoint",
      event_payload: "thin",
      enabled_events,
      webhook_endpoint: { url },
      include: ["webhook_endpoint.signing_secret"],
    });
    return { id: destination.id, secret: destination.webhook_endpoint?.signing_secret ?? null };
  }, { id: "(thin event destination)", secret: null });
}
