/** Who takes part in the comparison of webhooks, each with a database and, but for pgbench, a server of its own. */
import type { Cluster } from "../../local/postgres/cluster.ts";
import { projectPath } from "../../local/paths.ts";
import { type EventSeries, keyOf, PRICES } from "../load/event_series.ts";
import { type BenchDatabase, makeDatabase } from "../measure/durable_postgres.ts";
import type { ServerSpec } from "../measure/running_server.ts";
import { addCommunities, eventOutcomes, storedPrices, WEBHOOK_SECRET, webhookFunction } from "../product.ts";

export interface WebhookContender {
  name: string;
  database: BenchDatabase;
  path: string;
  secret: string;
  server: ServerSpec;
  /** How many events ended how, as the database says. */
  outcomes(): Promise<Record<string, number>>;
  /** The price that each customer is stored with, by the customer's key. */
  prices(): Promise<Map<string, string>>;
}

/** The product: the edge function on a database of its own. */
export async function duesContender(cluster: Cluster, { customers }: EventSeries): Promise<WebhookContender> {
  const database = await makeDatabase(cluster, "bench_dues", "migrated");
  await addCommunities(database.sql, customers);
  return {
    name: "dues",
    database,
    path: "/",
    secret: WEBHOOK_SECRET,
    server: webhookFunction(database.url("billing_service")),
    outcomes: () => eventOutcomes(database.sql),
    prices: () => storedPrices(database.sql),
  };
}

/** The tables and the function of lean.sql, with its communities. */
export async function leanDatabase(
  cluster: Cluster,
  name: string,
  customers: number,
): Promise<BenchDatabase> {
  const database = await makeDatabase(cluster, name, "empty");
  await database.sql.script(await Deno.readTextFile(projectPath("bench", "contenders", "lean.sql")));
  await database.sql`
    insert into communities select 'community-' || k, 'cus_bench' || k, 1
    from unnest(${Array.from({ length: customers }, (_, n) => keyOf(n))}::text[]) k`;
  await database.sql.script("vacuum analyze");
  return database;
}

/** The lean handler. */
export async function leanContender(cluster: Cluster, { customers }: EventSeries): Promise<WebhookContender> {
  const database = await leanDatabase(cluster, "bench_lean", customers);
  return {
    name: "lean",
    database,
    path: "/",
    secret: WEBHOOK_SECRET,
    server: {
      name: "lean handler",
      args: (port) => [
        "run",
        "--allow-net",
        "--allow-env",
        projectPath("bench", "contenders", "lean_server.ts"),
        String(port),
      ],
      env: { BENCH_DB_URL: database.url("supabase_admin"), BENCH_SECRET: WEBHOOK_SECRET },
      path: "/",
    },
    outcomes: () => leanOutcomes(database),
    prices: async () => {
      const rows = await database.sql<{ key: string; price: string }[]>`
        select right(c.customer_id, 6) as key, p.price_id as price
        from communities c join plans p on p.id = c.current_plan_id`;
      return new Map(rows.map(({ key, price }) => [key, price]));
    },
  };
}

export async function leanOutcomes({ sql }: BenchDatabase): Promise<Record<string, number>> {
  const rows = await sql<{ outcome: string; count: number }[]>`
    select outcome, count(*)::integer as count from events group by outcome`;
  return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]));
}

/**
 * One event of the lean handler's function, as a pgbench script. Each client has customers of its own and takes the time of
 * the event from the clock, in steps of 20 microseconds that are counted as seconds: so each is later than all before it.
 */
export const leanScript = (customers: number, clients: number) =>
  `\\set n :client_id + ${clients} * random(0, ${Math.floor(customers / clients) - 1})
\\set chance random(1, 9000000000000000000)
\\set price random(0, 1)
select apply_event('evt_' || :chance::bigint, 'customer.subscription.updated',
  ((extract(epoch from clock_timestamp()) - 1700000000) * 50000)::bigint,
  'sub_bench' || lpad(:n::integer::text, 6, '0'), 'cus_bench' || lpad(:n::integer::text, 6, '0'),
  case :price::integer when 0 then '${PRICES[0]}' else '${PRICES[1]}' end, 'active', 1900000000);
`;
