/** Webhooks, one event a request: the product beside the lean handler, pgbench and, if asked for, peers from npm. */
import type { Cluster } from "../../local/postgres/cluster.ts";
import {
  duesContender,
  leanContender,
  leanDatabase,
  leanOutcomes,
  leanScript,
  type WebhookContender,
} from "../contenders/webhook_contenders.ts";
import { type EventSeries, keyOf, priceOf } from "../load/event_series.ts";
import { LoadProcess } from "../load/load.ts";
import { captureTemplates } from "../load/templates.ts";
import { endedBackendsCpu, postgresSince, readPostgres } from "../measure/durable_postgres.ts";
import { cpuMs, waitForQuiet, watchOthers } from "../measure/machine.ts";
import { callsFor, hasPgbench, runPgbench } from "../measure/pgbench.ts";
import { type RunningServer, startServer } from "../measure/running_server.ts";
import { type Latencies, latencies, median, ratios, type Spread, spread } from "../measure/statistics.ts";
import { type Disturbance, takeTurns } from "../measure/turns.ts";
import { faultsOf, type Work } from "../measure/work.ts";
import type { Extent } from "./extent.ts";

export const IN_FLIGHT = [1, 16, 64];
const CUSTOMERS = 1000;
const WARM_UP = 50;

/** One contender with so many requests in flight. */
export interface WebhookFigures {
  contender: string;
  inFlight: number;
  perSecond: Spread;
  latency: Latencies;
  /** Of server and Postgres, in ms an event. */
  serverCpu: number;
  postgresCpu: number;
  walBytes: number;
  events: number;
  /** To the lean handler's in the same turn: events a second; CPU of server and Postgres. */
  toLean: Spread;
  cpuToLean: number;
  /** Slices that were measured again, and those that count although disturbed. */
  repeated: number;
  disturbed: number;
}

export interface WebhookResults {
  figures: WebhookFigures[];
  work: Record<string, Work>;
  faults: string[];
  /** What was left out, and why. */
  leftOut: string[];
}

interface Slice {
  perSecond: number;
  latencies: number[];
  serverCpu: number;
  postgresCpu: number;
  walBytes: number;
}

/** A contender in a run. Its events are numbered on, from slice to slice. */
export class WebhookRunner implements AsyncDisposable {
  /** Events sent so far. */
  sent = 0;
  accepted = 0;
  firstBad: string | null = null;
  #perSecond = 200;

  private constructor(
    readonly contender: WebhookContender,
    readonly series: EventSeries,
    readonly server: RunningServer,
    readonly load: LoadProcess,
  ) {}

  static async start(
    contender: WebhookContender,
    series: EventSeries,
    load: LoadProcess,
  ): Promise<WebhookRunner> {
    return new WebhookRunner(contender, series, await startServer(contender.server), load);
  }

