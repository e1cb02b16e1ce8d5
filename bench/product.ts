/** All that the benchmarks know of the product's tables, functions, entries and variables. */
import type { Pool } from "../billing/db/sql.ts";
import { projectPath } from "../local/paths.ts";
import { keyOf, PRICES } from "./load/event_series.ts";
import type { ServerSpec } from "./measure/running_server.ts";

export const WEBHOOK_SECRET = "whsec_bench";
export const FEATURE = "ai_chat_message";

/** The communities and customers of an event series, and the plans of its prices. `sql` is the operator. */
export async function addCommunities(sql: Pool, count: number): Promise<void> {
  await sql`
    insert into public.plans (code, name, rank, price_cents, currency, billing_interval, is_default, stripe_price_id)
    values ('basic', 'Basic', 5, 1000, 'usd', 'month', false, ${PRICES[0]})`;
  // The server does not start while a plan lacks a limit.
  await sql`
    insert into public.plan_limits (plan_id, feature, quota, quota_window, period)
    select basic.id, l.feature, l.quota, l.quota_window, l.period
    from public.plan_limits l join public.plans p on p.id = l.plan_id and p.is_default, public.plans basic
    where basic.code = 'basic'`;
  await sql`update public.plans set stripe_price_id = ${PRICES[1]} where code = 'pro'`;
  await sql`
    insert into public.communities (id, title, current_plan_id)
    select 'community-' || lpad(n::text, 6, '0'), 'Community ' || n, p.id
    from public.plans p, generate_series(0, ${count - 1}::integer) n where p.is_default`;
  await sql`
    select billing.link_customer('community-' || lpad(n::text, 6, '0'), 'cus_bench' || lpad(n::text, 6, '0'))
    from generate_series(0, ${count - 1}::integer) n`;
  await sql`vacuum analyze`;
}

export const communityOf = (customer: number) => `community-${keyOf(customer)}`;

/** How many events of the event log have which outcome. */
export async function eventOutcomes(sql: Pool): Promise<Record<string, number>> {
  const rows = await sql<{ outcome: string; count: number }[]>`
    select outcome, count(*)::integer as count from billing.stripe_events group by outcome`;
  return Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count]));
}

/** The ids of events that wait for an answer of Stripe's. */
export async function waitingEvents(sql: Pool): Promise<string[]> {
  return (await sql<{ id: string }[]>`
    select id from billing.stripe_events where outcome in ('pending', 'failed')`).map(({ id }) => id);
}

/** The price of the plan that each customer's community is on, by the customer's key. */
export async function storedPrices(sql: Pool): Promise<Map<string, string>> {
  const rows = await sql<{ key: string; price: string }[]>`
    select right(k.id, 6) as key, p.stripe_price_id as price
    from billing.customers k join public.communities c on c.id = k.community_id
    join public.plans p on p.id = c.current_plan_id
    where k.id like 'cus_bench%' and p.stripe_price_id is not null`;
  return new Map(rows.map(({ key, price }) => [key, price]));
}

/** The edge function that Stripe delivers to on hosted Supabase. */
export function webhookFunction(databaseUrl: string, stripeUrl = "http://127.0.0.1:1"): ServerSpec {
  const entry = projectPath("supabase", "functions", "stripe-webhook", "index.ts");
  return {
    name: "stripe-webhook",
    args: (port) => ["serve", "--allow-all", "--host", "127.0.0.1", "--port", String(port), entry],
    env: {
      STRIPE_SECRET_KEY: "sk_test_bench",
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      STRIPE_API_BASE: stripeUrl,
      SUPABASE_DB_URL: databaseUrl,
    },
    path: "/",
  };
}

/** The plugin server as `deno task start` runs it, with the environment of a stack, at the port it is known by there. */
export function builtServer(env: Record<string, string>, port: number): ServerSpec {
  return {
    name: "plugin server",
    port,
    args: (port) => [
      "serve",
      "--allow-net",
      "--allow-env",
      "--allow-read=.",
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "_fresh/server.js",
    ],
    env,
    path: "/api/health",
  };
}

export const PATHS = {
  webhook: "/api/webhooks/stripe",
  billingInfo: "/api/community/billing-info",
  page: "/",
};

/** The hot community of the quota benchmark, and those that use is spread over. */
export const HOT = "hot";
export const SPREAD = 1000;

/** Communities whose limit is never reached, with partitions for their history. */
export async function prepareQuota(sql: Pool): Promise<void> {
  await sql`update public.plan_limits set quota = 1000000000000 where feature = ${FEATURE}`;
  await sql`
    insert into public.communities (id, title, current_plan_id)
    select v, v, p.id from public.plans p,
      (select ${HOT} as v union all select 'spread-' || n from generate_series(1, ${SPREAD}::integer) n) ids
    where p.is_default`;
  await sql`
    select billing.create_usage_partition((date_trunc('month', now()) - make_interval(months => n))::date)
    from generate_series(0, 1) as n`;
}

/** That many events of the hot community within the last 29 days, with the counters that follow from them. */
export async function addHistory(sql: Pool, events: number): Promise<void> {
  // Without its key, because an index that is built afterwards is built much faster.
  await sql.script("alter table public.usage_events drop constraint usage_events_pkey");
  await sql`
    insert into public.usage_events (community_id, feature, user_id, quantity, occurred_at)
    select ${HOT}, ${FEATURE}, 'somebody', 1, now() - interval '29 days' * (n / ${events}::double precision)
    from generate_series(1, ${events}::integer) as n`;
  await sql.script(`set maintenance_work_mem = '512MB';
    alter table public.usage_events add constraint usage_events_pkey primary key (community_id, feature, occurred_at, id)`);
  await sql`select billing.rebuild_usage_counters(${HOT}, ${FEATURE})`;
  await sql`vacuum analyze`;
}

/** What the uses of the quota benchmark left behind: events, and units in the counters. */
export async function usage(sql: Pool): Promise<{ events: number; counted: number }> {
  const [row] = await sql<{ events: number; counted: number }[]>`
    select (select count(*)::float8 from public.usage_events) as events,
      (select coalesce(sum(quantity), 0)::float8 from public.usage_counters where resolution = interval '6 hours')
        as counted`;
  return row;
}

/** One use of a feature, as a pgbench script: role billing_service. */
export const CONSUME = {
  hot: `select billing.consume_quota('${HOT}', '${FEATURE}', 1, 'somebody');\n`,
  spread:
    `\\set n random(1, ${SPREAD})\nselect billing.consume_quota('spread-' || :n::integer, '${FEATURE}', 1, 'somebody');\n`,
};

/** The row that such a use leaves, inserted without any check: role postgres. */
export const INSERT = {
  hot:
    `insert into public.usage_events (community_id, feature, user_id, quantity) values ('${HOT}', '${FEATURE}', 'somebody', 1);\n`,
  spread:
    `\\set n random(1, ${SPREAD})\ninsert into public.usage_events (community_id, feature, user_id, quantity) values ('spread-' || :n::integer, '${FEATURE}', 'somebody', 1);\n`,
};
