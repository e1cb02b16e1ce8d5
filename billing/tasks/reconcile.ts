/**
 * `deno task reconcile [--json]`: makes the whole stored state equal to Stripe's, and prints what it found: a table, or one
 * line of JSON. Ends with status 1 when something could not be read or brought up to date.
 */
import { parseArgs } from "node:util";
import { configOrExit, readOperatorConfig } from "../config.ts";
import { recordRun } from "../operations/job_runs.ts";
import { reconcile } from "../reconcile/reconciliation.ts";
import type { ReconcileReport } from "../reconcile/report.ts";
import { connectStripe, isLiveKey } from "../stripe.ts";
import { connectOperator } from "./operator.ts";

const { json } = parseArgs({ options: { json: { type: "boolean", default: false } } }).values;
const config = configOrExit(readOperatorConfig);
await using db = connectOperator(config.operatorDatabaseUrl);
const deps = { db, stripe: connectStripe(config.stripe), isLive: isLiveKey(config.stripe.secretKey) };
const report = await recordRun(db, "reconcile", () => reconcile(deps, { isFull: true }));
if (json) console.log(JSON.stringify(report));
else print(report);
if (report.failedParts.length + report.failedObjects.length > 0) Deno.exitCode = 1;

function print(report: ReconcileReport) {
  console.log(
    `Looked at ${report.eventsSeen} events and ${report.objectsCompared} objects.`,
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
    ...report.failedObjects.map(({ id, error }) => ({
      found: "failed",
      id,
      what: error,
      now: "tried again later",
    })),
    ...report.failedParts.map(({ part, error }) => ({ found: "failed", id: part, what: error, now: "" })),
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
