/** `deno task stripe:setup`: prepares a Stripe account and prints what to put into the environment. */
import { configOrExit, readOperatorConfig } from "../config.ts";
import { setUpStripe } from "../setup.ts";
import { connectStripe } from "../stripe.ts";
import { connectOperator } from "./operator.ts";

const config = configOrExit(readOperatorConfig);
await using sql = connectOperator(config.operatorDatabaseUrl);
const setup = await setUpStripe({
  stripe: connectStripe(config.stripe),
  sql,
  webhookUrl: `${config.supabaseUrl}/functions/v1/stripe-webhook`,
});
for (const [code, price] of Object.entries(setup.prices)) console.log(`Plan ${code} is sold as ${price}.`);
console.log(`Webhook endpoint ${setup.webhookEndpointId} is in place.\n\nPut into the environment:`);
console.log(`STRIPE_PORTAL_CONFIGURATION_ID=${setup.portalConfigurationId}`);
console.log(
  setup.webhookSecret
    ? `STRIPE_WEBHOOK_SECRET=${setup.webhookSecret}`
    : "STRIPE_WEBHOOK_SECRET stays as it is: Stripe shows it only when the endpoint is made.",
);
