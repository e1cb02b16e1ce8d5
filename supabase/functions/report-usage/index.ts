// Sends metered usage to Stripe, and compares it with what Stripe counts once a day. A schedule in the database calls it
// every five minutes.
import { configOrExit, readScheduledConfig } from "../../../billing/config.ts";
import { Deadline } from "../../../billing/deadline.ts";
import { connectDatabase } from "../../../billing/db/database.ts";
import { logged } from "../../../billing/http/request_log.ts";
import { scheduledHandler } from "../../../billing/http/scheduled_handler.ts";
import { recordRun } from "../../../billing/operations/job_runs.ts";
import { connectStripe } from "../../../billing/stripe.ts";
import { checkUsage } from "../../../billing/usage/meter_check.ts";
import { callsPerSecond, reportUsage } from "../../../billing/usage/usage_reports.ts";

const config = configOrExit(readScheduledConfig);
const db = connectDatabase(config.databaseUrl, { max: 4 });
const stripe = connectStripe(config.stripe);
const perSecond = callsPerSecond(config.stripe.secretKey);
const DAY_MS = 86_400_000;
/** The schedule waits 55 seconds (billing.call_function). */
const RUN_MS = 50_000;

async function run() {
  const deadline = Deadline.in(RUN_MS);
  const reported = await reportUsage({ db, stripe }, { perSecond, seconds: 25, deadline });
  const checked = await checkUsage({ db, stripe }, {
    checkedBefore: new Date(Date.now() - DAY_MS),
    seconds: 10,
    deadline,
  });
  return { ...reported, ...checked };
}

export default {
  fetch: logged(
    scheduledHandler({ secret: config.cronSecret, run: () => recordRun(db, "report-usage", run) }),
  ),
};
