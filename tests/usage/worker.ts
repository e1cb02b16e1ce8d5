/**
 * Sends usage reports as the edge function does, until it is killed: `worker.ts DATABASE_URL STRIPE_URL`.
 */
import { connectDatabase } from "../../billing/db/database.ts";
import { connectStripe } from "../../billing/stripe.ts";
import { reportUsage } from "../../billing/usage/usage_reports.ts";

const [databaseUrl, stripeUrl] = Deno.args;
const db = connectDatabase(databaseUrl, { max: 3 });
const stripe = connectStripe({ secretKey: "sk_test_worker", apiBase: stripeUrl });
while (true) {
  await reportUsage({ db, stripe }, { perSecond: 10_000, atOnce: 5, seconds: 1 });
  await new Promise((resolve) => setTimeout(resolve, 20));
}
