import type Stripe from "stripe";

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

/** Lists the meters once, at the first call. Throws Stripe's own errors. */
export function connectMeters(stripe: Stripe): Meters {
  let ids: Promise<Map<string, string>> | undefined;
  return {
    async usage(eventName, customer, { from, to, byDay }) {
      const id = (await (ids ??= meterIds(stripe))).get(eventName);
      if (id === undefined) return [];
      const usage: MeteredUsage[] = [];
      const summaries = stripe.billing.meters.listEventSummaries(id, {
        customer,
        start_time: from,
        end_time: to,
        limit: 100,
        ...(byDay ? { value_grouping_window: "day" } : {}),
      });
      for await (const { start_time, aggregated_value } of summaries) {
        usage.push({ startsAt: start_time, quantity: aggregated_value });
      }
      return usage;
    },
  };
}

async function meterIds(stripe: Stripe): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for await (const meter of stripe.billing.meters.list({ limit: 100 })) ids.set(meter.event_name, meter.id);
  return ids;
}
