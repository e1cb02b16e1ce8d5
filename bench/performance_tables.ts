/** The tables of docs/performance.md and of `deno task bench`. */
import { verdictsOf } from "./goals.ts";
import { EXTENTS } from "./parts/extent.ts";
import type { Results } from "./results.ts";
import type { Spread } from "./measure/statistics.ts";
import { digits, type Table } from "./tables.ts";

const range = ({ median, min, max }: Spread) => `${digits(median)} (${digits(min)}–${digits(max)})`;

export function goalTable(results: Results): Table {
  return {
    title: "Goals",
    head: ["what", "goal", "measured", ""],
    rows: verdictsOf(results).map(({ what, goal, value, unit, isMet }) => [
      what,
      goal,
      value === null ? "not measured" : `${digits(value)}${unit && ` ${unit}`}`,
      isMet ? "met" : value === null ? "–" : "missed",
    ]),
  };
}

const repeats = ({ repeated, disturbed }: { repeated: number; disturbed: number }) =>
  `${repeated} / ${disturbed}`;

function webhookTables({ webhook }: Results): Table[] {
  if (!webhook) return [];
  return [{
    title: "Webhooks: median (lowest–highest) of the turns",
    head: [
      "in flight",
      "contender",
      "events/s",
      "to lean",
      "p50 ms",
      "p99 ms",
      "CPU ms an event: server",
      "Postgres",
      "to lean",
      "WAL bytes",
      "events",
      "slices repeated / disturbed",
    ],
    rows: webhook.figures.map((figures) => [
      String(figures.inFlight),
      figures.contender,
      range(figures.perSecond),
      range(figures.toLean),
      digits(figures.latency.p50),
      digits(figures.latency.p99),
      digits(figures.serverCpu),
      digits(figures.postgresCpu),
      digits(figures.cpuToLean),
      digits(figures.walBytes),
      digits(figures.events),
      repeats(figures),
    ]),
  }, {
    title: "What became of the events, from each contender's database",
    head: ["contender", "accepted", "outcomes", "subscriptions in another state than their newest event"],
    rows: Object.entries(webhook.work).map(([name, { accepted, outcomes, wrongStates }]) => [
      name,
      digits(accepted),
      Object.entries(outcomes).map(([outcome, count]) => `${digits(count)} ${outcome}`).join(", "),
      String(wrongStates),
    ]),
  }];
}

function burstTables({ burst }: Results): Table[] {
  if (!burst) return [];
  const counts = (of: Record<string, number>) =>
    Object.entries(of).map(([name, count]) => `${digits(count)} ${name}`).join(", ");
  return [{
    title: `A burst of ${digits(burst.events)} events in ${burst.seconds} s`,
    head: ["what", ""],
    rows: [
      ["events that need Stripe, which answers after 100 ms", digits(burst.needStripe)],
      ["calls of Stripe; most at once", `${digits(burst.stripeAsked)}; ${burst.mostAskedAtOnce}`],
      [
        "from when an event is due to its answer: p50, p95, p99, latest",
        [burst.latency.p50, burst.latency.p95, burst.latency.p99, burst.latency.max].map(digits).join(", ") +
        " ms",
      ],
      ["answers", counts(burst.statuses)],
      ["outcomes in the event log", counts(burst.outcomes)],
      ["accepted and not in the event log; refused", `${burst.lost}; ${burst.refused}`],
      [
        "memory before, at its peak, after",
        [burst.memoryBeforeMb, burst.memoryPeakMb, burst.memoryAfterMb].map(digits).join(", ") + " MB",
      ],
    ],
  }];
}

function serverTables({ server }: Results): Table[] {
  if (!server) return [];
  return [{
    title: "Reads over HTTP, beside a bare server with the same bytes",
    head: [
      "what",
      "in flight",
      "contender",
      "requests/s",
      "to bare",
      "p50 ms",
      "p99 ms",
      "server CPU ms",
      "bytes",
      "slices repeated / disturbed",
    ],
    rows: server.reads.map((figures) => [
      figures.what,
      String(figures.inFlight),
      figures.contender,
      range(figures.perSecond),
      range(figures.toBare),
      digits(figures.latency.p50),
      digits(figures.latency.p99),
      digits(figures.serverCpu),
      digits(figures.bytes),
      repeats(figures),
    ]),
  }, {
    title: "The built server",
    head: ["what", ""],
    rows: [
      [`start to first answer, ${server.starts} starts`, `${range(server.start)} ms`],
      ["memory at first", `${digits(server.memory.beforeMb)} MB`],
      [`memory after ${digits(server.memory.webhooks)} webhooks`, `${digits(server.memory.afterMb)} MB`],
    ],
  }];
}

function quotaTables({ quota }: Results): Table[] {
  if (!quota || quota.figures.length === 0) return [];
  return [{
    title: "One use of a feature, by pgbench",
    head: [
      "communities",
      "at once",
      "way",
      "calls/s",
      "to insert",
      "p50 ms",
      "p99 ms",
      "calls",
      "slices repeated / disturbed",
    ],
    rows: quota.figures.map((figures) => [
      figures.scene === "hot" ? "one" : "1,000",
      String(figures.clients),
      figures.way,
      range(figures.perSecond),
      range(figures.toInsert),
      digits(figures.latency.p50),
      digits(figures.latency.p99),
      digits(figures.calls),
      repeats(figures),
    ]),
  }, {
    title: "consume_quota as the history of its community grows",
    head: ["events in 29 days", "p50 ms", "p95 ms", "p99 ms", "calls"],
    rows: quota.histories.map(({ events, latency, calls }) => [
      digits(events),
      digits(latency.p50),
      digits(latency.p95),
      digits(latency.p99),
      digits(calls),
    ]),
  }];
}

export const figureTables = (results: Results): Table[] => [
  ...webhookTables(results),
  ...burstTables(results),
  ...serverTables(results),
  ...quotaTables(results),
];

/** Where and how it was measured, and how quiet it was there. */
export function conditions(results: Results): string {
  const { machine, postgres, extent, takenAt, webhook, server, quota } = results;
  const figures = [...webhook?.figures ?? [], ...server?.reads ?? [], ...quota?.figures ?? []];
  const slices = figures.length * EXTENTS[extent].turns;
  const disturbed = figures.reduce((sum, figure) => sum + figure.disturbed, 0);
  const noise = disturbed > slices / 4 ? " Such a run shows that the instruments work, and little else." : "";
  return `Measured on ${
    takenAt.slice(0, 10)
  } (${extent} run): ${machine.cores} cores of ${machine.processor}, ` +
    `${machine.memoryGb} GB, ${machine.os}, Deno ${machine.deno}. Postgres ${postgres.version} with fsync ` +
    `${postgres.fsync} (${postgres.walSyncMethod}, on ${postgres.fileSystem}), synchronous_commit ` +
    `${postgres.synchronousCommit}, shared_buffers ${postgres.sharedBuffers}; load process, servers and Postgres share ` +
    `the cores. Other load disturbed ${disturbed} of the ${slices} slices that count.${noise}`;
}
