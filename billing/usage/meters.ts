import type Stripe from "stripe";
import { Deadline } from "../deadline.ts";
import { listAll } from "../stripe.ts";

/** Reads Stripe's meters (https://docs.stripe.com/api/billing/meter). */
export interface Meters {
  /** What a meter counts for a customer within a period. Empty when there is no meter of that event name. */
  usage(eventName: string, customer: string, period: MeterPeriod): Promise<MeteredUsage[]>;
}

/** `from` and `to` in unix seconds, whole minutes; whole days (UTC) with `byDay`, which answers day by day. */
export interface MeterPeriod {
  from: number;
  to: number;
  byDay?: boolean;
}

/** `startsAt` in unix seconds. */
export interface MeteredUsage {
  startsAt: number;
  quantity: number;
}

/** How long reading the meters may take, unless the caller has less time. */
const USAGE_MS = 30_000;

/** Lists the meters once, at the first call. Throws like askStripe(), by the deadline if there is one. */
export function connectMeters(stripe: Stripe, deadline?: Deadline): Meters {
  let ids: Promise<Map<string, string>> | undefined;
  return {
    async usage(eventName, customer, { from, to, byDay }) {
      const until = deadline ?? Deadline.in(USAGE_MS);
      const id = (await (ids ??= meterIds(stripe, until))).get(eventName);
      if (id === undefined) return [];
      const summaries = await listAll(until, (page, options) =>
        stripe.billing.meters.listEventSummaries(id, {
          customer,
          start_time: from,
          end_time: to,
          ...page,
          ...(byDay ? { value_grouping_window: "day" } : {}),
        }, options));
      return summaries.map(({ start_time, aggregated_value }) => ({
        startsAt: start_time,
        quantity: aggregated_value,
      }));
    },
  };
}

async function meterIds(stripe: Stripe, deadline: Deadline): Promise<Map<string, string>> {
  const meters = await listAll(deadline, (page, options) => stripe.billing.meters.list(page, options));
  return new Map(meters.map(({ event_name, id }) => [event_name, id]));
}
