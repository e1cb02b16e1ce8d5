/** Faults of an installation: how each is set up, and what the doctor says of it. */
import { generateKeyPairSync } from "node:crypto";
import { callSimulator } from "../support/simulator.ts";
import { createDatabase } from "../support/database.ts";
import type { DoctorOptions } from "../../billing/doctor/context.ts";
import type { Installation } from "./rig.ts";

/** What differs for one run of the doctor, and how it is undone. */
interface Setup {
  env?: Record<string, string | undefined>;
  options?: Partial<DoctorOptions>;
  undo?: () => Promise<unknown>;
}

export interface Fault {
  /** What is wrong. */
  fault: string;
  /** `group/name` of the check that says so. */
  check: string;
  sentence: RegExp;
  /** Whether it is only a warning. */
  warning?: boolean;
  set(it: Installation): Setup | Promise<Setup>;
}

const env = (changes: Record<string, string | undefined>) => () => ({ env: changes });

/** Runs SQL as postgres, and other SQL afterwards. */
const sql = (text: string, undo: string) => async (it: Installation) => {
  await it.sql.script(text);
  return { undo: () => it.sql.script(undo) };
};

/** The same as superuser, for roles. */
const asSuperuser = (text: string, undo: string) => async (it: Installation) => {
  await it.superuser.script(text);
  return { undo: () => it.superuser.script(undo) };
};

/** Changes the Stripe account, and restores all of it afterwards. */
const inStripe =
  (change: (it: Installation) => Promise<unknown>) => async (it: Installation): Promise<Setup> => {
    const state = await (await fetch(`${it.stack.urls.stripe}/_sim/state`)).json();
    await change(it);
    return { undo: () => callSimulator(it.stack, "PUT", "/_sim/state", state) };
  };

/** A web server in the place of another. */
const stand = (
  variable: string,
  answer: (request: Request, it: Installation) => Response | Promise<Response>,
  more: Record<string, string | undefined> = {},
  path = "",
) =>
(it: Installation): Setup => {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answer(request, it),
  );
  return {
    env: { [variable]: `http://127.0.0.1:${server.addr.port}${path}`, ...more },
    undo: () => server.shutdown(),
  };
};

/** The plugin's server behind a proxy that changes its answers. */
const behindProxy = (change: (headers: Headers) => void) =>
  stand("PLUGIN_URL", async (request, it) => {
    const { pathname } = new URL(request.url);
    const answer = await fetch(`${it.stack.urls.plugin}${pathname}`);
    const headers = new Headers(answer.headers);
    change(headers);
    return new Response(await answer.text(), { status: answer.status, headers });
  });

/** A port of this machine at which nothing listens. */
const CLOSED = "http://127.0.0.1:9";

const withHost = (url: string, change: (url: URL) => void) => {
  const changed = new URL(url);
  change(changed);
  return changed.href;
};

const endpointOf = async (it: Installation) => (await it.stripe.webhookEndpoints.list()).data[0];

const anotherDatabase = (template: "migrated" | "blank", names: string[]) => async (it: Installation) => {
  const other = await createDatabase(template, it.stack.database.cluster);
  const urls: Record<string, string> = {
    OPERATOR_DB_URL: other.url("postgres"),
    SUPABASE_DB_URL: other.url("billing_service"),
  };
  return {
    env: Object.fromEntries(Object.entries(urls).filter(([name]) => names.includes(name))),
    undo: () => it.sql`select 1`.then(() => other.drop()),
  };
};

const rsaPair = () =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });

const live = "sk_live_1234567890abcdef";
const SECRET = "c2b4f1a09d8e7c6b5a493827160f5e4d3c2b1a09";

