// Receives Stripe's webhooks at /functions/v1/stripe-webhook, with the same handler as the plugin server and a smaller
// configuration.
import { configOrExit, readWebhookConfig } from "../../../billing/config.ts";
import { connectDatabase } from "../../../billing/db/database.ts";
import { connectStripe, isLiveKey } from "../../../billing/stripe.ts";
import { logged } from "../../../billing/http/request_log.ts";
import { webhookHandler } from "../../../billing/http/webhook_handler.ts";

const config = configOrExit(readWebhookConfig);

export default {
  fetch: logged(webhookHandler({
    // Events that wait share a call, so few connections carry many; those that need Stripe use some more.
    db: connectDatabase(config.databaseUrl, { max: 8 }),
    stripe: connectStripe(config.stripe),
    isLive: isLiveKey(config.stripe.secretKey),
    secrets: config.webhookSecrets,
  })),
};
