/**
 * `deno task stripe:setup [--dry-run] [--plans FILE]`: makes Stripe and the database say what plans.toml says, and prints
 * what changed and what to put into the environment.
 */
import { parseArgs } from "node:util";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { PlansFileError } from "../setup/plans_file.ts";
import { loadPlans, setUpStripe, type StripeSetup } from "../setup/setup.ts";
import { connectStripe } from "../stripe.ts";
import { connectOperator } from "./operator.ts";

const { "dry-run": dryRun, plans } = parseArgs({
  options: { "dry-run": { type: "boolean", default: false }, plans: { type: "string" } },
}).values;
const config = configOrExit(readOperatorConfig);
await using sql = connectOperator(config.operatorDatabaseUrl);
try {
  const setup = await setUpStripe({
    stripe: connectStripe(config.stripe),
    sql,
    plans: await loadPlans(plans),
    webhookUrl: `${config.supabaseUrl}/functions/v1/stripe-webhook`,
    dryRun,
  });
  printChanges(setup);
  if (!dryRun) printEnvironment(setup);
} catch (error) {
  if (!(error instanceof PlansFileError)) throw error;
  console.error(`The plans cannot be used:\n${error.message}`);
  Deno.exitCode = 1;
}

function printChanges({ changes }: StripeSetup) {
  if (changes.length === 0) console.log("Everything is in place.");
  else console.log(dryRun ? "It would:" : "Done:");
  for (const change of changes) console.log(`  ${change}`);
}

function printEnvironment({ portalConfigurationId, webhookEndpoint, thinEventDestination }: StripeSetup) {
  const secrets = [webhookEndpoint.secret, thinEventDestination.secret];
  const news = secrets.filter((secret) => secret !== null);
  console.log(`\nPut into the environment:\nSTRIPE_PORTAL_CONFIGURATION_ID=${portalConfigurationId}`);
  if (news.length === secrets.length) {
    console.log(`STRIPE_WEBHOOK_SECRET=${news.join(",")}`);
  } else if (news.length > 0) {
    console.log(`STRIPE_WEBHOOK_SECRET: add ${news.join(",")} to what it holds, separated by a comma.`);
  } else {
    console.log("STRIPE_WEBHOOK_SECRET stays as it is: Stripe shows secrets only when an endpoint is made.");
  }
}
