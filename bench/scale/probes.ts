/**
 * What is measured at every size: each function that a role may call, each view as the dashboard asks it, each job. The names
 * of functions are here and nowhere else in bench/scale.
 */
import { FEATURE } from "../product.ts";
import { idsOf, PER_PAYER } from "./scale_fill.ts";

/**
 * How the cost may grow.
 *   flat   not at all, whatever the number of communities: one community's, one page's or one batch's
 *   whole  with what it reads by its nature: at most so many buffers (pages of 8 kB) for each community
 */
export type Expectation = "flat" | { whole: number };

export interface Probe {
  name: string;
  /** Of functions: as `schema.name`. A probe whose function is gone, or a function without a probe, is a fault. */
  covers?: string;
  role: "billing_service" | "service_role" | "authenticated" | "postgres";
  sql: string;
  expect: Expectation;
}

const { community, customer, subscription } = idsOf(99);
const TEXT = (value: string) => `'${value}'`;
const now = "extract(epoch from now())::bigint";

/** A page of Stripe's list of customers, as the reconciliation hands it over. */
const customerPage = `(select jsonb_agg(jsonb_build_object('id', 'cus_bench' || lpad(i::text, 6, '0'),
  'community_id', 'community-' || lpad(i::text, 6, '0'))) from generate_series(0, 99) i)`;

const call = (
  covers: string,
  args: string,
  expect: Expectation = "flat",
  { name = covers.replace(/^\w+\./, ""), role = "billing_service" as Probe["role"] } = {},
): Probe => ({ name, covers, role, sql: `select ${covers}(${args})`, expect });

const operator = { role: "postgres" as const };

const FUNCTIONS: Probe[] = [
  // People.
  {
    name: "billing_info",
    covers: "public.billing_info",
    role: "authenticated",
    sql: "select public.billing_info()",
    expect: "flat",
  },
  call("billing.open_session", `'issuer', 'jti', now() + interval '5 minutes', '${community}', 'Title'`),
  call("billing.checkout_context", `'${community}', 'pro'`),
  call("billing.begin_checkout", `'${community}', 'fingerprint'`),
  call("billing.finish_checkout", `'${community}', 1, 'cs_bench'`),
  call("billing.quota_faults", `array['${FEATURE}'], array['active_wizard']`),

  // Uses.
  call("billing.consume_quota", `'${community}', '${FEATURE}', 1, 'somebody', 'key'`),
  call(
    "billing.consume_quota_batch",
    `'${community}', 'somebody', '[{"feature": "${FEATURE}", "quantity": 2}]'`,
  ),
  {
    name: "release_quota",
    covers: "billing.release_quota",
    role: "postgres",
    sql: `select billing.release_quota(e.community_id, e.feature, e.id, e.occurred_at) from (
      select * from public.usage_events where community_id = '${community}' order by occurred_at desc limit 1) e`,
    expect: "flat",
  },
  call(
    "billing.acquire_resource",
    `'${community}', 'active_wizard', 'wizard-1', 'somebody', interval '1 hour'`,
  ),
  call("billing.release_resource", `'${community}', 'active_wizard', 'wizard-1'`),

  // Customers and events.
  call("billing.link_customer", `'${community}', '${customer}'`),
  call("billing.forget_customer", `'${customer}'`),
  call("billing.lock_customer", `'${customer}'`),
  call(
    "billing.missed_events",
    "array(select 'evt_fill_' || lpad(i::text, 6, '0') || '_1' from generate_series(0, 99) i)",
  ),
  call("billing.open_events", `'${customer}'`, "flat", {
    name: "open_events of one customer",
    role: "billing_service",
  }),
  call("billing.open_events", "null", "flat", { name: "open_events of all", role: "billing_service" }),
  call(
    "billing.apply_stripe_event",
    `jsonb_build_object('id', 'evt_probe', 'type', 'customer.updated', 'created', ${now},
    'livemode', false, 'customer_id', '${customer}', 'object_id', '${customer}'), null, '{}'`,
  ),
  call(
    "billing.apply_meter_errors",
    `jsonb_build_object('id', 'evt_probe', 'type', 'v1.billing.meter.error_report_triggered', 'created', ${now},
      'livemode', false), '{"detail": "refused", "refused": []}', '{}'`,
  ),
  call("billing.report_missing", `'${subscription}', '${community}'`),

  // Reconciliation.
  call("billing.begin_reconciliation", ""),
  call("billing.note_caught_up", "1"),
  call("billing.finish_reconciliation", "1, '{}'"),
  call("billing.compare_customers", customerPage, "flat", {
    name: "compare_customers, a page",
    role: "billing_service",
  }),
  call(
    "billing.find_drift",
    `(select jsonb_agg(jsonb_build_object('kind', 'subscription', 'customer_id', 'cus_bench' || right(s.id, 6),
      'state', to_jsonb(s))) from (select id, status, started_at from public.subscriptions order by id limit 100) s)`,
    "flat",
    { name: "find_drift, a page", role: "postgres" },
  ),
  {
    name: "apply_fetched",
    covers: "billing.apply_fetched",
    role: "postgres",
    sql:
      `select billing.apply_fetched('subscription', '${customer}', to_jsonb(s) - array['community_id', 'plan_id',
      'past_due_since', 'created_at', 'updated_at'], now()) from public.subscriptions s where s.id = '${subscription}'`,
    expect: "flat",
  },
  call("billing.unconfirmed_customers", "now() - interval '1 hour'"),
  call("billing.unconfirmed_objects", "now() - interval '1 hour'"),
  call("billing.end_grace_periods", ""),
  call("billing.reduce_payloads", ""),

  // Metered usage.
  call("billing.claim_usage_reports", "20"),
  call("billing.record_usage_report_outcome", "'dues_unknown', null, 'sent'"),
  call("billing.delivered_usage", `'${customer}', '${FEATURE}', now() - interval '35 days', now()`),
  call(
    "billing.usage_to_check",
    "date_trunc('day', now()) - interval '35 days', date_trunc('day', now()), now() - interval '1 day', 20",
  ),
  call("billing.finish_usage_check", `'${customer}', '${FEATURE}', null`),
  call("billing.resend_usage_report", "'dues_unknown'", "flat", operator),

  // The operator's jobs. A check of everything reads everything.
  call("billing.maintain_usage", "", "flat", operator),
  {
    name: "check_usage_counters of one community",
    covers: "billing.check_usage_counters",
    role: "postgres",
    sql: `select * from billing.check_usage_counters('${community}')`,
    expect: "flat",
  },
  {
    name: "check_usage_counters of all",
    covers: "billing.check_usage_counters",
    role: "postgres",
    sql: "select * from billing.check_usage_counters()",
    expect: { whole: 3 },
  },
  call("billing.rebuild_usage_counters", `'${community}', '${FEATURE}'`, "flat", operator),
  call("billing.window_start", "'rolling', 2592000, interval '6 hours', now()", "flat", {
    name: "window_start",
    role: "service_role",
  }),
  call("billing.window_release", "'rolling', 2592000, interval '6 hours', now()", "flat", {
    name: "window_release",
    role: "service_role",
  }),
  call("billing.default_grace_period", "", "flat", { name: "default_grace_period", role: "service_role" }),
];

