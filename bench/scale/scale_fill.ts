/**
 * Fills a database with communities, set by set. All that it knows of tables and columns is here. Columns that a table does
 * not have are left out, so a fill outlives a change of the schema; what a table requires and is not given fails.
 */
import type { Pool } from "../../billing/db/sql.ts";
import { addCommunities, FEATURE } from "../product.ts";

/** Of each three communities one pays, and so do the first hundred. */
const PAYS = "(i % 3 = 0 or i < 100)";
export const PER_PAYER = { invoices: 6, events: 6, reports: 6 };
export const USES_PER_COMMUNITY = 10;

/** How a fill names things; the same as an event series does. */
export const idsOf = (i: number) => {
  const key = String(i).padStart(6, "0");
  return { community: `community-${key}`, customer: `cus_bench${key}`, subscription: `sub_bench${key}` };
};

/** What is not per community: plans, the metered feature, partitions. */
export async function prepareScale(sql: Pool): Promise<void> {
  await addCommunities(sql, 0);
  await sql`update public.features set meter_event_name = ${FEATURE} where code = ${FEATURE}`;
  await sql`update public.plan_limits set quota = 1000000000000 where feature = ${FEATURE}`;
  await sql`
    select billing.create_usage_partition((date_trunc('month', now()) - make_interval(months => n))::date)
    from generate_series(0, 2) as n`;
}

