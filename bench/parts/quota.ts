/** Uses of a feature: consume_quota beside a bare insert of the same event, by pgbench, and as the history grows. */
import type { Cluster } from "../../local/postgres/cluster.ts";
import { type BenchDatabase, makeDatabase } from "../measure/durable_postgres.ts";
import { waitForQuiet, watchOthers } from "../measure/machine.ts";
import { callsFor, hasPgbench, runPgbench } from "../measure/pgbench.ts";
import { type Latencies, latencies, ratios, type Spread, spread } from "../measure/statistics.ts";
import { type Disturbance, takeTurns } from "../measure/turns.ts";
import { addHistory, CONSUME, INSERT, prepareQuota, usage } from "../product.ts";
import type { Extent } from "./extent.ts";

type Scene = keyof typeof CONSUME;
const SCENES: { scene: Scene; clients: number }[] = [
  { scene: "hot", clients: 1 },
  { scene: "hot", clients: 16 },
  { scene: "spread", clients: 16 },
];

export interface QuotaFigures {
  scene: Scene;
  clients: number;
  way: "consume_quota" | "insert";
  perSecond: Spread;
  latency: Latencies;
  calls: number;
  /** To the bare insert in the same turn. */
  toInsert: Spread;
  repeated: number;
  disturbed: number;
}

export interface QuotaResults {
  figures: QuotaFigures[];
  /** One use after another in a community with so many events. */
  histories: { events: number; calls: number; latency: Latencies }[];
  faults: string[];
  leftOut: string[];
}

/** A community's history for the comparison with the bare insert. */
const USUAL_HISTORY = 10_000;
const GROWTH_SLICE_CALLS = 250;
const GROWTH_TURNS = 4;

export async function measureQuota(cluster: Cluster, extent: Extent): Promise<QuotaResults> {
  if (!await hasPgbench()) {
    return {
      figures: [],
      histories: [],
      faults: [],
      leftOut: ["Use of features: pgbench is not installed."],
    };
  }
  const faults: string[] = [];
  const databases = new Map<number, BenchDatabase>();
  try {
    for (const events of new Set([USUAL_HISTORY, ...extent.histories])) {
      const database = await makeDatabase(cluster, `bench_quota_${events}`, "migrated");
      databases.set(events, database);
      await prepareQuota(database.sql);
      await addHistory(database.sql, events);
    }
    const figures: QuotaFigures[] = [];
    for (const { scene, clients } of SCENES) {
      figures.push(...await compare(databases.get(USUAL_HISTORY)!, scene, clients, extent, faults));
    }
    const histories = await measureGrowth(databases, extent, faults);
    return { figures, histories, faults, leftOut: [] };
  } finally {
    for (const { sql } of databases.values()) await sql.close();
  }
}

interface Slice {
  perSecond: number;
  latencies: number[];
}

/** Runs pgbench, and makes sure that each call left what it should: an event, and a unit in the counters. */
async function slice(
  database: BenchDatabase,
  way: QuotaFigures["way"],
  task: { scene: Scene; clients: number; calls: number },
  faults: string[],
): Promise<Slice & { disturbance: Disturbance }> {
  const { scene, ...extent } = task;
  const before = await usage(database.sql);
  const others = watchOthers();
  const { perSecond, latencies, calls } = await runPgbench({
    url: database.url(way === "insert" ? "postgres" : "billing_service"),
    script: way === "insert" ? INSERT[scene] : CONSUME[scene],
    ...extent,
  });
  const disturbance = others();
  const after = await usage(database.sql);
  const added = { events: after.events - before.events, counted: after.counted - before.counted };
  const expected = { events: calls, counted: way === "insert" ? 0 : calls };
  if (added.events !== expected.events || added.counted !== expected.counted) {
    faults.push(
      `${way}, ${scene}: ${calls} calls left ${added.events} events and ${added.counted} units in the counters.`,
    );
  }
  return { perSecond, latencies, disturbance };
}

async function compare(
  database: BenchDatabase,
  scene: Scene,
  clients: number,
  extent: Extent,
  faults: string[],
): Promise<QuotaFigures[]> {
  const ways = ["consume_quota", "insert"] as const;
  const speed = new Map<string, number>();
  for (const way of ways) {
    speed.set(way, (await slice(database, way, { scene, clients, calls: 20 }, faults)).perSecond);
  }
  const taken = await takeTurns<Slice>({
    contenders: [...ways],
    turns: extent.turns,
    attempts: extent.attempts,
    measure: async (way) => {
      await waitForQuiet(extent.quietMs);
      const calls = callsFor(speed.get(way)!, extent.sliceMs, clients);
      const taken = await slice(database, way as QuotaFigures["way"], { scene, clients, calls }, faults);
      speed.set(way, taken.perSecond);
      return taken;
    },
  });
  const speeds = (way: string) => taken.get(way)!.map(({ slice }) => slice.perSecond);
  return ways.map((way) => {
    const mine = taken.get(way)!;
    const all = mine.flatMap(({ slice }) => slice.latencies);
    return {
      scene,
      clients,
      way,
      perSecond: spread(speeds(way)),
      latency: latencies(all),
      calls: all.length,
      toInsert: spread(ratios(speeds(way), speeds("insert"))),
      repeated: mine.reduce((sum, { attempts }) => sum + attempts - 1, 0),
      disturbed: mine.filter(({ disturbed }) => disturbed).length,
    };
  });
}

/** All sizes take turns in short slices, so that a noisy moment hits all alike. */
async function measureGrowth(
  databases: Map<number, BenchDatabase>,
  extent: Extent,
  faults: string[],
): Promise<QuotaResults["histories"]> {
  for (const events of extent.histories) {
    await slice(databases.get(events)!, "consume_quota", { scene: "hot", clients: 1, calls: 50 }, faults);
  }
  const taken = await takeTurns<Slice>({
    contenders: extent.histories.map(String),
    turns: extent.turns * GROWTH_TURNS,
    attempts: extent.attempts,
    measure: (events) =>
      slice(
        databases.get(Number(events))!,
        "consume_quota",
        { scene: "hot", clients: 1, calls: GROWTH_SLICE_CALLS },
        faults,
      ),
  });
  return [...taken].map(([events, slices]) => {
    const all = slices.flatMap(({ slice }) => slice.latencies);
    return { events: Number(events), calls: all.length, latency: latencies(all) };
  });
}
