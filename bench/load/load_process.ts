/**
 * The load process: `deno run bench/load/load_process.ts`. It takes one task after another as lines of JSON on standard
 * input and answers each with two lines: `{"ready":true}` once the requests are built and signed and the warm-up is over,
 * and, after the line `go`, the result. Being a process of its own, it takes no time from the servers that it measures.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { HttpConnection, type Reply, requestBytes } from "./connection.ts";
import { delivery, type EventSeries, eventText } from "./event_series.ts";
import type { LoadResult, LoadTask } from "./load.ts";

const say = (message: unknown) => Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));

/** The requests of a task, in order. */
function requestsOf(task: LoadTask): Uint8Array[] {
  const count = task.warmUp + task.count;
  if (task.kind === "get") {
    const bytes = requestBytes({ method: "GET", path: task.path, port: task.port, headers: task.headers });
    return Array.from({ length: count }, () => bytes);
  }
  const series: EventSeries = task.series;
  return Array.from({ length: count }, (_, i) => delivery(eventText(series, task.from + i), task));
}

class Tally {
  readonly latencies: number[] = [];
  readonly statuses: Record<string, number> = {};
  readonly sizes: Record<string, number> = {};
  firstBad: string | null = null;

  add({ status, bytes, body }: Pick<Reply, "status" | "bytes" | "body">, milliseconds: number): void {
    this.latencies.push(milliseconds);
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    this.sizes[bytes] = (this.sizes[bytes] ?? 0) + 1;
    if (status !== 200) this.firstBad ??= `${status} ${body}`;
  }
}

/** Each connection sends the next request when its last one is answered. */
async function closedLoop(
  connections: HttpConnection[],
  requests: Uint8Array[],
  milliseconds: number,
): Promise<Tally> {
  const tally = new Tally();
  const deadline = performance.now() + milliseconds;
  let next = 0;
  await Promise.all(connections.map(async (connection) => {
    while (next < requests.length && performance.now() < deadline) {
      const reply = await connection.exchange(requests[next++]);
      tally.add(reply, reply.milliseconds);
    }
  }));
  return tally;
}

/**
 * Requests are due at a fixed rate, whether or not earlier ones are answered, and latency counts from when a request was
 * due: a server that stalls is not sent less. A connection that is free takes the oldest request that is due.
 */
async function openLoop(
  connections: HttpConnection[],
  requests: Uint8Array[],
  perSecond: number,
): Promise<Tally> {
  const tally = new Tally();
  const begun = performance.now();
  let next = 0;
  await Promise.all(connections.map(async (connection) => {
    while (next < requests.length) {
      const mine = next++;
      const due = begun + mine * 1000 / perSecond;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const reply = await connection.exchange(requests[mine]);
      tally.add(reply, performance.now() - due);
    }
  }));
  return tally;
}

async function run(task: LoadTask, go: () => Promise<void>): Promise<LoadResult> {
  const requests = requestsOf(task);
  const connections = await Promise.all(
    Array.from({ length: task.inFlight }, () => HttpConnection.open(task.port)),
  );
  try {
    const warm = await closedLoop(connections, requests.slice(0, task.warmUp), Infinity);
    await say({ ready: true });
    await go();
    const measured = requests.slice(task.warmUp);
    const cpu = process.cpuUsage();
    const begun = performance.now();
    const tally = task.perSecond
      ? await openLoop(connections, measured, task.perSecond)
      : await closedLoop(connections, measured, task.milliseconds ?? Infinity);
    const wallMs = performance.now() - begun;
    const { user, system } = process.cpuUsage(cpu);
    return {
      wallMs,
      latencies: tally.latencies.map((value) => Math.round(value * 1000) / 1000),
      statuses: tally.statuses,
      sizes: tally.sizes,
      firstBad: warm.firstBad ?? tally.firstBad,
      accepted: (warm.statuses[200] ?? 0) + (tally.statuses[200] ?? 0),
      sent: warm.latencies.length + tally.latencies.length,
      loadCpuMs: (user + system) / 1000,
    };
  } finally {
    for (const connection of connections) connection[Symbol.dispose]();
  }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (let { done, value } = await lines.next(); !done; { done, value } = await lines.next()) {
  const answer = await run(JSON.parse(value), async () => void await lines.next())
    .catch((error) => ({ error: String(error) }));
  await say(answer);
}
