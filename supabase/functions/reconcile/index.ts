// Makes the stored state equal to Stripe's, a slice at each call. A schedule in the database calls it every ten minutes.
import { configOrExit, readScheduledConfig } from "../../../billing/config.ts";
import { connectDatabase } from "../../../billing/db/database.ts";
import { reconcile } from "../../../billing/reconcile/reconciliation.ts";
import { logged } from "../../../billing/http/request_log.ts";
import { scheduledHandler } from "../../../billing/http/scheduled_handler.ts";
import { recordRun } from "../../../billing/operations/job_runs.ts";
import { connectStripe, isLiveKey } from "../../../billing/stripe.ts";

const config = configOrExit(readScheduledConfig);
const db = connectDatabase(config.databaseUrl, { max: 2 });
const deps = { db, stripe: connectStripe(config.stripe), isLive: isLiveKey(config.stripe.secretKey) };

/** The schedule waits for 55 seconds; one page and its repairs may still be under way when the time is over. */
const TIME_LIMIT_MS = 30_000;

export default {
  fetch: logged(scheduledHandler({
    secret: config.cronSecret,
    run: () => recordRun(deps.db, "reconcile", () => reconcile(deps, { timeLimit: TIME_LIMIT_MS })),
  })),
};
