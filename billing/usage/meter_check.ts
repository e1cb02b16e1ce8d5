import type Stripe from "stripe";
import { z } from "zod";
import { callDatabase, type Database, orUnavailable } from "../db/database.ts";
import type { Deadline } from "../deadline.ts";
import { connectMeters, type Meters } from "./meters.ts";
import { isMissing } from "../stripe.ts";

/** A day on which Stripe's meter counts something else than was reported. */
export interface UsageDifference {
  stripeCustomerId: string;
  meterEventName: string;
  /** The day, UTC: 2026-11-22. */
  day: string;
  reported: number;
  counted: number;
}

/** The result of a check. */
export interface UsageCheckReport {
  /** How many pairs of customer and meter were compared. */
  compared: number;
  differences: UsageDifference[];
}

export interface UsageCheckOptions {
  /** Skips those that were compared since then. By default everything is compared. */
  checkedBefore?: Date;
  /** Starts no new comparison after this many seconds; the next check continues. */
  seconds?: number;
  /** By when the check has to be over. */
  deadline?: Deadline;
}

const DAY = 86400;
/** Stripe accepts usage of the last 35 days. */
const DAYS = 35;
const AT_ONCE = 20;

/**
 * Compares what Stripe's meters count with the reports that were sent, for each customer and meter and each of the last 35
 * whole days (UTC). Stripe may accept a meter event and refuse it later; this finds it even when Stripe's error report was
 * lost. A difference is reported as an anomaly, which is resolved when the difference is gone.
 *
 * Throws `database_unavailable` or `stripe_unavailable`.
 */
export async function checkUsage(
  { db, stripe }: { db: Database; stripe: Stripe },
  { checkedBefore = new Date(), seconds = Infinity, deadline: end }: UsageCheckOptions = {},
): Promise<UsageCheckReport> {
  const meters = connectMeters(stripe, end);
  const to = Math.floor(Date.now() / 1000 / DAY) * DAY;
  const period = { from: to - DAYS * DAY, to };
  const deadline = performance.now() + seconds * 1000;
  const report: UsageCheckReport = { compared: 0, differences: [] };
  const seen = new Set<string>();
  while (performance.now() < deadline) {
    // If the database's clock is behind ours, it returns queues that were just compared.
    const queues = (await readQueues(db, period, checkedBefore)).filter((queue) => !seen.has(keyOf(queue)));
    if (queues.length === 0) break;
    for (const queue of queues) {
      seen.add(keyOf(queue));
      const differences = await compare(meters, queue, period);
      await finish(db, queue, differences);
      report.compared++;
      report.differences.push(...differences);
    }
  }
  return report;
}

const queuesSchema = z.array(z.object({
  stripe_customer_id: z.string(),
  meter_event_name: z.string(),
  days: z.array(z.object({ starts_at: z.number(), quantity: z.number(), is_final: z.boolean() })),
}));
/** The usage reports of one customer and meter, by day. */
type Queue = z.output<typeof queuesSchema>[number];
type Period = { from: number; to: number };

const keyOf = ({ stripe_customer_id, meter_event_name }: Queue) =>
  `${stripe_customer_id} ${meter_event_name}`;

async function readQueues(db: Database, { from, to }: Period, checkedBefore: Date): Promise<Queue[]> {
  return await callDatabase(
    queuesSchema,
    db`select billing.usage_to_check(to_timestamp(${from}), to_timestamp(${to}), ${checkedBefore}, ${AT_ONCE})`,
  );
}

async function compare(meters: Meters, queue: Queue, period: Period): Promise<UsageDifference[]> {
  const { stripe_customer_id: stripeCustomerId, meter_event_name: meterEventName } = queue;
  const counted = await countedByDay(meters, queue, period);
  const reported = new Map(queue.days.map(({ starts_at, quantity }) => [starts_at, quantity]));
  const notFinal = new Set(queue.days.filter((day) => !day.is_final).map(({ starts_at }) => starts_at));
  return [...new Set([...reported.keys(), ...counted.keys()])].sort()
    .filter((day) => !notFinal.has(day) && (reported.get(day) ?? 0) !== (counted.get(day) ?? 0))
    .map((day) => ({
      stripeCustomerId,
      meterEventName,
      day: new Date(day * 1000).toISOString().slice(0, 10),
      reported: reported.get(day) ?? 0,
      counted: counted.get(day) ?? 0,
    }));
}

async function countedByDay(meters: Meters, queue: Queue, period: Period): Promise<Map<number, number>> {
  try {
    const usage = await meters.usage(queue.meter_event_name, queue.stripe_customer_id, {
      ...period,
      byDay: true,
    });
    return new Map(usage.map(({ startsAt, quantity }) => [startsAt, quantity]));
  } catch (error) {
    // Stripe counts nothing for a customer that was deleted.
    if (isMissing(error)) return new Map();
    throw error;
  }
}

async function finish(db: Database, queue: Queue, differences: UsageDifference[]): Promise<void> {
  const descriptions = differences.map(({ day, reported, counted }) =>
    `${day}: ${reported} reported, ${counted} counted by Stripe`
  );
  await orUnavailable(db`
    select billing.finish_usage_check(
      ${queue.stripe_customer_id}, ${queue.meter_event_name}, ${
    descriptions.length > 0 ? descriptions.join("; ") : null
  })`);
}
