import type Stripe from "stripe";
import { z } from "zod";
import { type Database, orUnavailable } from "../db/database.ts";
import { connectMeters, type Meters } from "./meters.ts";
import { isMissing, orStripeUnavailable } from "../stripe.ts";

/** A day on which Stripe does not count what was reported. */
export interface UsageDifference {
  stripeCustomerId: string;
  meterEventName: string;
  /** The day, UTC: 2026-11-22. */
  day: string;
  reported: number;
  counted: number;
}

/** What a check looked at and found. */
export interface UsageCheckReport {
  /** Pairs of customer and meter. */
  compared: number;
  differences: UsageDifference[];
}

export interface UsageCheckOptions {
  /** Those compared since then are left out; everything is compared when left out. */
  checkedBefore?: Date;
  /** After that nothing new is begun: the next check goes on. */
  seconds?: number;
}

const DAY = 86400;
/** As far back as Stripe takes usage. */
const DAYS = 35;
const AT_ONCE = 20;

/**
 * Compares what Stripe's meters count with the reports it took, for each customer and meter and each of the last 35 whole
 * days. Stripe may accept a meter event and refuse it later; this is how it shows even when its error report was lost.
 * Every difference is put before the operator, and taken back when it is gone.
 *
 * Throws `database_unavailable` or `stripe_unavailable`.
 */
export async function checkUsage(
  { db, stripe }: { db: Database; stripe: Stripe },
  { checkedBefore = new Date(), seconds = Infinity }: UsageCheckOptions = {},
): Promise<UsageCheckReport> {
  const meters = connectMeters(stripe);
  const to = Math.floor(Date.now() / 1000 / DAY) * DAY;
  const period = { from: to - DAYS * DAY, to };
  const deadline = performance.now() + seconds * 1000;
  const report: UsageCheckReport = { compared: 0, differences: [] };
  const seen = new Set<string>();
  while (performance.now() < deadline) {
    // Where the database's clock is behind ours, those just compared come up again.
    const lanes = (await readLanes(db, period, checkedBefore)).filter((lane) => !seen.has(keyOf(lane)));
    if (lanes.length === 0) break;
    for (const lane of lanes) {
      seen.add(keyOf(lane));
      const differences = await compare(meters, lane, period);
      await finish(db, lane, differences);
      report.compared++;
      report.differences.push(...differences);
    }
  }
  return report;
}

const lanesSchema = z.array(z.object({
  stripe_customer_id: z.string(),
  meter_event_name: z.string(),
  days: z.array(z.object({ starts_at: z.number(), quantity: z.number(), is_final: z.boolean() })),
}));
type Lane = z.output<typeof lanesSchema>[number];
type Period = { from: number; to: number };

const keyOf = ({ stripe_customer_id, meter_event_name }: Lane) => `${stripe_customer_id} ${meter_event_name}`;

async function readLanes(db: Database, { from, to }: Period, checkedBefore: Date): Promise<Lane[]> {
  const [{ lanes }] = await orUnavailable(
    db<[{ lanes: unknown }]>`
      select billing.usage_to_check(to_timestamp(${from}), to_timestamp(${to}), ${checkedBefore}, ${AT_ONCE}) as lanes`,
  );
  return lanesSchema.parse(lanes);
}

async function compare(meters: Meters, lane: Lane, period: Period): Promise<UsageDifference[]> {
  const { stripe_customer_id: stripeCustomerId, meter_event_name: meterEventName } = lane;
  const counted = await countedByDay(meters, lane, period);
  const reported = new Map(lane.days.map(({ starts_at, quantity }) => [starts_at, quantity]));
  const unsettled = new Set(lane.days.filter((day) => !day.is_final).map(({ starts_at }) => starts_at));
  return [...new Set([...reported.keys(), ...counted.keys()])].sort()
    .filter((day) => !unsettled.has(day) && (reported.get(day) ?? 0) !== (counted.get(day) ?? 0))
    .map((day) => ({
      stripeCustomerId,
      meterEventName,
      day: new Date(day * 1000).toISOString().slice(0, 10),
      reported: reported.get(day) ?? 0,
      counted: counted.get(day) ?? 0,
    }));
}

async function countedByDay(meters: Meters, lane: Lane, period: Period): Promise<Map<number, number>> {
  try {
    const usage = await orStripeUnavailable(
      meters.usage(lane.meter_event_name, lane.stripe_customer_id, { ...period, byDay: true }),
    );
    return new Map(usage.map(({ startsAt, quantity }) => [startsAt, quantity]));
  } catch (error) {
    // Of a customer that was deleted nothing is counted any more.
    if (isMissing(error)) return new Map();
    throw error;
  }
}

async function finish(db: Database, lane: Lane, differences: UsageDifference[]): Promise<void> {
  const words = differences.map(({ day, reported, counted }) =>
    `${day}: ${reported} reported, ${counted} counted by Stripe`
  );
  await orUnavailable(db`
    select billing.finish_usage_check(
      ${lane.stripe_customer_id}, ${lane.meter_event_name}, ${words.length > 0 ? words.join("; ") : null})`);
}
