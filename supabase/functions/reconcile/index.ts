// Makes the stored state equal to Stripe's. A schedule in the database calls it every hour.
import { configOrExit, readScheduledConfig } from "../../../billing/config.ts";
import { connectDatabase } from "../../../billing/db/database.ts";
import { reconcile } from "../../../billing/reconcile/reconciliation.ts";
import { scheduledHandler } from "../../../billing/http/scheduled_handler.ts";
import { recordRun } from "../../../billing/operations/job_runs.ts";
import { connectStripe } from "../../../billing/stripe.ts";

const config = configOrExit(readScheduledConfig);
const db = connectDatabase(config.databaseUrl, { max: 2 });
const stripe = connectStripe(config.stripe);

export default {
  fetch: scheduledHandler({
    secret: config.cronSecret,
    run: () => recordRun(db, "reconcile", () => reconcile({ db, stripe })),
  }),
};
