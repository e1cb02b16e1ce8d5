/**
 * `deno task reconcile [--json]`: makes the stored state equal to Stripe's, and prints what it found: a table, or one line
 * of JSON.
 */
import { parseArgs } from "node:util";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { recordRun } from "../operations/job_runs.ts";
import { reconcile, type ReconcileReport } from "../reconcile/reconciliation.ts";
import { connectStripe } from "../stripe.ts";
import { connectOperator } from "./operator.ts";

const { json } = parseArgs({ options: { json: { type: "boolean", default: false } } }).values;
const config = configOrExit(readOperatorConfig);
await using db = connectOperator(config.operatorDatabaseUrl);
const stripe = connectStripe(config.stripe);
const report = await recordRun(db, "reconcile", () => reconcile({ db, stripe }));
if (json) console.log(JSON.stringify(report));
else print(report);

function print(report: ReconcileReport) {
  console.log(
    `Looked at ${report.eventsSeen} events since ${report.eventsFrom} and ${report.objectsCompared} objects.`,
  );
  const rows = [
    ...report.missedEvents.map(({ id, type, outcome }) => ({
      found: "missed event",
      id,
      what: type,
      now: outcome,
    })),
    ...report.processedEvents.map(({ id, type, outcome }) => ({
      found: "open event",
      id,
      what: type,
      now: outcome,
    })),
    ...report.linkedCustomers.map(({ id, communityId }) => ({
      found: "unlinked customer",
      id,
      what: communityId,
      now: "linked",
    })),
    ...report.forgottenCustomers.map(({ id, communityId }) => ({
      found: "deleted customer",
      id,
      what: communityId,
      now: "forgotten",
    })),
    ...report.repairs.map(({ kind, id, communityId, was, is }) => ({
      found: `${kind} differed`,
      id,
      what: `${communityId}: was ${was ?? "unknown"}`,
      now: is,
    })),
    ...report.missingInStripe.map((id) => ({
      found: "missing in Stripe",
      id,
      what: "kept as it is",
      now: "",
    })),
    ...report.unreadable.map((id) => ({ found: "not understood", id, what: "left alone", now: "" })),
    ...report.expiredCheckoutSessions.map((id) => ({
      found: "left over checkout",
      id,
      what: "",
      now: "expired",
    })),
  ];
  if (rows.length > 0) console.table(rows);
  else console.log("Nothing differed from Stripe.");
  if (report.plansChanged > 0) {
    console.log(
      `${report.plansChanged} plans were corrected: a grace period ended, or somebody had changed them.`,
    );
  }
  if (report.payloadsReduced > 0) {
    console.log(`${report.payloadsReduced} old payloads were reduced to their ids.`);
  }
}
