/**
 * `deno task stripe:setup [--dry-run] [--plans FILE] [--webhook-url URL]`: makes Stripe and the database agree with plans.toml, and prints what
 * changed and what to put into the environment.
 */
import { parseArgs } from "node:util";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { PlansFileError } from "../setup/plans_file.ts";
import { loadPlans, setUpStripe, type StripeSetup } from "../setup/setup.ts";
import { connectStripe } from "../stripe.ts";
import { connectOperator } from "./operator.ts";

const { "dry-run": dryRun, plans, "webhook-url": webhookUrl } = parseArgs({
  options: {
    "dry-run": { type: "boolean", default: false },
    plans: { type: "string" },
    "webhook-url": { type: "string" },
  },
}).values;
const config = configOrExit(readOperatorConfig);
await using sql = connectOperator(config.operatorDatabaseUrl);
try {
  const setup = await setUpStripe({
    stripe: connectStripe(config.stripe),
    sql,
    plans: await loadPlans(plans),
    webhookUrl: webhookUrl ?? `${config.supabaseUrl}/functions/v1/stripe-webhook`,
    schedules: { projectUrl: config.supabaseUrl, cronSecret: config.cronSecret },
    onSecret: (secret) => console.log(`Stripe made a signing secret, for STRIPE_WEBHOOK_SECRET: ${secret}`),
    dryRun,
  });
  printChanges(setup);
  if (!dryRun) printEnvironment(setup);
} catch (error) {
  if (!(error instanceof PlansFileError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}

function printChanges({ changes }: StripeSetup) {
  if (changes.length === 0) console.log("Nothing has to change.");
  else console.log(dryRun ? "It would:" : "Done:");
  for (const change of changes) console.log(`  ${change}`);
}

function printEnvironment(
  { portalConfigurationId, webhookEndpoint, thinEventDestination, todo }: StripeSetup,
) {
  const secrets = [webhookEndpoint.secret, thinEventDestination.secret];
  const newSecrets = secrets.filter((secret) => secret !== null);
  console.log(`\nPut into the environment:\nSTRIPE_PORTAL_CONFIGURATION_ID=${portalConfigurationId}`);
  if (newSecrets.length === secrets.length) {
    console.log(`STRIPE_WEBHOOK_SECRET=${newSecrets.join(",")}`);
  } else if (newSecrets.length > 0) {
    console.log(`STRIPE_WEBHOOK_SECRET: add ${newSecrets.join(",")}, separated by a comma.`);
  } else {
    console.log(
      "STRIPE_WEBHOOK_SECRET stays as it is. Stripe's dashboard shows it: Developers, Webhooks, the endpoint, Signing secret.",
    );
  }
  for (const sentence of todo) console.log(`\nTo do: ${sentence}`);
  console.log("\nThen check everything: deno task doctor");
}
