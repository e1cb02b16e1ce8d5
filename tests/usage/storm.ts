/**
 * A load test with failures: communities use a metered feature hour after hour and give some of it back, while the workers
 * that report it are killed at random, and Stripe fails at random before or after it has processed a request.
 */
import { type Fault, usageIn } from "@dues/stripe-simulator";
import { seededRandom, startSimulator, type TestSimulator } from "@dues/stripe-simulator/testing";
import { type QuotaRig } from "../quota/rig.ts";
import { addPayingCommunity, createMeter, startUsageRig } from "./rig.ts";

export interface StormOptions {
  communities: number;
  hours: number;
  /** Uses of each community in each hour, of 1 to 3 units. */
  usesPerHour: number;
  workers: number;
  seed: number;
  onProgress?: (text: string) => void;
}

export interface StormResult {
  uses: number;
  /** Units used less units given back, by community. */
  consumed: Map<string, number>;
  /** What the simulator's meter counts, by community. */
  counted: Map<string, number>;
  /** Usage reports by state. */
  reports: Record<string, number>;
  /** How often a report was sent beyond the first time. */
  repeated: number;
  killed: number;
}

const TARGET = "POST /v1/billing/meter_events";
const HOUR = 3_600_000;

/** Three requests in ten fail, more than half of these after Stripe has processed them. */
const faults = (seed: number): Fault[] => [
  { kind: "api_error", target: TARGET, probability: 0.1, seed, status: 500, carried_out: true },
  { kind: "api_error", target: TARGET, probability: 0.06, seed: seed + 1, status: 503, carried_out: false },
  { kind: "api_error", target: TARGET, probability: 0.06, seed: seed + 2, status: 429, carried_out: false },
  { kind: "api_hang_up", target: TARGET, probability: 0.1, seed: seed + 3 },
];

/** Runs until every report is finished. The same seed makes the same usage and the same failures. */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  const { seed, workers, hours, communities, onProgress = () => {} } = options;
  await using rig = await startUsageRig();
  await using sim = await startSimulator({ log: () => {} });
  const names = Array.from({ length: communities }, (_, index) => `community-${index}`);
  const customers = await subscribeAll(rig, sim, names);
  for (const fault of faults(seed)) sim.simulator.faults.add(fault);
  await using crew = startWorkers(rig, sim, workers, seed);

  const begin = Math.floor(Date.now() / HOUR) * HOUR - hours * HOUR;
  for (let hour = 0; hour < hours; hour++) {
    await rig.stopClockAt(new Date(begin + hour * HOUR + 10 * 60_000));
    await consumeAll(rig, options, hour);
    onProgress(`hour ${hour + 1} of ${hours}`);
  }
  await drain(rig, begin + hours * HOUR, onProgress);
  const killed = await crew.stop();
  await untilChecked(sim);

  const [meter] = sim.simulator.account.meters.oldestFirst();
  const all = { start: 0, end: Infinity };
  return {
    uses: await numberOf(rig, "select count(*) as number from public.usage_events"),
    consumed: await consumedBy(rig),
    counted: new Map(
      names.map((name) => [name, Number(usageIn(sim.simulator.account, meter, customers.get(name)!, all))]),
    ),
    reports: await reportsByState(rig),
    repeated: await numberOf(
      rig,
      "select sum(attempts - 1) as number from billing.usage_reports where attempts > 0",
    ),
    killed,
  };
}

async function subscribeAll(
  rig: QuotaRig,
  { stripe }: TestSimulator,
  names: string[],
): Promise<Map<string, string>> {
  await createMeter(stripe);
  const customers = new Map<string, string>();
  for (const name of names) {
    const { id } = await stripe.customers.create({ name });
    await addPayingCommunity(rig, name, id);
    customers.set(name, id);
  }
  return customers;
}

/**
 * Every community uses the feature; a unit of each tenth use is given back, unless it is the only one: such a use leaves no row. Only a few uses share a transaction, because
 * each new version of a counter within one transaction makes the next update slower.
 */
async function consumeAll({ operator }: QuotaRig, { usesPerHour, seed }: StormOptions, hour: number) {
  const batch = 10;
  for (let first = 1; first <= usesPerHour; first += batch) {
    const last = Math.min(first + batch - 1, usesPerHour);
    await operator`
      with used as materialized (
        select c.id, n, units, billing.consume_quota(c.id, 'image', units, 'ann') -> 'usage_event' as event
        from public.communities c cross join generate_series(${first}::integer, ${last}::integer) n
        cross join lateral (select 1 + abs(hashint4(n + ${seed + hour}::integer)) % 3 as units) u)
      select count(billing.release_quota(
        id, 'image', (event ->> 'id')::bigint, (event ->> 'occurred_at')::timestamptz, 1))
      from used where n % 10 = 0 and units > 1`;
  }
}

/** Moves the clock on until no report is left: claims of killed workers end, and retries become due. */
async function drain(rig: QuotaRig, from: number, onProgress: (text: string) => void) {
  for (let tick = 1;; tick++) {
    const left = await numberOf(
      rig,
      "select count(*) as number from billing.usage_reports where state in ('open', 'claimed') and quantity > 0",
    );
    if (left === 0) return;
    if (tick % 10 === 0) onProgress(`${left} reports left`);
    await rig.stopClockAt(new Date(from + tick * 10 * 60_000));
    await pause(200);
  }
}

/** Starts workers. Each is killed in the middle of its work and replaced by another. */
function startWorkers(rig: QuotaRig, { simulator }: TestSimulator, workers: number, seed: number) {
  const random = seededRandom(seed);
  const received = () => simulator.account.meterEvents.oldestFirst().length;
  const script = new URL("./worker.ts", import.meta.url).pathname;
  let isStopped = false;
  let killed = 0;

  const runAndKill = async () => {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-all", script, rig.database.url("billing_service"), simulator.url],
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const enough = received() + 3 + random() * 20;
    while (!isStopped && received() < enough) await pause(5);
    await pause(random() * 20);
    process.kill("SIGKILL");
    await process.status;
    killed++;
  };
  const loops = Array.from({ length: workers }, async () => {
    while (!isStopped) await runAndKill();
  });
  const stop = async () => {
    isStopped = true;
    await Promise.all(loops);
    return killed;
  };
  return { stop, [Symbol.asyncDispose]: async () => void await stop() };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until the simulator has validated all meter events, which it does after it has accepted them, as Stripe does. */
async function untilChecked({ simulator, stripe }: TestSimulator) {
  while (simulator.account.meterEvents.oldestFirst().some(({ status }) => status === "received")) {
    await stripe.billing.meters.list();
    await pause(50);
  }
}

async function consumedBy({ operator }: QuotaRig): Promise<Map<string, number>> {
  const rows = await operator`
    select community_id, sum(quantity - released_quantity) as units from public.usage_events group by 1`;
  return new Map(rows.map(({ community_id, units }) => [community_id, Number(units)]));
}

async function reportsByState({ operator }: QuotaRig): Promise<Record<string, number>> {
  const rows =
    await operator`select state, count(*) as number from billing.usage_reports where quantity <> 0 group by 1`;
  return Object.fromEntries(rows.map(({ state, number }) => [state, Number(number)]));
}

async function numberOf({ operator }: QuotaRig, query: string): Promise<number> {
  const [[{ number }]] = await operator.script(query);
  return Number(number);
}
