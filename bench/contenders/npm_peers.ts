/** The peers from npm, which bench/peers installs for itself. */
import type { Cluster } from "../../local/postgres/cluster.ts";
import { commonEnvironment } from "../../local/processes/children.ts";
import { projectPath } from "../../local/paths.ts";
import { type EventSeries, eventText } from "../load/event_series.ts";
import { type BenchDatabase, makeDatabase } from "../measure/durable_postgres.ts";
import { WEBHOOK_SECRET } from "../product.ts";
import type { WebhookContender } from "./webhook_contenders.ts";

const FOLDER = projectPath("bench", "peers");

/** Installs and prepares both. Needs Node and npm. */
export function npmPeers(cluster: Cluster): (series: EventSeries) => Promise<WebhookContender[]> {
  return async (series) => {
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    return [await syncEngine(cluster, series), await betterAuth(cluster, series)];
  };
}

async function syncEngine(cluster: Cluster, series: EventSeries): Promise<WebhookContender> {
  const database = await makeDatabase(cluster, "bench_sync_engine", "empty");
  await run("node", ["sync_engine.mjs", "prepare"], database, eventText(series, 0));
  return peer({
    name: "@stripe/sync-engine",
    script: "sync_engine.mjs",
    path: "/",
    database,
    // An event is an upsert of the subscription and one of its item.
    table: "stripe.subscriptions",
    prices: `select right(_raw_data ->> 'customer', 6) as key,
      _raw_data #>> '{items,data,0,price,id}' as price from stripe.subscriptions`,
  });
}

async function betterAuth(cluster: Cluster, series: EventSeries): Promise<WebhookContender> {
  const database = await makeDatabase(cluster, "bench_better_auth", "empty");
  await run("node", ["better_auth.mjs", "prepare", String(series.customers)], database);
  return peer({
    name: "@better-auth/stripe",
    script: "better_auth.mjs",
    path: "/api/auth/stripe/webhook",
    database,
    table: "public.subscription",
    prices: `select right("stripeCustomerId", 6) as key, 'price_' || plan as price from subscription`,
  });
}

/** Peers have no event log: an event that was applied has written its subscription's row. */
async function peer(
  { name, script, path, database, table, prices }: {
    name: string;
    script: string;
    path: string;
    database: BenchDatabase;
    table: string;
    prices: string;
  },
): Promise<WebhookContender> {
  const written = async () => {
    const [{ count }] = await database.sql<{ count: number }[]>`
      select (n_tup_ins + n_tup_upd)::integer as count from pg_stat_user_tables
      where relid = ${table}::regclass`;
    return count;
  };
  await settled(written);
  const before = await written();
  return {
    name,
    database,
    path,
    secret: WEBHOOK_SECRET,
    server: {
      name,
      program: "node",
      args: (port) => [script, "serve", String(port)],
      cwd: FOLDER,
      env: {
        BENCH_DB_URL: database.url("supabase_admin"),
        BENCH_SECRET: WEBHOOK_SECRET,
        NODE_ENV: "production",
      },
      path: "/",
    },
    outcomes: async () => ({ applied: await settled(written) - before }),
    prices: async () => {
      const [rows] = await database.sql.script(prices) as { key: string; price: string }[][];
      return new Map(rows.map(({ key, price }) => [key, price]));
    },
  };
}

/** Postgres' statistics come late, from an idle backend after up to ten seconds: waits until they do not change. */
async function settled(read: () => Promise<number>): Promise<number> {
  const QUIET_MS = 11_000;
  let [value, since] = [await read(), Date.now()];
  while (Date.now() - since < QUIET_MS) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = await read();
    if (now !== value) [value, since] = [now, Date.now()];
  }
  return value;
}

async function run(program: string, args: string[], database?: BenchDatabase, input = ""): Promise<void> {
  const process = new Deno.Command(program, {
    args,
    cwd: FOLDER,
    env: {
      ...commonEnvironment(),
      ...(database ? { BENCH_DB_URL: database.url("supabase_admin"), BENCH_SECRET: WEBHOOK_SECRET } : {}),
    },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  // A program that does not read its input may have ended.
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { success, stdout, stderr } = await process.output();
  const text = new TextDecoder();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}:\n${text.decode(stdout)}${text.decode(stderr)}`);
  }
}