const view = (name: string, sql: string, expect: Expectation = "flat"): Probe => ({
  name,
  role: "service_role",
  sql: `select * from ${sql}`,
  expect,
});

/** As the dashboard asks: one row, a page by what an operator looks for, a count. */
const VIEWS: Probe[] = [
  view("billing_overview, one community", `public.billing_overview where community_id = ${TEXT(community)}`),
  view("billing_overview, a page", "public.billing_overview order by community_id limit 50"),
  view("billing_overview, past_due", "public.billing_overview where status = 'past_due' limit 50"),
  view("billing_overview, by what they paid", "public.billing_overview order by paid_cents desc limit 50"),
  view("billing_overview, with anomalies", "public.billing_overview where open_anomalies > 0 limit 50"),
  {
    name: "billing_overview, counted",
    role: "service_role",
    sql: "select count(*) from public.billing_overview",
    expect: { whole: 0.1 },
  },
  view("usage_overview, one community", `public.usage_overview where community_id = ${TEXT(community)}`),
  view("usage_overview, by use", "public.usage_overview order by used desc limit 50"),
  view("usage_reports_overview", "public.usage_reports_overview", { whole: 0.05 }),
  view("unsent_usage_reports, a page", "public.unsent_usage_reports limit 50"),
];

/** What tasks and people read from tables. */
const TABLES: Probe[] = [
  view(
    "event log, one customer",
    `billing.stripe_events where customer_id = '${customer}' order by created_at desc limit 50`,
  ),
  view(
    "event log, an hour",
    `billing.stripe_events where created_at between now() - interval '10 days 1 hour'
    and now() - interval '10 days' order by created_at limit 50`,
  ),
  view("event log, newest", "billing.stripe_events order by received_at desc limit 50"),
  view("anomalies, open", "billing.anomalies where resolved_at is null order by first_seen_at desc limit 50"),
  view("invoices, open", "public.invoices where status = 'open' order by issued_at limit 50"),
];

export const PROBES: Probe[] = [...FUNCTIONS, ...VIEWS, ...TABLES];

/** What a role may call and no probe covers, because another does the same work. */
export const COVERED_OTHERWISE: string[] = [];

/** Tables by what they are kept for, with how many rows of each a fill makes for one of them. */
export const SIZES: { of: string; tables: string[] }[] = [
  { of: "community", tables: ["public.communities"] },
  { of: "paying community", tables: ["billing.customers", "public.subscriptions", "billing.usage_queues"] },
  { of: "invoice", tables: ["public.invoices"] },
  { of: "object's sync state", tables: ["billing.object_sync"] },
  { of: "Stripe event", tables: ["billing.stripe_events"] },
  { of: "use", tables: ["public.usage_events"] },
  { of: "use with a key", tables: ["billing.usage_keys"] },
  { of: "counter", tables: ["public.usage_counters"] },
  { of: "community that uses a feature", tables: ["billing.usage_locks"] },
  { of: "usage report", tables: ["billing.usage_reports"] },
  { of: "anomaly", tables: ["billing.anomalies"] },
];

/** The claims that `authenticated` reads with. */
export const CLAIMS = JSON.stringify({ sub: "somebody", cid: community, adm: "true", role: "authenticated" });

/** For the text of the results: what a fill gives to one paying community. */
export const FILL_DESCRIPTION = `one community in three pays and has ${PER_PAYER.invoices} invoices, ` +
  `${PER_PAYER.events} events and ${PER_PAYER.reports} usage reports; each has 10 uses; one in ten events is another app's`;
