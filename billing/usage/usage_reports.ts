import type Stripe from "stripe";
import { z } from "zod";
import { type Database, orUnavailable } from "../db/database.ts";
import { connectMeters } from "./meters.ts";
import {
  deliverUsageReport,
  type DeliveryDependencies,
  type UsageReport,
  type Verdict,
} from "./usage_report_delivery.ts";

/** How many usage reports came to what in one run. */
export interface UsageReportRun {
  sent: number;
  /** Not now; a later run tries again. */
  retried: number;
  refused: number;
  givenUp: number;
}

export interface UsageReportOptions {
  /** Stripe is called at most so often in a second. */
  perSecond: number;
  /** How many customers and meters are served at once. */
  atOnce?: number;
  /** After that nothing new is begun: the next run goes on. */
  seconds?: number;
  /** How long a claim holds. Longer than a call to Stripe may take. */
  leaseSeconds?: number;
}

/**
 * How often Stripe may be called: a thousand meter events a second in live mode, and in a sandbox as any other call, 25
 * (https://docs.stripe.com/rate-limits). Half of the one leaves room for other workers; what is refused nonetheless is
 * sent later.
 */
export const callsPerSecond = (secretKey: string): number => /^\wk_live_/.test(secretKey) ? 500 : 20;

/**
 * Sends what is due in the outbox to Stripe, until nothing is left or the time is up.
 *
 * Any number may run at once. The database hands each report to one of them, and no two reports of one customer and meter
 * at the same time. Whoever dies in the middle leaves a claim that runs out; the report is then sent again under the same
 * identifier, which Stripe counts once.
 *
 * Throws `database_unavailable`; what was on its way then is sent again later.
 */
export async function reportUsage(
  { db, stripe }: { db: Database; stripe: Stripe },
  { perSecond, atOnce = 20, seconds = 30, leaseSeconds = 120 }: UsageReportOptions,
): Promise<UsageReportRun> {
  const run: UsageReportRun = { sent: 0, retried: 0, refused: 0, givenUp: 0 };
  const deadline = performance.now() + seconds * 1000;
  const turn = turnsPerSecond(perSecond);
  const deps: DeliveryDependencies = {
    stripe,
    meters: connectMeters(stripe),
    deliveredUsage: (report, from, to) => deliveredUsage(db, report, from, to),
  };

  while (performance.now() < deadline) {
    const claims = await claim(db, atOnce, leaseSeconds);
    if (claims.length === 0) break;
    const settled = await Promise.allSettled(claims.map(async ({ claimId, report }) => {
      await turn();
      const verdict = await deliverUsageReport(deps, report);
      await settle(db, report, claimId, verdict);
      return verdict;
    }));
    const verdicts = settled.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
    for (const { outcome } of verdicts) run[counters[outcome]]++;
    if (verdicts.some((verdict) => verdict.outcome === "retry" && verdict.affectsAll)) break;
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

async function claim(db: Database, most: number, leaseSeconds: number) {
  const [{ claims }] = await orUnavailable(
    db<[{ claims: unknown }]>`
      select billing.claim_usage_reports(${most}, make_interval(secs => ${leaseSeconds})) as claims`,
  );
  return claimsSchema.parse(claims);
}

async function settle(db: Database, { identifier }: UsageReport, claimId: string, verdict: Verdict) {
  const error = "error" in verdict ? verdict.error : null;
  const retryIn = verdict.outcome === "retry" ? verdict.retryInSeconds : 0;
  await orUnavailable(db`
    select billing.record_usage_report_outcome(
      ${identifier}, ${claimId}, ${verdict.outcome}, ${error}, make_interval(secs => ${retryIn}))`);
}

async function deliveredUsage(db: Database, report: UsageReport, from: number, to: number): Promise<number> {
  const [{ quantity }] = await orUnavailable(
    db<[{ quantity: string }]>`
      select billing.delivered_usage(
        ${report.stripeCustomerId}, ${report.meterEventName}, to_timestamp(${from}), to_timestamp(${to})) as quantity`,
  );
  return Number(quantity);
}

/** Resolves for so many callers in a second, evenly spread. */
function turnsPerSecond(perSecond: number): () => Promise<void> {
  let next = 0;
  return async () => {
    const now = performance.now();
    const mine = Math.max(now, next);
    next = mine + 1000 / perSecond;
    if (mine > now) await new Promise((resolve) => setTimeout(resolve, mine - now));
  };
}
