/** What the product has to reach. All ratios are of contenders that took turns in one run. */
import type { Results } from "./results.ts";

/** A goal and what a run says about it. */
export interface Verdict {
  what: string;
  /** As in ">= 0.55" or "<= 20 ms". */
  goal: string;
  /** Null when the run did not measure it. */
  value: number | null;
  unit: string;
  isMet: boolean;
}

interface Goal {
  what: string;
  atLeast?: number;
  atMost?: number;
  unit?: string;
  value(results: Results): number | null | undefined;
}

const webhook = (results: Results, contender: string, inFlight: number) =>
  results.webhook?.figures.find((figures) =>
    figures.contender === contender && figures.inFlight === inFlight
  );

/** How many times an npm peer's events a second the product makes. */
function toPeer(results: Results, peer: string, inFlight: number): number | null {
  const [mine, theirs] = [webhook(results, "dues", inFlight), webhook(results, peer, inFlight)];
  return mine && theirs ? mine.perSecond.median / theirs.perSecond.median : null;
}

const read = (results: Results, what: string, inFlight: number) =>
  results.server?.reads.find((figures) =>
    figures.what === what && figures.inFlight === inFlight && figures.contender === "dues"
  );

const use = (results: Results, scene: string, clients: number) =>
  results.quota?.figures.find((figures) =>
    figures.scene === scene && figures.clients === clients && figures.way === "consume_quota"
  );

/** p99 in the longest history to that in the shortest. */
function growth({ quota }: Results): number | null {
  if (!quota || quota.histories.length < 2) return null;
  return quota.histories.at(-1)!.latency.p99 / quota.histories[0].latency.p99;
}

export const PEERS = ["@stripe/sync-engine", "@better-auth/stripe"];

const GOALS: Goal[] = [
  ...[[1, 0.55], [16, 0.9], [64, 1]].map(([inFlight, atLeast]): Goal => ({
    what: `webhook to the lean handler, ${inFlight} in flight`,
    atLeast,
    value: (results) => webhook(results, "dues", inFlight)?.toLean.median,
  })),
  ...PEERS.flatMap((peer) =>
    [16, 64].map((inFlight): Goal => ({
      what: `webhook to ${peer}, ${inFlight} in flight`,
      atLeast: 3,
      value: (results) => toPeer(results, peer, inFlight),
    }))
  ),
  {
    what: "CPU of server and Postgres an event to the lean handler's, 16 in flight",
    atMost: 1.2,
    value: (results) => webhook(results, "dues", 16)?.cpuToLean,
  },
  {
    what: "burst: latest answer",
    atMost: 5000,
    unit: "ms",
    value: ({ burst }) => burst?.latency.max,
  },
  {
    what: "burst: events lost or refused",
    atMost: 0,
    value: ({ burst }) => burst && burst.lost + burst.refused,
  },
  {
    what: "burst: memory at its peak to that before",
    atMost: 1.25,
    value: ({ burst }) => burst && burst.memoryPeakMb / burst.memoryBeforeMb,
  },
  ...[1, 16].map((inFlight): Goal => ({
    what: `billing info to a bare server, ${inFlight} in flight`,
    atLeast: 0.25,
    value: (results) => read(results, "billing info", inFlight)?.toBare.median,
  })),
  {
    what: "billing info, p50, 1 in flight",
    atMost: 4,
    unit: "ms",
    value: (results) => read(results, "billing info", 1)?.latency.p50,
  },
  ...[1, 16].map((inFlight): Goal => ({
    what: `page to a bare server, ${inFlight} in flight`,
    atLeast: 0.4,
    value: (results) => read(results, "page", inFlight)?.toBare.median,
  })),
  ...([["hot", 1, 0.6], ["hot", 16, 0.35], ["spread", 16, 0.5]] as const).map((
    [scene, clients, atLeast],
  ): Goal => ({
    what: `consume_quota to a bare insert, ${
      scene === "hot" ? "one community" : "spread"
    }, ${clients} at once`,
    atLeast,
    value: (results) => use(results, scene, clients)?.toInsert.median,
  })),
  {
    what: "consume_quota, p99, one community, 16 at once",
    atMost: 20,
    unit: "ms",
    value: (results) => use(results, "hot", 16)?.latency.p99,
  },
  { what: "consume_quota, p99 in the longest history to the shortest", atMost: 1.2, value: growth },
  {
    what: "start of the built server to its first answer",
    atMost: 350,
    unit: "ms",
    value: ({ server }) => server?.start.median,
  },
  {
    what: "memory of the built server after many webhooks",
    atMost: 100,
    unit: "MB",
    value: ({ server }) => server?.memory.afterMb,
  },
];

/** Every goal, with what the run says. What was not measured is not met. */
export function verdictsOf(results: Results): Verdict[] {
  return GOALS.map(({ what, atLeast, atMost, unit = "", value }) => {
    const found = value(results);
    const known = found === undefined || found === null || Number.isNaN(found) ? null : found;
    return {
      what,
      goal: `${atLeast === undefined ? "≤" : "≥"} ${atLeast ?? atMost}${unit && ` ${unit}`}`,
      value: known,
      unit,
      isMet: known !== null && (atLeast === undefined || known >= atLeast) &&
        (atMost === undefined || known <= atMost),
    };
  });
}
