/**
 * `deno task bench:quota`: the cost of one use of a feature as the history grows, compared with counting events (the obvious
 * way) and with recording an event without a check (the minimum). All sizes take turns in one run, so that other load on the
 * machine affects all of them in the same way.
 *
 * `--full` measures up to 10 million events (about eight minutes and 9 GB in TMPDIR); `--json` prints one line of JSON.
 * The plot goes to the file named by `--plot`, `.local/bench/quota.svg` unless given.
 */
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import type { Database } from "../billing/db/database.ts";
import { withEphemeralCluster } from "../local/postgres/ephemeral_cluster.ts";
import { projectPath } from "../local/paths.ts";
import { CLUSTER_VARIABLE } from "../tests/support/database.ts";
import { count, type Line, plot } from "./quota_plot.ts";
import {
  FEATURE,
  type HistoryDatabase,
  HOT_COMMUNITY,
  prepareHistory,
  SPREAD_COMMUNITIES,
} from "./quota_history.ts";

const EXTENT = {
  usual: { sizes: [10_000, 30_000, 100_000], rounds: 8 },
  full: { sizes: [10_000, 1_000_000, 10_000_000], rounds: 40 },
};
const CALLS_IN_A_ROUND = 100;
/** A slow way makes fewer calls in a round, but at least one. */
const MAX_MS_IN_A_ROUND = 200;
const CALLERS = 16;
const THROUGHPUT_MS = 1000;

type Scene = "hot" | "spread";
type Way = "consume_quota" | "count" | "record";
const SCENES: Scene[] = ["hot", "spread"];
const WAYS: Way[] = ["consume_quota", "count", "record"];

/** One way of recording a use, in one scene, with one size of history. */
interface Subject {
  events: number;
  scene: Scene;
  way: Way;
  call(sql: Database): Promise<unknown>;
  connect(connections: number): Database;
  times: number[];
  perSecond: number;
}

let calls = 0;

function subjectsOf(history: HistoryDatabase): Subject[] {
  return SCENES.flatMap((scene) =>
    WAYS.map((way) => ({
      events: history.events,
      scene,
      way,
      call: (sql: Database) => use(sql, way, communityOf(scene), `bench:${calls++}`),
      connect: way === "consume_quota" ? history.connect : history.connectOperator,
      times: [],
      perSecond: 0,
    }))
  );
}

const communityOf = (scene: Scene) =>
  scene === "hot" ? HOT_COMMUNITY : SPREAD_COMMUNITIES[Math.floor(Math.random() * SPREAD_COMMUNITIES.length)];

async function use(sql: Database, way: Way, community: string, key: string): Promise<void> {
  const [{ passed }] = way === "consume_quota"
    ? await sql`
      select billing.consume_quota(${community}, ${FEATURE}, 1, 'somebody', ${key}) ->> 'outcome' = 'consumed' as passed`
    : way === "count"
    ? await sql`select public.bench_count(${community}, ${key}) as passed`
    : await sql`select public.bench_record(${community}, ${key}) as passed`;
  if (!passed) throw new Error(`${way} was refused`);
}

/** The latency of successive calls. The subjects take turns, a round each. */
async function measureLatency(subjects: Subject[], rounds: number): Promise<void> {
  const connected = subjects.map((subject) => ({ subject, sql: subject.connect(1) }));
  for (const { subject, sql } of connected) await subject.call(sql); // connects and prepares the statement
  for (let round = 0; round < rounds; round++) {
    for (const { subject, sql } of connected) {
      const roundBegun = performance.now();
      for (let n = 0; n < CALLS_IN_A_ROUND && performance.now() - roundBegun < MAX_MS_IN_A_ROUND; n++) {
        const begun = performance.now();
        await subject.call(sql);
        subject.times.push(performance.now() - begun);
      }
    }
  }
  await Promise.all(connected.map(({ sql }) => sql.close()));
}

/** Calls a second with several callers at once. */
async function measureThroughput(subject: Subject): Promise<void> {
  const sql = subject.connect(CALLERS);
  await Promise.all(Array.from({ length: CALLERS }, () => subject.call(sql)));
  const begun = performance.now();
  let done = 0;
  await Promise.all(Array.from({ length: CALLERS }, async () => {
    while (performance.now() - begun < THROUGHPUT_MS) {
      await subject.call(sql);
      done++;
    }
  }));
  subject.perSecond = done / (performance.now() - begun) * 1000;
  await sql.close();
}

function percentile(times: number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
}

const figures = ({ events, scene, way, times, perSecond }: Subject) => ({
  events,
  scene,
  way,
  calls: times.length,
  p50Ms: percentile(times, 0.5),
  p99Ms: percentile(times, 0.99),
  perSecond,
});
type Figures = ReturnType<typeof figures>;

/** How p99 grows from the smallest history to the largest. It should not. */
function growth(all: Figures[], scene: Scene, way: Way): number {
  const mine = all.filter((each) => each.scene === scene && each.way === way);
  return mine.at(-1)!.p99Ms / mine[0].p99Ms;
}

function print(all: Figures[]): void {
  console.table(Object.fromEntries(all.map(({ events, scene, way, calls, p50Ms, p99Ms, perSecond }) => [
    `${scene} ${count(events)} ${way}`,
    { "p50 ms": p50Ms.toFixed(2), "p99 ms": p99Ms.toFixed(2), "calls/s": Math.round(perSecond), calls },
  ])));
  for (const scene of SCENES) {
    for (const way of WAYS) {
      console.log(
        `${scene}, ${way}: p99 grows ${
          growth(all, scene, way).toFixed(2)
        } times from the smallest history to the largest`,
      );
    }
  }
}

const COLORS: Record<Way, string> = { consume_quota: "#1769aa", count: "#c2410c", record: "#6b7280" };

function draw(all: Figures[]): string {
  const line = (way: Way, share: "p50Ms" | "p99Ms"): Line => ({
    name: `${way}, ${share === "p50Ms" ? "p50" : "p99"}`,
    color: COLORS[way],
    dashed: share === "p99Ms",
    points: all.filter((each) => each.scene === "hot" && each.way === way)
      .map((each) => ({ events: each.events, milliseconds: each[share] })),
  });
  return plot(
    "One use of a feature, in a community with all the history",
    WAYS.flatMap((way) => [line(way, "p50Ms"), line(way, "p99Ms")]),
  );
}

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    plot: { type: "string", default: projectPath(".local", "bench", "quota.svg") },
  },
});
const note = (text: string) => values.json || console.log(text);

async function measure({ sizes, rounds }: { sizes: number[]; rounds: number }): Promise<Figures[]> {
  await using histories = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  for (const size of sizes) {
    const begun = performance.now();
    const history = histories.use(await prepareHistory(size));
    note(`${count(size)} events are in place (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
    subjects.push(...subjectsOf(history));
  }
  await measureLatency(subjects, rounds);
  for (const subject of subjects) await measureThroughput(subject);
  return subjects.map(figures);
}

const all = await withEphemeralCluster((cluster) => {
  Deno.env.set(CLUSTER_VARIABLE, JSON.stringify(cluster));
  return measure(values.full ? EXTENT.full : EXTENT.usual);
});
if (values.json) console.log(JSON.stringify({ figures: all }));
else print(all);
await Deno.mkdir(dirname(values.plot), { recursive: true });
await Deno.writeTextFile(values.plot, draw(all));
note(`The plot is in ${values.plot}.`);
