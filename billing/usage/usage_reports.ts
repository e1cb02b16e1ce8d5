import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase, type Database, orUnavailable } from "../db/database.ts";
import { Deadline } from "../deadline.ts";
import { connectMeters } from "./meters.ts";
import {
  deliverUsageReport,
  type DeliveryDependencies,
  type DeliveryResult,
  type UsageReport,
} from "./usage_report_delivery.ts";

/** How many usage reports had which outcome in one run. */
export interface UsageReportRun {
  sent: number;
  /** To be tried again by a later run. */
  retried: number;
  refused: number;
  givenUp: number;
}

export interface UsageReportOptions {
  /** Maximum number of calls to Stripe in a second. */
  perSecond: number;
  /** How many reports are sent at once. */
  atOnce?: number;
  /** Claims no more reports after this many seconds; the next run continues. */
  seconds?: number;
  /** How long a claim lasts. Must be longer than delivering a report can take. */
  leaseSeconds?: number;
  /** By when the run has to be over. */
  deadline?: Deadline;
}

/**
 * How often a worker may call Stripe in a second. Stripe allows 1,000 meter events a second in live mode; in a sandbox they
 * count as other calls, 25 a second (https://docs.stripe.com/rate-limits). The rest is left to other workers. A report that
 * Stripe refuses for its rate is sent later.
 */
export const callsPerSecond = (secretKey: string): number => /^\wk_live_/.test(secretKey) ? 500 : 20;

/** How long delivering one report may take, unless the run has less time. */
const DELIVERY_MS = 60_000;

/**
 * Sends the due usage reports to Stripe until none is left or the time is up.
 *
 * Any number of workers may run at once. The database gives each report to one worker, and never two reports of one customer
 * and meter at the same time. When a worker dies its claims end with their lease; the reports are then sent again under the
 * same identifier, which Stripe counts once.
 *
 * Throws `database_unavailable`; reports that were being sent are sent again later.
 */
export async function reportUsage(
  { db, stripe }: { db: Database; stripe: Stripe },
  { perSecond, atOnce = 20, seconds = 30, leaseSeconds = 120, deadline: end }: UsageReportOptions,
): Promise<UsageReportRun> {
  const run: UsageReportRun = { sent: 0, retried: 0, refused: 0, givenUp: 0 };
  const deadline = performance.now() + seconds * 1000;
  const turn = turnsPerSecond(perSecond);
  const deps: Omit<DeliveryDependencies, "deadline"> = {
    stripe,
    meters: connectMeters(stripe, end),
    deliveredUsage: (report, from, to) => deliveredUsage(db, report, from, to),
  };

  while (performance.now() < deadline) {
    const claims = await claim(db, atOnce, leaseSeconds);
    if (claims.length === 0) break;
    const results = await Promise.allSettled(claims.map(async ({ claimId, report }) => {
      await turn();
      const result = await deliverUsageReport(
        { ...deps, deadline: end ?? Deadline.in(DELIVERY_MS) },
        report,
      );
      await recordOutcome(db, report, claimId, result);
      return result;
    }));
    const deliveries = results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
    for (const { outcome } of deliveries) run[counters[outcome]]++;
    if (deliveries.some((delivery) => delivery.outcome === "retry" && delivery.affectsAll)) break;
  }
  return run;
}

const counters = { sent: "sent", retry: "retried", refused: "refused", given_up: "givenUp" } as const;

const claimsSchema = z.array(
  z.object({
    identifier: z.string(),
    claim_id: z.string(),
    stripe_customer_id: z.string(),
    meter_event_name: z.string(),
    quantity: z.number(),
    used_at: z.number(),
    attempts: z.number(),
  }).transform(({ claim_id, ...report }) => ({
    claimId: claim_id,
    report: {
      identifier: report.identifier,
      stripeCustomerId: report.stripe_customer_id,
      meterEventName: report.meter_event_name,
      quantity: report.quantity,
      usedAt: report.used_at,
      attempts: report.attempts,
    } satisfies UsageReport,
  })),
);

async function claim(db: Database, max: number, leaseSeconds: number) {
  return await callDatabase(
    claimsSchema,
    db`select billing.claim_usage_reports(${max}, make_interval(secs => ${leaseSeconds}))`,
  );
}

async function recordOutcome(
  db: Database,
  { identifier }: UsageReport,
  claimId: string,
  result: DeliveryResult,
): Promise<void> {
  const error = "error" in result ? result.error : null;
  const retryIn = result.outcome === "retry" ? result.retryInSeconds : 0;
  await orUnavailable(db`
    select billing.record_usage_report_outcome(
      ${identifier}, ${claimId}, ${result.outcome}, ${error}, make_interval(secs => ${retryIn}))`);
}

async function deliveredUsage(db: Database, report: UsageReport, from: number, to: number): Promise<number> {
  return await callDatabase(
    z.coerce.number(),
    db`
      select billing.delivered_usage(
        ${report.stripeCustomerId}, ${report.meterEventName}, to_timestamp(${from}), to_timestamp(${to}))`,
  );
}

/** A function that resolves `perSecond` times a second, at even intervals, in the order of the calls. */
function turnsPerSecond(perSecond: number): () => Promise<void> {
  let next = 0;
  return async () => {
    const now = performance.now();
    const mine = Math.max(now, next);
    next = mine + 1000 / perSecond;
    if (mine > now) await new Promise((resolve) => setTimeout(resolve, mine - now));
  };
}
