// Receives Stripe's webhooks at /functions/v1/stripe-webhook. The work is in billing/http/webhook_handler.ts, which the plugin server
// uses too; this file only gives it its own, smaller configuration.
import { configOrExit, readWebhookConfig } from "../../../billing/config.ts";
import { connectDatabase } from "../../../billing/db/database.ts";
import { connectStripe } from "../../../billing/stripe.ts";
import { webhookHandler } from "../../../billing/http/webhook_handler.ts";

const config = configOrExit(readWebhookConfig);

export default {
  fetch: webhookHandler({
    // Many isolates share one database: each keeps to a few connections.
    db: connectDatabase(config.databaseUrl, { max: 3 }),
    stripe: connectStripe(config.stripe),
    secrets: config.webhookSecrets,
  }),
};
