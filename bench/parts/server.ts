/** The built plugin server: its start, its page and billing info beside a bare server, its memory after many webhooks. */
import { join } from "node:path";
import type { Cluster } from "../../local/postgres/cluster.ts";
import { startStack } from "../../local/stack.ts";
import { apiClient } from "../../tests/http/client.ts";
import { runDeno } from "../../tests/support/run_deno.ts";
import { projectPath } from "../../local/paths.ts";
import { type EventSeries, PLACES } from "../load/event_series.ts";
import { LoadProcess } from "../load/load.ts";
import { captureTemplates, INVOICE_PLACE } from "../load/templates.ts";
import { makeDatabase } from "../measure/durable_postgres.ts";
import { cpuMs, memoryMb, waitForQuiet, watchOthers } from "../measure/machine.ts";
import { type RunningServer, type ServerSpec, startServer } from "../measure/running_server.ts";
import { type Latencies, latencies, median, ratios, type Spread, spread } from "../measure/statistics.ts";
import { takeTurns } from "../measure/turns.ts";
import {
  addCommunities,
  builtServer,
  communityOf,
  eventOutcomes,
  PATHS,
  storedPrices,
  WEBHOOK_SECRET,
} from "../product.ts";
import { newSeries, WebhookRunner } from "./webhook.ts";
import type { Extent } from "./extent.ts";

const CUSTOMERS = 1000;
const INVOICES = 12;
const IN_FLIGHT = [1, 16];

export interface ReadFigures {
  what: "billing info" | "page";
  contender: "dues" | "bare";
  inFlight: number;
  perSecond: Spread;
  latency: Latencies;
  /** Of the server alone, ms a request. */
  serverCpu: number;
  bytes: number;
  toBare: Spread;
  repeated: number;
  disturbed: number;
}

export interface ServerResults {
  reads: ReadFigures[];
  /** From the start of the process to its first answer, ms. */
  start: Spread;
  starts: number;
  memory: { webhooks: number; beforeMb: number; afterMb: number };
  faults: string[];
}

export async function measureServer(cluster: Cluster, extent: Extent): Promise<ServerResults> {
  await build();
  const database = await makeDatabase(cluster, "bench_server", "migrated");
  const stack = await startStack({
    portBase: 0,
    ephemeral: true,
    app: "none",
    database: { cluster, name: database.name },
  });
  try {
    await addCommunities(database.sql, CUSTOMERS);
    const env = { ...stack.env, STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET, DUES_EXAMPLES: "false" };
    const spec = builtServer(env, Number(new URL(stack.urls.plugin).port));
    const faults: string[] = [];
    const start = await measureStarts(spec, extent);
    const memory = await measureMemory(spec, database, extent, faults);
    await using server = await startServer(spec);
    const token = await apiClient(stack).signIn(ADMIN);
    await addInvoices(server);
    const reads = await measureReads(server, token, extent, faults);
    return { reads, start: spread(start), starts: start.length, memory, faults };
  } finally {
    await stack.stop();
    await database.sql.close();
  }
}

/** As `deno task build` does: without the examples. */
async function build(): Promise<void> {
  const { code, stderr } = await runDeno(["run", "--allow-all", "dev.ts", "build"]);
  if (code !== 0) throw new Error(`The plugin does not build:\n${stderr}`);
}

async function measureStarts(spec: ServerSpec, extent: Extent): Promise<number[]> {
  const times: number[] = [];
  for (let n = -1; n < extent.starts; n++) {
    await waitForQuiet(extent.quietMs);
    await using server = await startServer(spec);
    if (n >= 0) times.push(server.firstAnswerMs); // the first start fills the caches of Deno and of the file system
  }
  return times;
}

async function measureMemory(
  spec: ServerSpec,
  database: Awaited<ReturnType<typeof makeDatabase>>,
  { webhooksForMemory }: Extent,
  faults: string[],
): Promise<ServerResults["memory"]> {
  await using load = new LoadProcess();
  const contender = {
    name: "plugin server",
    database,
    path: PATHS.webhook,
    secret: WEBHOOK_SECRET,
    server: spec,
    outcomes: () => eventOutcomes(database.sql),
    prices: () => storedPrices(database.sql),
  };
  await using runner = await WebhookRunner.start(contender, await newSeries(CUSTOMERS), load);
  const beforeMb = memoryMb(runner.server.pid);
  const SLICE = 2_500;
  for (let left = webhooksForMemory; left > 0; left -= SLICE) {
    await runner.slice({ inFlight: 16, count: Math.min(SLICE, left) });
  }
  faults.push(...await runner.faults());
  return { webhooks: runner.sent, beforeMb, afterMb: memoryMb(runner.server.pid) };
}

const ADMIN = { sub: "bench", cid: communityOf(0), adm: true };

/** A year of invoices for the community whose billing info is read. */
async function addInvoices(server: RunningServer): Promise<void> {
  const { invoice } = await captureTemplates();
  await using load = new LoadProcess();
  for (let n = 0; n < INVOICES; n++) {
    const series: EventSeries = {
      template: invoice.replaceAll(INVOICE_PLACE, String(n)).replaceAll(
        PLACES.event,
        `${PLACES.event}_invoice_${n}`,
      ),
      customers: 1,
      epoch: Math.floor(Date.now() / 1000) - 86_400,
    };
    const { firstBad } = await load.run({
      kind: "events",
      series,
      from: 0,
      secret: WEBHOOK_SECRET,
      port: server.port,
      path: PATHS.webhook,
      inFlight: 1,
      warmUp: 0,
      count: 1,
    });
    if (firstBad !== null) throw new Error(`An invoice was refused: ${firstBad}`);
  }
}

