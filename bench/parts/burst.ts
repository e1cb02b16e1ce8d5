/** A burst: many events at a fixed rate, a tenth of which only Stripe can order, at a Stripe that takes its time. */
import type { Cluster } from "../../local/postgres/cluster.ts";
import { duesContender } from "../contenders/webhook_contenders.ts";
import { startStripeStub } from "../contenders/stripe_stub.ts";
import { type EventSeries, isTie } from "../load/event_series.ts";
import { LoadProcess } from "../load/load.ts";
import { memoryMb } from "../measure/machine.ts";
import { startServer } from "../measure/running_server.ts";
import { type Latencies, latencies } from "../measure/statistics.ts";
import { waitingEvents, webhookFunction } from "../product.ts";
import { newSeries } from "./webhook.ts";
import type { Extent } from "./extent.ts";

const TIE_EVERY = 10;
const STRIPE_DELAY_MS = 100;
/** Stripe keeps many deliveries open at once. */
const CONNECTIONS = 200;
/** How long events that wait for Stripe may take after the burst. */
const SETTLE_MS = 20_000;

export interface BurstResults {
  events: number;
  seconds: number;
  /** Events that need Stripe, and how often it was asked. */
  needStripe: number;
  stripeAsked: number;
  mostAskedAtOnce: number;
  /** From when an event was due to its answer, ms; a sorted sample for the plot. */
  latency: Latencies;
  sample: number[];
  statuses: Record<string, number>;
  /** Of the burst's events, in the event log. */
  outcomes: Record<string, number>;
  /** Answered 200 and not in the event log, or not answered 200. */
  lost: number;
  refused: number;
  memoryBeforeMb: number;
  memoryPeakMb: number;
  memoryAfterMb: number;
  faults: string[];
}

export async function measureBurst(cluster: Cluster, { burst }: Extent): Promise<BurstResults> {
  const { events, seconds } = burst;
  const series: EventSeries = { ...await newSeries(events), tieEvery: TIE_EVERY };
  const contender = await duesContender(cluster, series);
  const { sql } = contender.database;
  try {
    // What Stripe says of a subscription: as the second event of its customer.
    await using stub = startStripeStub(series, {
      delayMs: STRIPE_DELAY_MS,
      eventOf: (customer) => series.customers + customer,
    });
    await using server = await startServer(
      webhookFunction(contender.database.url("billing_service"), stub.url),
    );
    await using load = new LoadProcess();
    const common = {
      kind: "events",
      series,
      port: server.port,
      path: "/",
      secret: contender.secret,
    } as const;
    // Each customer has a subscription, and the server is warm. These ask nothing.
    const first = await load.run({ ...common, from: 0, inFlight: 16, warmUp: 0, count: events });
    await sql`vacuum analyze`;
    const seeded = await contender.outcomes();

    const memoryBeforeMb = memoryMb(server.pid);
    let memoryPeakMb = memoryBeforeMb;
    const sampling = setInterval(() => memoryPeakMb = Math.max(memoryPeakMb, memoryMb(server.pid)), 100);
    const result = await load.run({
      ...common,
      from: events,
      inFlight: CONNECTIONS,
      warmUp: 0,
      count: events,
      perSecond: events / seconds,
    });
    clearInterval(sampling);

    const settled = Date.now() + SETTLE_MS;
    while ((await waitingEvents(sql)).length > 0 && Date.now() < settled) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const all = await contender.outcomes();
    const outcomes = Object.fromEntries(
      Object.entries(all).map(([outcome, count]) => [outcome, count - (seeded[outcome] ?? 0)]),
    );
    const logged = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
    const needStripe = Array.from({ length: events }, (_, i) =>
      events + i).filter((n) => isTie(series, n)).length;
    const faults: string[] = [];
    if (first.accepted !== events || seeded.applied !== events) {
      faults.push(
        `burst: of ${events} first events ${first.accepted} were accepted, ${seeded.applied} applied.`,
      );
    }
    if (stub.asked.known === 0) faults.push("burst: Stripe was never asked, so nothing waited for it.");
    if (stub.asked.unknown.length > 0) {
      faults.push(`burst: Stripe was asked for what its stand-in does not have: ${stub.asked.unknown[0]}`);
    }
    for (const [outcome, count] of Object.entries(outcomes)) {
      if (outcome !== "applied" && outcome !== "pending" && count > 0) {
        faults.push(`burst: ${count} events were ${outcome} instead of applied.`);
      }
    }
    const sorted = result.latencies.toSorted((a, b) => a - b);
    return {
      events,
      seconds,
      needStripe,
      stripeAsked: stub.asked.known,
      mostAskedAtOnce: stub.asked.mostAtOnce,
      latency: latencies(result.latencies),
      sample: Array.from({ length: 101 }, (_, i) => sorted[Math.round(i / 100 * (sorted.length - 1))]),
      statuses: result.statuses,
      outcomes,
      lost: Math.max(0, result.accepted - logged),
      refused: result.sent - result.accepted,
      memoryBeforeMb,
      memoryPeakMb,
      memoryAfterMb: memoryMb(server.pid),
      faults,
    };
  } finally {
    await sql.close();
  }
}