/** Adds the communities with numbers from `from` until `to`. `template` is a subscription event as JSON. */
export async function addScaleCommunities(
  sql: Pool,
  from: number,
  to: number,
  template: string,
): Promise<void> {
  const insert = await inserter(sql);
  const all =
    `(select i, lpad(i::text, 6, '0') as key, now() - interval '1 year' * ((i % 997) / 997.0) as since,
    (select id from public.plans where code = 'pro') as pro, (select id from public.plans where is_default) as free
    from generate_series(${from}, ${to - 1}) i) c`;
  const payers = `(select * from ${all} where ${PAYS}) c`;
  // Foreign keys need no check here, and make a large fill several times slower.
  await sql.script("set session_replication_role = replica");

  await insert("public.communities", {
    id: "'community-' || key",
    title: "'Community ' || i",
    current_plan_id: `case when ${PAYS} then pro else free end`,
    stripe_customer_id: `case when ${PAYS} then 'cus_bench' || key end`,
    created_at: "since",
    current_plan_until: "'infinity'",
    plan_until: "'infinity'",
  }, all);
  await insert("billing.customers", {
    id: "'cus_bench' || key",
    community_id: "'community-' || key",
    linked_at: "since",
    confirmed_at: "now() - interval '30 minutes'",
    livemode: "false",
  }, payers);

  // The first hundred are active, so that any event is news to them.
  const isPastDue = "(i >= 100 and i % 50 = 49)";
  const isOver = "(i >= 100 and i % 50 <> 49 and i % 20 = 19)";
  const status = `case when ${isPastDue} then 'past_due' when ${isOver} then 'canceled' else 'active' end`;
  await insert("public.subscriptions", {
    id: "'sub_bench' || key",
    community_id: "'community-' || key",
    customer_id: "'cus_bench' || key",
    plan_id: "pro",
    stripe_price_id: "'price_pro'",
    status,
    items:
      `jsonb_build_array(jsonb_build_object('id', 'si_bench' || key, 'price_id', 'price_pro', 'quantity', 1,
      'unit_amount', 2900, 'currency', 'usd', 'interval', 'month', 'interval_count', 1, 'usage_type', 'licensed'))`,
    price_ids: "array['price_pro']",
    currency: "'usd'",
    current_period_start: "now() - interval '10 days'",
    current_period_end: "now() + interval '20 days'",
    ended_at: `case when ${isOver} then now() - interval '5 days' end`,
    past_due_since: `case when ${isPastDue} then now() - interval '2 days' end`,
    started_at: "since",
    gives_plan_id: `case when not ${isOver} then pro end`,
    gives_plan_until:
      `case when ${isPastDue} then now() + interval '5 days' when not ${isOver} then 'infinity' end`,
    state_hash: "md5('sub_bench' || key)",
    as_of: "now() - interval '10 days'",
    confirmed_at: "now() - interval '30 minutes'",
  }, payers);

  const invoices =
    `(select c.*, n, since + interval '1 month' * n as issued, 'in_bench' || key || '_' || n as invoice
    from ${payers}, generate_series(1, ${PER_PAYER.invoices}) n) c`;
  const invoiceStatus = `case when ${isPastDue} and n = 6 then 'open' else 'paid' end`;
  await insert("public.invoices", {
    id: "invoice",
    community_id: "'community-' || key",
    customer_id: "'cus_bench' || key",
    subscription_id: "'sub_bench' || key",
    number: "'BENCH-' || key || '-' || n",
    status: invoiceStatus,
    billing_reason: "'subscription_cycle'",
    amount_due_cents: "2900",
    amount_paid_cents: `case ${invoiceStatus} when 'paid' then 2900 else 0 end`,
    subtotal_cents: "2900",
    discount_cents: "0",
    tax_cents: "0",
    total_cents: "2900",
    currency: "'usd'",
    hosted_invoice_url: "'https://invoice.stripe.com/i/acct_bench/test_' || md5(invoice) || md5(invoice)",
    invoice_pdf:
      "'https://pay.stripe.com/invoice/acct_bench/test_' || md5(invoice) || md5(invoice) || '/pdf'",
    issued_at: "issued",
    paid_at: `case ${invoiceStatus} when 'paid' then issued + interval '1 hour' end`,
    price_ids: "array['price_pro']",
    plan_id: "pro",
    state_hash: "md5(invoice)",
    as_of: "issued",
    confirmed_at: "now() - interval '30 minutes'",
  }, invoices);
  await insert("billing.object_sync", {
    object_id: "'sub_bench' || key",
    kind: "'subscription'",
    state:
      `(select to_jsonb(s) - array['community_id', 'plan_id', 'past_due_since', 'created_at', 'updated_at']
      from public.subscriptions s where s.id = 'sub_bench' || key)`,
    state_as_of: "now() - interval '10 days'",
    confirmed_at: "now() - interval '30 minutes'",
  }, payers);
  await insert("billing.object_sync", {
    object_id: "invoice",
    kind: "'invoice'",
    state: `(select to_jsonb(v) - array['community_id', 'created_at', 'updated_at'] from public.invoices v
      where v.id = invoice)`,
    state_as_of: "issued",
    confirmed_at: "now() - interval '30 minutes'",
  }, invoices);

  // The newest has its payload still; the others are older than payloads are kept.
  const events = `(select c.*, n, 'evt_fill_' || key || '_' || n as event,
      now() - case n when 1 then interval '10 days' else interval '100 days' + interval '1 month' * (n - 2) end
        - interval '1 second' * (i % 86400) as happened
    from ${payers}, generate_series(1, ${PER_PAYER.events}) n) c`;
  const [payloadType] = await sql<{ type: string | null }[]>`
    select data_type as type from information_schema.columns
    where table_schema = 'billing' and table_name = 'stripe_events' and column_name = 'payload'`;
  const isReducedToNull = payloadType?.type === "json";
  const whole = `replace(replace(${
    literal(template)
  }, '@key@', key), '@event@', event)::${payloadType?.type}`;
  const reduced = isReducedToNull
    ? "null"
    : `jsonb_build_object('id', event, 'type', 'customer.subscription.updated', 'object_id', 'sub_bench' || key,
        'customer_id', 'cus_bench' || key)`;
  await insert("billing.stripe_events", {
    id: "event",
    type: "'customer.subscription.updated'",
    created_at: "happened",
    livemode: "false",
    api_version: "'2026-10-28.endive'",
    customer_id: "'cus_bench' || key",
    object_id: "'sub_bench' || key",
    object_status: "'active'",
    outcome: "'applied'",
    payload: `case when n = 1 then ${whole} else ${reduced} end`,
    received_at: "happened",
    processed_at: "happened",
  }, events);
  // Another app's customers in the same account: nobody's here.
  await insert("billing.stripe_events", {
    id: "'evt_parked_' || key",
    type: "'customer.subscription.updated'",
    created_at: "since",
    livemode: "false",
    customer_id: "'cus_other' || key",
    object_id: "'sub_other' || key",
    outcome: "'parked'",
    payload: isReducedToNull ? "null" : "jsonb_build_object('id', 'evt_parked_' || key, 'data', '{}'::jsonb)",
    received_at: "since",
    processed_at: "since",
  }, `(select * from ${all} where i % 10 = 5) c`);
  await insert("billing.anomalies", {
    kind: "'missing_in_stripe'",
    object_id: "'sub_bench' || key",
    community_id: "'community-' || key",
    detail: "'Stripe does not know it.'",
    resolved_at: "case when i % 500 = 0 then null else now() end",
  }, `(select * from ${all} where i % 50 = 0) c`);

  const uses = `(select c.*, n, now() - interval '1 hour' * (1 + (i * 7 + n * 71) % 700) as used
    from ${all}, generate_series(1, ${USES_PER_COMMUNITY}) n) c`;
  await insert("public.usage_events", {
    community_id: "'community-' || key",
    feature: `'${FEATURE}'`,
    user_id: "'user-' || (i % 50)",
    quantity: "1",
    occurred_at: "used",
    idempotency_key: "case when n % 2 = 0 then 'use-' || key || '-' || n end",
  }, uses);
  await insert(
    "billing.usage_keys",
    {
      community_id: "e.community_id",
      feature: "e.feature",
      idempotency_key: "e.idempotency_key",
      usage_event_id: "e.id",
      occurred_at: "e.occurred_at",
      quantity: "e.quantity",
    },
    `public.usage_events e where e.idempotency_key is not null and e.community_id >= ${
      literal(idsOf(from).community)
    }
    and e.community_id < ${literal(`community-${String(to).padStart(6, "0")}`)}`,
  );
  await insert(
    "public.usage_counters",
    {
      community_id: "e.community_id",
      feature: "e.feature",
      resolution: "interval '6 hours'",
      starts_at: "date_bin('6 hours', e.occurred_at, '1970-01-01Z')",
      quantity: "count(*)",
    },
    `public.usage_events e where e.community_id >= ${literal(idsOf(from).community)}
    and e.community_id < ${literal(`community-${String(to).padStart(6, "0")}`)}
    group by e.community_id, e.feature, date_bin('6 hours', e.occurred_at, '1970-01-01Z')`,
  );
  await insert("billing.usage_locks", { community_id: "'community-' || key", feature: `'${FEATURE}'` }, all);

  const reports =
    `(select c.*, n, date_trunc('hour', now(), 'UTC') - interval '1 hour' * (n * 26 + i % 13) as hour
    from ${payers}, generate_series(1, ${PER_PAYER.reports}) n) c`;
  const state =
    `case when n = 1 and i % 10 = 0 then 'open' when n = 2 and i % 1000 = 0 then 'refused' else 'sent' end`;
  await insert("billing.usage_reports", {
    identifier: "'dues_' || md5(key || n) || md5(n || key)",
    community_id: "'community-' || key",
    feature: `'${FEATURE}'`,
    hour: "hour",
    part: "0",
    stripe_customer_id: "'cus_bench' || key",
    meter_event_name: `'${FEATURE}'`,
    first_used_at: "hour + interval '5 minutes'",
    closes_at: "hour + interval '1 hour'",
    quantity: "3",
    state,
    due_at: "hour + interval '1 hour'",
    attempts: `case ${state} when 'open' then 0 else 1 end`,
    finished_at: `case ${state} when 'open' then null else hour + interval '65 minutes' end`,
  }, reports);
  await insert("billing.usage_queues", {
    stripe_customer_id: "'cus_bench' || key",
    meter_event_name: `'${FEATURE}'`,
    checked_at: "now() - interval '2 days'",
  }, payers);
  await sql.script("reset session_replication_role");
  await sql.script("vacuum analyze");
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Inserts into the columns that a table has; not at all into a table that there is not. */
async function inserter(sql: Pool) {
  const rows = await sql<{ name: string; columns: string[] }[]>`
    select table_schema || '.' || table_name as name, array_agg(column_name::text) as columns
    from information_schema.columns
    where table_schema in ('public', 'billing') and is_generated = 'NEVER' group by 1`;
  const tables = new Map(rows.map(({ name, columns }) => [name, new Set(columns)]));
  return async (table: string, columns: Record<string, string>, from: string) => {
    const known = tables.get(table);
    if (!known) return;
    const given = Object.entries(columns).filter(([name]) => known.has(name));
    await sql.script(
      `insert into ${table} (${given.map(([name]) => name).join(", ")})
       select ${given.map(([_, expression]) => expression).join(", ")} from ${from}`,
    );
  };
}