interface Slice {
  perSecond: number;
  latencies: number[];
  serverCpu: number;
}

async function measureReads(
  server: RunningServer,
  token: string,
  extent: Extent,
  faults: string[],
): Promise<ReadFigures[]> {
  const folder = await Deno.makeTempDir({ prefix: "dues-bench-bare-" });
  try {
    const whats = [
      { what: "billing info", path: PATHS.billingInfo, headers: { authorization: `Bearer ${token}` } },
      { what: "page", path: PATHS.page, headers: { accept: "text/html", "accept-language": "en" } },
    ] as const;
    const sizes = new Map<string, number>();
    for (const { what, path, headers } of whats) {
      sizes.set(what, await keepAnswer(server, path, headers, join(folder, nameOf(what)), what));
    }
    await using bare = await startServer({
      name: "bare server",
      args: (port) => [
        "run",
        "--allow-net",
        `--allow-read=${folder}`,
        projectPath("bench", "contenders", "bare_server.ts"),
        String(port),
        folder,
      ],
      env: {},
      path: "/",
    });
    await using load = new LoadProcess();
    const figures: ReadFigures[] = [];
    for (const { what, path, headers } of whats) {
      for (const inFlight of IN_FLIGHT) {
        const rates = new Map<string, number>();
        const taken = await takeTurns<Slice>({
          contenders: ["dues", "bare"],
          turns: extent.turns,
          attempts: extent.attempts,
          measure: async (name) => {
            await waitForQuiet(extent.quietMs);
            const [target, address] = name === "dues" ? [server, path] : [bare, `/${nameOf(what)}`];
            let before = 0;
            let others = watchOthers();
            const result = await load.run({
              kind: "get",
              headers: { ...headers },
              port: target.port,
              path: address,
              inFlight,
              warmUp: 50,
              count: Math.ceil((rates.get(name) ?? 1000) * extent.sliceMs / 1000 * 2),
              milliseconds: extent.sliceMs,
            }, () => {
              others = watchOthers();
              before = cpuMs([target.pid]);
            });
            const disturbance = others();
            const serverCpu = (cpuMs([target.pid]) - before) / result.latencies.length;
            const perSecond = result.latencies.length / result.wallMs * 1000;
            rates.set(name, perSecond);
            faults.push(...readFaults(`${what}, ${name}`, result, sizes.get(what)!));
            return { perSecond, latencies: result.latencies, serverCpu, disturbance };
          },
        });
        const speeds = (name: string) => taken.get(name)!.map(({ slice }) => slice.perSecond);
        for (const contender of ["dues", "bare"] as const) {
          const mine = taken.get(contender)!;
          figures.push({
            what,
            contender,
            inFlight,
            perSecond: spread(speeds(contender)),
            latency: latencies(mine.flatMap(({ slice }) => slice.latencies)),
            serverCpu: median(mine.map(({ slice }) => slice.serverCpu)),
            bytes: sizes.get(what)!,
            toBare: spread(ratios(speeds(contender), speeds("bare"))),
            repeated: mine.reduce((sum, { attempts }) => sum + attempts - 1, 0),
            disturbed: mine.filter(({ disturbed }) => disturbed).length,
          });
        }
      }
    }
    return figures;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const nameOf = (what: string) => what.replaceAll(" ", "-");

/** Keeps what the product answers, for the bare server. Rejects when it is not what it should be. */
async function keepAnswer(
  server: RunningServer,
  path: string,
  headers: Record<string, string>,
  file: string,
  what: ReadFigures["what"],
): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers });
  const body = await response.bytes();
  const text = new TextDecoder().decode(body);
  const isRight = what === "page"
    ? text.includes("</html>")
    : response.ok && isOfCommunity(JSON.parse(text), communityOf(0));
  if (response.status !== 200 || !isRight) {
    throw new Error(`${what}: ${response.status} ${text.slice(0, 300)}`);
  }
  await Deno.writeFile(file, body);
  await Deno.writeTextFile(`${file}.type`, response.headers.get("content-type") ?? "");
  return body.length;
}

/** An admin sees the community's paid plan and its invoices. */
function isOfCommunity(
  info: { community: { id: string }; subscription: unknown; invoices: unknown[] },
  id: string,
): boolean {
  return info.community.id === id && info.subscription !== null && info.invoices.length === INVOICES;
}

/** Every answer has to be 200 and as long as the first one: nonces and times have a fixed length. */
function readFaults(
  name: string,
  { firstBad, sizes }: { firstBad: string | null; sizes: Record<string, number> },
  bytes: number,
): string[] {
  const others = Object.keys(sizes).filter((size) => Math.abs(Number(size) - bytes) > bytes * 0.01);
  return [
    ...(firstBad === null ? [] : [`${name}: ${firstBad.slice(0, 300)}`]),
    ...(others.length === 0 ? [] : [`${name}: answers of ${others} bytes instead of ${bytes}.`]),
  ];
}