export const faults: Fault[] = [
  // --- The environment.
  {
    fault: "SESSION_SECRET is missing",
    check: "environment/variables",
    sentence: /^SESSION_SECRET is missing: it should be a random secret/,
    set: env({ SESSION_SECRET: undefined }),
  },
  {
    fault: "OPERATOR_DB_URL is empty",
    check: "environment/variables",
    sentence: /^OPERATOR_DB_URL is missing: it should be the project's database as role postgres/,
    set: env({ OPERATOR_DB_URL: "" }),
  },
  {
    fault: "STRIPE_WEBHOOK_SECRET holds a secret key",
    check: "environment/variables",
    sentence: /^STRIPE_WEBHOOK_SECRET should be the signing secret of the webhook endpoint/,
    set: env({ STRIPE_WEBHOOK_SECRET: "sk_test_1234" }),
  },
  {
    fault: "PLUGIN_URL has a path",
    check: "environment/variables",
    sentence: /^PLUGIN_URL should be the address this plugin is served at.*without a path/,
    set: env({ PLUGIN_URL: "https://billing.example/app" }),
  },
  {
    fault: "CHECKOUT_UI_MODE has an unknown value",
    check: "environment/variables",
    sentence: /^CHECKOUT_UI_MODE should be hosted .* or embedded/,
    set: env({ CHECKOUT_UI_MODE: "popup" }),
  },
  {
    fault: "two ways to prove who somebody is are configured",
    check: "environment/variables",
    sentence: /PARENT_APP_JWT_SECRET or PARENT_APP_JWKS_URL.*exactly one of them should be set/,
    set: env({ PARENT_APP_JWKS_URL: "http://127.0.0.1:9/jwks.json" }),
  },
  {
    fault: "a variable is misspelt",
    check: "environment/unknown variables",
    sentence: /^STRIPE_WEBHOOK_SECRETS is set, but nothing reads it\.$/,
    warning: true,
    set: env({ STRIPE_WEBHOOK_SECRETS: "whsec_1" }),
  },
  {
    fault: "the publishable key is of live mode and the secret key of test mode",
    check: "environment/safety",
    sentence:
      /^STRIPE_PUBLISHABLE_KEY should be of the same mode as STRIPE_SECRET_KEY: one is live, the other test\.$/,
    set: env({ STRIPE_PUBLISHABLE_KEY: "pk_live_1234567890" }),
  },
  {
    fault: "the two keys are of two accounts",
    check: "environment/account of the keys",
    sentence: /are of two Stripe accounts\.$/,
    set: env({
      STRIPE_SECRET_KEY: "sk_test_51AbCdEfGhIjKlMnOpqrstuv",
      STRIPE_PUBLISHABLE_KEY: "pk_test_51ZyXwVuTsRqPoNmLkqrstuv",
    }),
  },
  {
    fault: "a public deployment uses a stand-in of Stripe",
    check: "environment/stand-ins",
    sentence: /^STRIPE_API_BASE leads to a stand-in of Stripe/,
    set: env({ PLUGIN_URL: "https://billing.invalid" }),
  },
  {
    fault: "the demo is on in a public deployment",
    check: "environment/stand-ins",
    sentence: /^DUES_EXAMPLES is true: the demo assistant is served/,
    set: env({ PLUGIN_URL: "https://billing.invalid", DUES_EXAMPLES: "true" }),
  },
  {
    fault: "the plugin is served without encryption",
    check: "environment/safety",
    sentence: /^PLUGIN_URL should begin with https:\/\/ because billing\.invalid is not this machine\.$/,
    set: env({ PLUGIN_URL: "http://billing.invalid" }),
  },
  {
    fault: "the parent app has https and the plugin http",
    check: "environment/addresses",
    sentence: /^Browsers load no frame from PLUGIN_URL/,
    set: env({ PARENT_APP_URL: "https://app.invalid" }),
  },
  {
    fault: "both apps have the same origin",
    check: "environment/addresses",
    sentence: /^PARENT_APP_URL and PLUGIN_URL are the same origin/,
    set: (it) => ({ env: { PARENT_APP_URL: it.env.PLUGIN_URL } }),
  },
  {
    fault: "two secrets are the same",
    check: "environment/safety",
    sentence: /^PARENT_APP_JWT_SECRET should not be equal to SESSION_SECRET/,
    set: env({ SESSION_SECRET: SECRET, PARENT_APP_JWT_SECRET: SECRET }),
  },
  {
    fault: "a secret can be guessed",
    check: "environment/secrets",
    sentence: /^SESSION_SECRET can be guessed\.$/,
    set: env({ SESSION_SECRET: "please-change-me-before-you-deploy-this" }),
  },
  {
    fault: "the keys of Common Ground do not belong together",
    check: "environment/Common Ground's keys",
    sentence: /^COMMON_GROUND_PUBLIC_KEY does not belong to COMMON_GROUND_PRIVATE_KEY\.$/,
    set: () => ({
      env: {
        PARENT_APP_JWT_SECRET: undefined,
        COMMON_GROUND_PRIVATE_KEY: rsaPair().privateKey,
        COMMON_GROUND_PUBLIC_KEY: rsaPair().publicKey,
      },
    }),
  },
  {
    fault: "the connection to the database is not encrypted",
    check: "environment/safety",
    sentence: /^SUPABASE_DB_URL should have sslmode=verify-full .* because 0\.0\.0\.0 is not this machine\.$/,
    // This machine, by an address that is not known to be of this machine.
    set: (it) => ({
      env: { SUPABASE_DB_URL: withHost(it.env.SUPABASE_DB_URL, (url) => url.hostname = "0.0.0.0") },
    }),
  },

  // --- The database.
  {
    fault: "the operator's password is wrong",
    check: "database/the operator's connection",
    sentence: /^The database refuses the role and password of OPERATOR_DB_URL \(role postgres\)\.$/,
    set: (it) => ({
      env: { OPERATOR_DB_URL: withHost(it.env.OPERATOR_DB_URL, (url) => url.password = "wrong") },
    }),
  },
  {
    fault: "the server's password is wrong",
    check: "database/the server's connection",
    sentence: /^The database refuses the role and password of SUPABASE_DB_URL \(role billing_service\)\.$/,
    set: (it) => ({
      env: { SUPABASE_DB_URL: withHost(it.env.SUPABASE_DB_URL, (url) => url.password = "wrong") },
    }),
  },
  {
    fault: "there is no such database",
    check: "database/the operator's connection",
    sentence: /^There is no database nowhere at 127\.0\.0\.1:\d+ \(OPERATOR_DB_URL\)\.$/,
    set: (it) => ({
      env: { OPERATOR_DB_URL: withHost(it.env.OPERATOR_DB_URL, (url) => url.pathname = "/nowhere") },
    }),
  },
  {
    fault: "no database listens",
    check: "database/the server's connection",
    sentence: /^No database can be reached at 127\.0\.0\.1:9 \(SUPABASE_DB_URL\)\.$/,
    set: (it) => ({ env: { SUPABASE_DB_URL: withHost(it.env.SUPABASE_DB_URL, (url) => url.port = "9") } }),
  },
  {
    fault: "the database has no encryption and the address asks for it",
    check: "database/the server's connection",
    sentence: /^The encryption that SUPABASE_DB_URL asks for cannot be had/,
    set: (it) => ({ env: { SUPABASE_DB_URL: `${it.env.SUPABASE_DB_URL}?sslmode=no-verify` } }),
  },
  {
    fault: "the operator's tasks use the server's role",
    check: "database/the operator's connection",
    sentence: /^OPERATOR_DB_URL logs in as billing_service/,
    set: (it) => ({ env: { OPERATOR_DB_URL: it.env.SUPABASE_DB_URL } }),
  },
  {
    fault: "the server uses the operator's role",
    check: "database/the server's connection",
    sentence: /^SUPABASE_DB_URL logs in as postgres: whoever gets it/,
    warning: true,
    set: (it) => ({ env: { SUPABASE_DB_URL: it.env.OPERATOR_DB_URL } }),
  },
  {
    fault: "operator and server use two databases",
    check: "database/one database",
    sentence: /^OPERATOR_DB_URL and SUPABASE_DB_URL lead to two different databases\.$/,
    set: anotherDatabase("migrated", ["SUPABASE_DB_URL"]),
  },
  {
    fault: "no migration was applied",
    check: "database/migrations",
    sentence: /^No migration of Dues was applied to this database\.$/,
    set: anotherDatabase("blank", ["OPERATOR_DB_URL", "SUPABASE_DB_URL"]),
  },
  {
    fault: "the newest migration is not applied",
    check: "database/migrations",
    sentence: /^1 of \d+ migrations are not applied; the first is \d{14}_\w+\.sql\.$/,
    set: async (it) => {
      const [row] = await it.sql<{ version: string; name: string; statements: string[] }[]>`
        delete from supabase_migrations.schema_migrations
        where version = (select max(version) from supabase_migrations.schema_migrations) returning *`;
      return {
        undo: () =>
          it.sql`insert into supabase_migrations.schema_migrations (version, name, statements)
            values (${row.version}, ${row.name}, ${row.statements})`,
      };
    },
  },
  {
    fault: "a migration was edited after it was applied",
    check: "database/migrations",
    sentence: /^The migration \d{14}_\w+\.sql was edited after it was applied/,
    set: sql(
      `update supabase_migrations.schema_migrations set statements = statements || '{select 1}'::text[]
       where version = (select min(version) from supabase_migrations.schema_migrations)`,
      `update supabase_migrations.schema_migrations set statements = trim_array(statements, 1)
       where version = (select min(version) from supabase_migrations.schema_migrations)`,
    ),
  },
  {
    fault: "the database is of a later release",
    check: "database/migrations",
    sentence: /^The database has 1 migrations that this code does not know, such as 20991231000000_later\.$/,
    warning: true,
    set: sql(
      `insert into supabase_migrations.schema_migrations (version, name) values ('20991231000000', 'later')`,
      `delete from supabase_migrations.schema_migrations where version = '20991231000000'`,
    ),
  },
  {
    fault: "the server's role bypasses row-level security",
    check: "database/the role billing_service",
    sentence: /^The role billing_service may do more than it needs/,
    set: asSuperuser("alter role billing_service bypassrls", "alter role billing_service nobypassrls"),
  },
  {
    fault: "the server's role may not log in",
    check: "database/the role billing_service",
    sentence: /^The role billing_service may not log in\.$/,
    set: asSuperuser("alter role billing_service nologin", "alter role billing_service login"),
  },
  {
    fault: "the server's role has no deadline for its calls",
    check: "database/the role billing_service",
    sentence: /^The role billing_service has no statement_timeout/,
    set: asSuperuser(
      "alter role billing_service reset statement_timeout",
      "alter role billing_service set statement_timeout = '15s'",
    ),
  },
  {
    fault: "there is no default plan",
    check: "database/the default plan",
    sentence: /^There is no active default plan, so nobody can sign in\.$/,
    set: sql(
      "update public.plans set is_default = false where code = 'free'",
      "update public.plans set is_default = true where code = 'free'",
    ),
  },
  {
    fault: "a plan has no limit for a limited feature",
    check: "database/limits",
    sentence: /^A limit is missing: ai_chat_message: plan pro has no limit/,
    set: async (it) => {
      await it.sql`create table limits_kept as select * from public.plan_limits`;
      await it.sql`delete from public.plan_limits where feature = 'ai_chat_message'
        and plan_id = (select id from public.plans where code = 'pro')`;
      return {
        undo: () =>
          it.sql.script(`
            insert into public.plan_limits (plan_id, feature, quota_window, period, quota)
            select plan_id, feature, quota_window, period, quota from limits_kept on conflict do nothing;
            drop table limits_kept`),
      };
    },
  },
  {
    fault: "next month has no partition of usage",
    check: "database/months of usage",
    sentence: /^There is no partition for usage of \d{4}-\d\d\.$/,
    warning: true,
    set: async (it) => {
      const [{ name }] = await it.sql<[{ name: string }]>`
        select billing.usage_partition((date_trunc('month', now() at time zone 'UTC') + interval '1 month')::date) as name`;
      await it.sql.script(`alter table billing.${name} rename to usage_of_next_month`);
      return { undo: () => it.sql.script(`alter table billing.usage_of_next_month rename to ${name}`) };
    },
  },

  // --- Access.
  {
    fault: "row-level security is off on a table",
    check: "access/row-level security",
    sentence: /^Row-level security is off on public\.invoices/,
    set: sql(
      "alter table public.invoices disable row level security",
      "alter table public.invoices enable row level security",
    ),
  },
  {
    fault: "a policy lets everybody read",
    check: "access/row-level security",
    sentence: /^An admin of one community can read another community \(tried\)\.$/,
    set: sql(
      "create policy all_may_read on public.communities for select to authenticated using (true)",
      "drop policy all_may_read on public.communities",
    ),
  },
  {
    fault: "a policy is gone",
    check: "access/row-level security",
    sentence: /^A member cannot read the own community \(tried\)/,
    set: async (it) => {
      const [{ name, using }] = await it.sql<[{ name: string; using: string }]>`
        select policyname as name, qual as using from pg_policies where schemaname = 'public' and tablename = 'communities'`;
      await it.sql.script(`drop policy ${name} on public.communities`);
      return {
        undo: () =>
          it.sql.script(
            `create policy ${name} on public.communities for select to authenticated using (${using})`,
          ),
      };
    },
  },
  {
    fault: "members may write",
    check: "access/grants",
    sentence: /^The role authenticated may insert public\.communities\.$/,
    set: sql(
      "grant insert on public.communities to authenticated",
      "revoke insert on public.communities from authenticated",
    ),
  },
  {
    fault: "somebody without a session may read",
    check: "access/grants",
    sentence: /^The role anon may select public\.billing_overview\.$/,
    set: sql(
      "grant select on public.billing_overview to anon",
      "revoke select on public.billing_overview from anon",
    ),
  },
  {
    fault: "members may call the functions of schema billing",
    check: "access/grants",
    sentence: /^The role authenticated may call billing\.\w+/,
    set: sql(
      "grant usage on schema billing to authenticated; grant execute on function billing.late_jobs() to authenticated",
      "revoke usage on schema billing from authenticated; revoke execute on function billing.late_jobs() from authenticated",
    ),
  },
  {
    fault: "the server may not call a function that it needs",
    check: "access/grants",
    sentence: /^The role billing_service may not call billing\.service_status\(\), which the server needs\.$/,
    set: sql(
      "revoke execute on function billing.service_status() from billing_service",
      "grant execute on function billing.service_status() to billing_service",
    ),
  },
  {
    fault: "the server may not read as a member",
    check: "access/grants",
    sentence: /^The role billing_service may not read as a member does\.$/,
    set: sql("revoke authenticated from billing_service", "grant authenticated to billing_service"),
  },

  // --- Stripe.
  {
    fault: "Stripe does not know the key",
    check: "Stripe/key",
    sentence: /^Stripe does not know STRIPE_SECRET_KEY: it was mistyped, revoked or has expired\.$/,
    set: env({ STRIPE_SECRET_KEY: live }),
  },
  {
    fault: "Stripe cannot be reached",
    check: "Stripe/key",
    sentence: /^Stripe cannot be reached at http:\/\/127\.0\.0\.1:9: /,
    set: env({ STRIPE_API_BASE: CLOSED }),
  },
  {
    fault: "a restricted key may not open the portal",
    check: "Stripe/permissions of the key",
    sentence: /^STRIPE_SECRET_KEY lacks the permission "Customer portal: write"\.$/,
    set: async (it) => {
      await callSimulator(it.stack, "PUT", "/_sim/restricted_keys/rk_test_narrow", {
        permissions: [
          "checkout_session_write",
          "customer_write",
          "customer_portal_read",
          "event_read",
          "invoice_read",
          "plan_read",
          "product_read",
          "subscription_read",
        ],
      });
      return { env: { STRIPE_SECRET_KEY: "rk_test_narrow" } };
    },
  },
  {
    fault: "the price of a plan is archived",
    check: "Stripe/prices",
    sentence: /^The price price_\w+ of the plan pro is archived in Stripe: nobody can buy it\.$/,
    set: inStripe(async ({ stripe, sql }) => {
      const [{ id }] = await sql<
        [{ id: string }]
      >`select stripe_price_id as id from public.plans where code = 'pro'`;
      await stripe.prices.update(id, { active: false });
    }),
  },
  {
    fault: "the product of a plan is archived",
    check: "Stripe/prices",
    sentence: /^The product of the plan pro is archived in Stripe: nobody can buy it\.$/,
    set: inStripe(({ stripe }) => stripe.products.update("dues_pro", { active: false })),
  },
  {
    fault: "the database was set up with another Stripe account",
    check: "Stripe/prices",
    sentence:
      /^Stripe has no price price_of_another of the plan pro: STRIPE_SECRET_KEY is of another account or mode/,
    set: priceOfPro("'price_of_another'"),
  },
  {
    fault: "a plan has no price in Stripe",
    check: "Stripe/prices",
    sentence: /^The plan pro has no price in Stripe, so nobody can buy it\.$/,
    set: priceOfPro("null"),
  },
  {
    fault: "the page shows another price than Stripe charges",
    check: "Stripe/prices",
    sentence: /^The plan pro shows a price of 1900 usd a month, and Stripe charges 2900 usd a month\.$/,
    set: sql(
      "update public.plans set price_cents = 1900 where code = 'pro'",
      "update public.plans set price_cents = 2900 where code = 'pro'",
    ),
  },
  {
    fault: "a metered feature has no meter in Stripe",
    check: "Stripe/meters",
    sentence: /^Stripe has no meter nothing_counts for the feature ai_chat_message: its use is not billed\.$/,
    set: sql(
      "update public.features set meter_event_name = 'nothing_counts' where code = 'ai_chat_message'",
      "update public.features set meter_event_name = null where code = 'ai_chat_message'",
    ),
  },
  {
    fault: "a limit was edited in the database",
    check: "Stripe/plans.toml",
    sentence:
      /^The set-up would change: Database, limit pro ai_chat_message 30 days rolling: quota 7 → 10000$/,
    warning: true,
    set: sql(
      "update public.plan_limits set quota = 7 where quota = 10000",
      "update public.plan_limits set quota = 10000 where quota = 7",
    ),
  },
  {
    fault: "plans.toml cannot be read",
    check: "Stripe/plans.toml",
    sentence: /nowhere\.toml/,
    set: () => ({ options: { plansFile: "nowhere.toml" } }),
  },
  {
    fault: "the portal's configuration is of another account",
    check: "Stripe/billing portal",
    sentence: /^Stripe has no portal configuration bpc_other: it is of another account or mode\.$/,
    set: env({ STRIPE_PORTAL_CONFIGURATION_ID: "bpc_other" }),
  },
  {
    fault: "the portal's configuration was switched off",
    check: "Stripe/billing portal",
    sentence: /^The portal configuration bpc_\w+ is not active\.$/,
    set: inStripe(({ stripe, env }) =>
      stripe.billingPortal.configurations.update(env.STRIPE_PORTAL_CONFIGURATION_ID, { active: false })
    ),
  },
  {
    fault: "nobody can cancel in the portal",
    check: "Stripe/billing portal",
    sentence: /^In the portal bpc_\w+ nobody can cancel\.$/,
    warning: true,
    set: inStripe(({ stripe, env }) =>
      stripe.billingPortal.configurations.update(env.STRIPE_PORTAL_CONFIGURATION_ID, {
        features: { subscription_cancel: { enabled: false } },
      })
    ),
  },
  {
    fault: "there is no webhook endpoint",
    check: "Stripe/webhook endpoint",
    sentence:
      /^Stripe has no webhook endpoint http:\S+\/functions\/v1\/stripe-webhook: nobody who pays gets a plan\.$/,
    set: inStripe(async (it) => it.stripe.webhookEndpoints.del((await endpointOf(it)).id)),
  },
  {
    fault: "the webhook endpoint leads to another project",
    check: "Stripe/webhook endpoint",
    sentence: /^Stripe's webhook endpoint leads to https:\/\/old\.example\/hook and not to http:/,
    set: inStripe(async (it) =>
      it.stripe.webhookEndpoints.update((await endpointOf(it)).id, { url: "https://old.example/hook" })
    ),
  },
  {
    fault: "the webhook endpoint is disabled",
    check: "Stripe/webhook endpoint",
    sentence: /^Stripe's webhook endpoint \S+ is disabled/,
    set: inStripe(async (it) =>
      it.stripe.webhookEndpoints.update((await endpointOf(it)).id, { disabled: true })
    ),
  },
  {
    fault: "the webhook endpoint lacks event types",
    check: "Stripe/webhook endpoint",
    sentence: /^Stripe's webhook endpoint \S+ does not send \d+ of \d+ event types, such as [\w.]+\.$/,
    set: inStripe(async (it) =>
      it.stripe.webhookEndpoints.update((await endpointOf(it)).id, { enabled_events: ["invoice.paid"] })
    ),
  },
  {
    fault: "the webhook endpoint has an older API version",
    check: "Stripe/webhook endpoint",
    sentence: /^Stripe's webhook endpoint \S+ has API version 2025-09-30\.clover and not /,
    warning: true,
    set: inStripe(async (it) => {
      const { id, url, enabled_events } = await endpointOf(it);
      await it.stripe.webhookEndpoints.del(id);
      await it.stripe.webhookEndpoints.create({
        url,
        enabled_events: enabled_events as ["*"],
        api_version: "2025-09-30.clover",
      });
    }),
  },
  {
    fault: "Stripe sends every event to both addresses",
    check: "Stripe/webhook endpoint",
    sentence: /^Stripe sends every event to both the edge function and the server\.$/,
    warning: true,
    set: inStripe(async (it) => {
      const { enabled_events } = await endpointOf(it);
      await it.stripe.webhookEndpoints.create({
        url: `${it.stack.urls.plugin}/api/webhooks/stripe`,
        enabled_events: enabled_events as ["*"],
      });
    }),
  },
  {
    fault: "there is no destination of thin events",
    check: "Stripe/thin event destination",
    sentence: /^Stripe has no destination of thin events/,
    warning: true,
    set: inStripe(async ({ stripe }) => {
      for await (const { id } of stripe.v2.core.eventDestinations.list()) {
        await stripe.v2.core.eventDestinations.del(id);
      }
    }),
  },

  // --- Schedules.
  {
    fault: "the vault lacks the project's address",
    check: "schedules/vault",
    sentence: /^The vault lacks project_url: the schedules call nothing\.$/,
    set: sql(
      "update vault.secrets set name = 'project' where name = 'project_url'",
      "update vault.secrets set name = 'project_url' where name = 'project'",
    ),
  },
  {
    fault: "the vault has another secret",
    check: "schedules/vault",
    sentence: /^The vault's cron_secret is not CRON_SECRET\.$/,
    set: sql(
      "update vault.secrets set secret = 'x' || secret where name = 'cron_secret'",
      "update vault.secrets set secret = substr(secret, 2) where name = 'cron_secret'",
    ),
  },
  {
    fault: "the vault has the address of another project",
    check: "schedules/vault",
    sentence: /^The vault's project_url is not SUPABASE_URL \(xhttp:\/\/\S+\)\.$/,
    set: sql(
      "update vault.secrets set secret = 'x' || secret where name = 'project_url'",
      "update vault.secrets set secret = substr(secret, 2) where name = 'project_url'",
    ),
  },
  {
    fault: "there is no vault",
    check: "schedules/vault",
    sentence: /^The database has no vault/,
    set: sql("alter schema vault rename to vault_away", "alter schema vault_away rename to vault"),
  },
  {
    fault: "a schedule does not exist",
    check: "schedules/jobs",
    sentence: /^The schedule dues-reconcile does not exist: reconcile is never called\.$/,
    set: sql(
      "update cron.job set jobname = 'gone' where jobname = 'dues-reconcile'",
      "update cron.job set jobname = 'dues-reconcile' where jobname = 'gone'",
    ),
  },
  {
    fault: "a schedule is switched off",
    check: "schedules/jobs",
    sentence: /^The schedule dues-report-usage is switched off\.$/,
    set: sql(
      "update cron.job set active = false where jobname = 'dues-report-usage'",
      "update cron.job set active = true where jobname = 'dues-report-usage'",
    ),
  },
  {
    fault: "a schedule runs something else",
    check: "schedules/jobs",
    sentence: /^The schedule dues-reconcile runs something else than reconcile: select 1$/,
    set: sql(
      "update cron.job set command = 'select 1' where jobname = 'dues-reconcile'",
      "update cron.job set command = 'select billing.call_function(''reconcile'')' where jobname = 'dues-reconcile'",
    ),
  },
  {
    fault: "the database has no pg_net",
    check: "schedules/jobs",
    sentence: /^The database has no pg_net: its schedules cannot call the functions\.$/,
    set: sql("alter schema net rename to net_away", "alter schema net_away rename to net"),
  },
  {
    fault: "the last run of a schedule failed",
    check: "schedules/calls",
    sentence: /^The last run of the schedule dues-reconcile failed: ERROR: permission denied for schema net$/,
    set: sql(
      `insert into cron.job_run_details (jobid, status, return_message, start_time)
       select jobid, 'failed', 'ERROR: permission denied for schema net', now() from cron.job where jobname = 'dues-reconcile'`,
      "delete from cron.job_run_details",
    ),
  },
  {
    fault: "the functions refuse the schedules' secret",
    check: "schedules/calls",
    sentence: /^The last call from the database was answered 400: /,
    set: sql(
      `insert into net._http_response (id, status_code, content) values (1, 400, '{"code":"invalid_signature"}')`,
      "delete from net._http_response",
    ),
  },
  {
    fault: "the schedules' calls get no answer",
    check: "schedules/calls",
    sentence: /^The last call from the database got no answer: Couldn't resolve host name/,
    set: sql(
      `insert into net._http_response (id, error_msg) values (1, 'Couldn''t resolve host name')`,
      "delete from net._http_response",
    ),
  },
  {
    fault: "the reconciliation stopped",
    check: "schedules/last runs",
    sentence: /^The job reconcile was last complete at \d{4}-\S+Z\.$/,
    set: sql(
      "update billing.scheduled_jobs set last_finished_at = now() - interval '1 day' where name = 'reconcile'",
      "update billing.scheduled_jobs set last_finished_at = now() where name = 'reconcile'",
    ),
  },
  {
    fault: "usage reports were never sent",
    check: "schedules/last runs",
    sentence: /^The job report-usage was never complete: no route to Stripe\.$/,
    set: sql(
      `update billing.scheduled_jobs set last_finished_at = null, watched_since = now() - interval '1 day',
         last_error = 'no route to Stripe' where name = 'report-usage'`,
      `update billing.scheduled_jobs set last_finished_at = now(), watched_since = now(), last_error = null
       where name = 'report-usage'`,
    ),
  },
  {
    fault: "the last run of a job failed",
    check: "schedules/last runs",
    sentence: /^The last run of reconcile failed: too many requests$/,
    warning: true,
    set: sql(
      "update billing.scheduled_jobs set last_error = 'too many requests' where name = 'reconcile'",
      "update billing.scheduled_jobs set last_error = null where name = 'reconcile'",
    ),
  },

  // --- Edge functions.
  {
    fault: "the edge functions are not deployed",
    check: "functions/reconcile",
    sentence: /^The edge function reconcile is not deployed\.$/,
    set: stand(
      "SUPABASE_URL",
      () =>
        Response.json({ code: "NOT_FOUND", message: "Requested function was not found" }, { status: 404 }),
    ),
  },
  {
    fault: "the edge functions were deployed without their configuration",
    check: "functions/report-usage",
    sentence: /^Supabase asks for a token before it calls report-usage/,
    set: stand(
      "SUPABASE_URL",
      () => Response.json({ code: 401, message: "Missing authorization header" }, { status: 401 }),
    ),
  },
  {
    fault: "an edge function lacks a secret",
    check: "functions/reconcile",
    sentence: /^The edge function reconcile does not start \(503 .*BOOT_ERROR/,
    set: stand(
      "SUPABASE_URL",
      () => Response.json({ code: "BOOT_ERROR", message: "Function failed to start" }, { status: 503 }),
    ),
  },
  {
    fault: "the edge functions are of another release",
    check: "functions/report-usage",
    sentence: /^The edge function report-usage is version 0\.0\.1, and this is \d/,
    warning: true,
    set: stand("SUPABASE_URL", () => Response.json({ ok: true, version: "0.0.1" })),
  },
  {
    fault: "the project is paused",
    check: "functions/reconcile",
    sentence: /^The edge function reconcile cannot be reached/,
    set: env({ SUPABASE_URL: CLOSED }),
  },
  {
    fault: "the edge functions have another CRON_SECRET",
    check: "functions/report-usage",
    sentence: /^The edge function report-usage has another CRON_SECRET than the environment\.$/,
    set: env({ CRON_SECRET: SECRET }),
  },
  {
    fault: "the webhook has another signing secret",
    check: "functions/webhook",
    sentence: /^The webhook \S+ does not accept STRIPE_WEBHOOK_SECRET: it has other secrets\.$/,
    set: env({ STRIPE_WEBHOOK_SECRET: "whsec_another" }),
  },
  {
    fault: "one of two signing secrets is not deployed",
    check: "functions/webhook",
    sentence: /^The webhook \S+ does not accept secret 3 of STRIPE_WEBHOOK_SECRET: it has other secrets\.$/,
    set: (it) => ({ env: { STRIPE_WEBHOOK_SECRET: `${it.env.STRIPE_WEBHOOK_SECRET},whsec_new` } }),
  },
  {
    fault: "Stripe signs with a secret that nobody has",
    check: "functions/a delivery of Stripe's",
    sentence: /^A test event of Stripe's \(customer\.deleted of cus_\w+\) did not arrive within 1 seconds\.$/,
    set: async (it) => ({
      ...await inStripe(async (it) => {
        const { id } = await endpointOf(it);
        await callSimulator(it.stack, "POST", `/_sim/webhook_endpoints/${id}/roll_secret`, { expires_in: 0 });
      })(it),
      options: { delivery: true },
    }),
  },

  // --- The two apps.
  {
    fault: "the plugin server does not run",
    check: "apps/plugin server",
    sentence: /^The plugin server at http:\/\/127\.0\.0\.1:9 cannot be reached/,
    set: env({ PLUGIN_URL: CLOSED }),
  },
  {
    fault: "another server answers at the plugin's address",
    check: "apps/plugin server",
    sentence: /^Something else than Dues answers at \S+ \(404 to \/api\/health\)\.$/,
    set: stand("PLUGIN_URL", () => new Response("nginx", { status: 404 })),
  },
  {
    fault: "the plugin server is not ready",
    check: "apps/readiness",
    sentence: /^The plugin server is not ready: database, it cannot be reached\.$/,
    set: stand(
      "PLUGIN_URL",
      () =>
        Response.json({ ready: false, parts: { database: { ok: false, detail: "it cannot be reached" } } }, {
          status: 503,
        }),
    ),
  },
  {
    fault: "the server was started for another parent app",
    check: "apps/frame",
    sentence:
      /^The page at \S+ lets http:\/\/localhost:\d+ frame it, and not http:\/\/127\.0\.0\.1:9: the frame stays empty\.$/,
    set: env({ PARENT_APP_URL: CLOSED }),
  },
  {
    fault: "a proxy forbids frames",
    check: "apps/frame",
    sentence: /^Something adds X-Frame-Options to the page/,
    set: behindProxy((headers) => headers.set("x-frame-options", "SAMEORIGIN")),
  },
  {
    fault: "a proxy removes the content security policy",
    check: "apps/frame",
    sentence: /^The page at \S+ does not say who may frame it/,
    set: behindProxy((headers) => headers.delete("content-security-policy")),
  },
  {
    fault: "the parent app does not answer",
    check: "apps/parent app",
    sentence: /^The parent app at http:\/\/127\.0\.0\.1:9 cannot be reached/,
    warning: true,
    set: env({ PARENT_APP_URL: CLOSED }),
  },
  {
    fault: "the parent app redirects to another origin",
    check: "apps/parent app",
    sentence:
      /^The parent app at \S+ leads to https:\/\/www\.app\.example, which may not frame the plugin\.$/,
    set: stand(
      "PARENT_APP_URL",
      () => new Response(null, { status: 301, headers: { location: "https://www.app.example/" } }),
    ),
  },
  {
    fault: "there is no JWKS",
    check: "apps/the parent app's keys",
    sentence: /^There is no JWKS at \S+ \(404\): nobody can sign in\.$/,
    set: stand("PARENT_APP_JWKS_URL", () => new Response("", { status: 404 }), {
      PARENT_APP_JWT_SECRET: undefined,
    }, "/jwks.json"),
  },
  {
    fault: "the JWKS has no usable key",
    check: "apps/the parent app's keys",
    sentence: /^The JWKS at \S+ has no key for ES256, EdDSA, RS256, PS256: nobody can sign in\.$/,
    set: stand(
      "PARENT_APP_JWKS_URL",
      () => Response.json({ keys: [] }),
      { PARENT_APP_JWT_SECRET: undefined },
      "/jwks.json",
    ),
  },
  {
    fault: "the JWKS shows a private key",
    check: "apps/the parent app's keys",
    sentence: /^The JWKS at \S+ shows a private key: anybody can sign in as anybody\.$/,
    set: stand(
      "PARENT_APP_JWKS_URL",
      () => Response.json({ keys: [{ kty: "EC", crv: "P-256", x: "x", y: "y", d: "d" }] }),
      { PARENT_APP_JWT_SECRET: undefined },
      "/jwks.json",
    ),
  },
  {
    fault: "this machine's clock is ahead",
    check: "apps/clock",
    sentence: /^This machine's clock is \d+ seconds ahead of the database's\.$/,
    set: () => ({ options: { now: () => Date.now() + 120_000 } }),
  },
  {
    fault: "this machine's clock is behind",
    check: "apps/clock",
    sentence: /^This machine's clock is \d+ seconds behind Stripe's\.$/,
    set: () => ({ options: { now: () => Date.now() - 120_000 } }),
  },

  // --- What happened lately.
  {
    fault: "an event of Stripe's did not arrive",
    check: "activity/last event",
    sentence:
      /^1 of Stripe's last \d+ events did not arrive, such as customer\.subscription\.created evt_\w+ of \d+ (seconds|minutes) ago\.$/,
    set: async (it) => ({
      ...await inStripe(async ({ stack, stripe, sql }) => {
        await callSimulator(stack, "POST", "/_sim/faults", {
          kind: "drop_delivery",
          target: "customer.subscription.created",
          next: 1,
        });
        const [{ price }] = await sql<
          [{ price: string }]
        >`select stripe_price_id as price from public.plans where code = 'pro'`;
        const { id: customer } = await stripe.customers.create({});
        await stripe.subscriptions.create({ customer, items: [{ price }], trial_period_days: 3 });
      })(it),
      // Five minutes later.
      options: { now: () => Date.now() + 310_000 },
    }),
  },
  {
    fault: "an event was not understood",
    check: "activity/open events",
    sentence: /^1 events were not understood, the oldest 5 hours ago\.$/,
    warning: true,
    set: sql(
      `insert into billing.stripe_events (id, type, created_at, livemode, outcome, payload, received_at)
       values ('evt_odd', 'invoice.paid', now() - interval '5 hours', false, 'given_up', '{}', now() - interval '5 hours')`,
      "delete from billing.stripe_events where id = 'evt_odd'",
    ),
  },
  {
    fault: "usage waits for hours",
    check: "activity/outbox of usage",
    sentence: /^1 usage reports wait to be sent, the oldest for 3 hours/,
    set: usageReport("open"),
  },
  {
    fault: "Stripe refused usage",
    check: "activity/outbox of usage",
    sentence: /^Stripe refused 1 usage reports: that use is not billed\.$/,
    warning: true,
    set: usageReport("refused"),
  },
  {
    fault: "an anomaly is open",
    check: "activity/anomalies",
    sentence: /^1 open anomaly of kind unknown_price: no plan sells price_1$/,
    warning: true,
    set: sql(
      "select billing.report_anomaly('unknown_price', 'sub_1', null, 'no plan sells price_1')",
      "delete from billing.anomalies",
    ),
  },
];

function priceOfPro(value: string) {
  return async (it: Installation): Promise<Setup> => {
    const [{ id }] = await it.sql<
      [{ id: string }]
    >`select stripe_price_id as id from public.plans where code = 'pro'`;
    await it.sql.script(`update public.plans set stripe_price_id = ${value} where code = 'pro'`);
    return {
      undo: () =>
        it.sql.script(`
          update public.plans set stripe_price_id = '${id}' where code = 'pro';
          delete from billing.plan_prices where stripe_price_id = 'price_of_another'`),
    };
  };
}

function usageReport(state: string) {
  return sql(
    `insert into billing.usage_reports (identifier, community_id, feature, hour, part, stripe_customer_id, meter_event_name,
       first_used_at, closes_at, due_at, quantity, state)
     values ('dues_doctor', 'garden', 'ai_chat_message', now() - interval '4 hours', 0, 'cus_1', 'messages',
       now() - interval '4 hours', now() - interval '3 hours', now() - interval '3 hours', 3, '${state}')`,
    "delete from billing.usage_reports where identifier = 'dues_doctor'",
  );
}