  /** Sends events for about that long; or exactly `count` of them. */
  async slice(
    { inFlight, milliseconds, count }:
      & { inFlight: number }
      & ({ milliseconds: number; count?: never } | { milliseconds?: never; count: number }),
  ): Promise<Slice & { disturbance: Disturbance }> {
    const { database, path, secret } = this.contender;
    let others = watchOthers();
    let server = 0;
    let postgres = await readPostgres(database);
    const result = await this.load.run({
      kind: "events",
      series: this.series,
      from: this.sent,
      secret,
      port: this.server.port,
      path,
      inFlight,
      warmUp: count === undefined ? WARM_UP : 0,
      // More than can be answered in the time.
      count: count ?? Math.ceil(this.#perSecond * milliseconds! / 1000 * 2) + inFlight,
      milliseconds,
    }, async () => {
      postgres = await readPostgres(database);
      others = watchOthers();
      server = cpuMs([this.server.pid]);
    });
    const serverCpu = cpuMs([this.server.pid]) - server;
    const disturbance = others();
    const since = await postgresSince(database, postgres);
    this.sent += result.sent;
    this.accepted += result.accepted;
    this.firstBad ??= result.firstBad;
    const events = result.latencies.length;
    const perSecond = events / result.wallMs * 1000;
    this.#perSecond = Math.max(perSecond, 50);
    return {
      perSecond,
      latencies: result.latencies,
      serverCpu: serverCpu / events,
      postgresCpu: since.cpuMs / events,
      walBytes: since.walBytes / events,
      disturbance,
    };
  }

  /** What the database says, compared with what was sent. */
  async work(): Promise<Work> {
    const prices = await this.contender.prices();
    let wrongStates = 0;
    for (let customer = 0; customer < Math.min(this.sent, this.series.customers); customer++) {
      const newest = Math.floor((this.sent - 1 - customer) / this.series.customers) * this.series.customers +
        customer;
      if (prices.get(keyOf(customer)) !== priceOf(this.series, newest)) wrongStates++;
    }
    return { accepted: this.accepted, outcomes: await this.contender.outcomes(), wrongStates };
  }

  /** What is wrong with its work: empty when every event was accepted and applied. */
  async faults(): Promise<string[]> {
    const refused = this.sent - this.accepted;
    return [
      ...(refused > 0 ? [`${this.contender.name}: ${refused} events were refused: ${this.firstBad}`] : []),
      ...faultsOf(this.contender.name, await this.work()),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** The series that the benchmarks send. Its first events are a month old. */
export async function newSeries(customers: number): Promise<EventSeries> {
  const { subscription } = await captureTemplates();
  return { template: subscription, customers, epoch: Math.floor(Date.now() / 1000) - 30 * 86_400 };
}

/** Measures all contenders in turns. `peers` makes those from npm. */
export async function measureWebhooks(
  cluster: Cluster,
  extent: Extent,
  peers: ((series: EventSeries) => Promise<WebhookContender[]>) | null,
): Promise<WebhookResults> {
  const series = await newSeries(CUSTOMERS);
  const leftOut: string[] = [];
  await using stack = new AsyncDisposableStack();
  const load = stack.use(new LoadProcess());
  const runners = new Map<string, WebhookRunner>();
  const contenders = [await duesContender(cluster, series), await leanContender(cluster, series)];
  if (peers) contenders.push(...await peers(series));
  else leftOut.push("The peers from npm: run with --peers.");
  for (const contender of contenders) {
    stack.defer(() => contender.database.sql.close());
    runners.set(contender.name, stack.use(await WebhookRunner.start(contender, series, load)));
  }

  const pgbench = await hasPgbench() ? await PgbenchRunner.prepare(cluster, series.customers) : null;
  if (pgbench) stack.defer(() => pgbench.database.sql.close());
  else leftOut.push("The lean handler's SQL by pgbench: it is not installed.");

  // Everybody has seen each customer twice, and is warm, before anything counts.
  for (const runner of runners.values()) {
    await runner.slice({ inFlight: 8, count: series.customers * 2 });
    await runner.contender.database.sql`vacuum analyze`;
  }
  const figures: WebhookFigures[] = [];
  for (const inFlight of IN_FLIGHT) {
    const taken = await takeTurns<Slice>({
      contenders: [...runners.keys(), ...(pgbench ? ["pgbench"] : [])],
      turns: extent.turns,
      attempts: extent.attempts,
      measure: async (name) => {
        await waitForQuiet(extent.quietMs);
        return name === "pgbench"
          ? await pgbench!.slice(inFlight, extent.sliceMs)
          : await runners.get(name)!.slice({ inFlight, milliseconds: extent.sliceMs });
      },
    });
    const lean = taken.get("lean")!.map(({ slice }) => slice);
    for (const [contender, slices] of taken) {
      const mine = slices.map(({ slice }) => slice);
      const cpu = ({ serverCpu, postgresCpu }: Slice) => serverCpu + postgresCpu;
      figures.push({
        contender,
        inFlight,
        perSecond: spread(mine.map(({ perSecond }) => perSecond)),
        latency: latencies(mine.flatMap((slice) => slice.latencies)),
        serverCpu: median(mine.map(({ serverCpu }) => serverCpu)),
        postgresCpu: median(mine.map(({ postgresCpu }) => postgresCpu)),
        walBytes: median(mine.map(({ walBytes }) => walBytes)),
        events: mine.reduce((sum, slice) => sum + slice.latencies.length, 0),
        toLean: spread(
          ratios(mine.map(({ perSecond }) => perSecond), lean.map(({ perSecond }) => perSecond)),
        ),
        cpuToLean: median(ratios(mine.map(cpu), lean.map(cpu))),
        repeated: slices.reduce((sum, { attempts }) => sum + attempts - 1, 0),
        disturbed: slices.filter(({ disturbed }) => disturbed).length,
      });
    }
  }

  const work: Record<string, Work> = {};
  const faults: string[] = [];
  for (const [name, runner] of runners) {
    work[name] = await runner.work();
    faults.push(...await runner.faults());
  }
  if (pgbench) {
    work.pgbench = await pgbench.work();
    faults.push(...faultsOf("pgbench", work.pgbench));
  }
  return { figures, work, faults, leftOut };
}

/** The lean handler's SQL without a server. */
class PgbenchRunner {
  #calls = 0;
  #perSecond = 300;

  private constructor(
    readonly cluster: Cluster,
    readonly database: Awaited<ReturnType<typeof leanDatabase>>,
    readonly customers: number,
  ) {}

  static async prepare(cluster: Cluster, customers: number): Promise<PgbenchRunner> {
    return new PgbenchRunner(cluster, await leanDatabase(cluster, "bench_pgbench", customers), customers);
  }

  async slice(clients: number, milliseconds: number): Promise<Slice & { disturbance: Disturbance }> {
    // A call of each client warms up, and says what connecting costs.
    const connecting = await this.#run(clients, 1);
    const others = watchOthers();
    const before = await readPostgres(this.database);
    const run = await this.#run(clients, callsFor(this.#perSecond, milliseconds, clients));
    this.#perSecond = run.perSecond;
    const disturbance = others();
    const { walBytes } = await postgresSince(this.database, before);
    return {
      perSecond: run.perSecond,
      latencies: run.latencies,
      serverCpu: 0,
      postgresCpu: Math.max(0, run.cpuMs - connecting.cpuMs) / run.calls,
      walBytes: walBytes / run.calls,
      disturbance,
    };
  }

  async #run(clients: number, calls: number) {
    const before = await endedBackendsCpu(this.cluster);
    const url = this.database.url("supabase_admin");
    const result = await runPgbench({ url, script: leanScript(this.customers, clients), clients, calls });
    await new Promise((resolve) => setTimeout(resolve, 100)); // until the server has waited for the backends
    this.#calls += result.calls;
    return { ...result, cpuMs: await endedBackendsCpu(this.cluster) - before };
  }

  async work(): Promise<Work> {
    return { accepted: this.#calls, outcomes: await leanOutcomes(this.database), wrongStates: 0 };
  }
}
