/** Writes the plans, features and limits of the plans file to the database. */
import { z } from "zod";
import { asJson, type Pool, type Sql } from "../db/sql.ts";
import { type PlansFile, PlansFileError } from "./plans_file.ts";
import type { Catalog } from "./catalog.ts";
import type { SetupSteps } from "./setup_steps.ts";

/**
 * Writes everything in one transaction, with an operator's connection. Plans that are not in the file become inactive;
 * communities on them keep them. The limits of the features in the file become exactly those of the file.
 *
 * Throws `PlansFileError` when an inactive plan has the rank of a plan in the file, and the database's own errors.
 */
export async function writePlans(
  sql: Pool,
  steps: SetupSteps,
  file: PlansFile,
  catalog: Catalog,
): Promise<void> {
  await sql.begin(async (transaction) => {
    const wanted = rowsOf(file, catalog);
    await refuseTakenRanks(transaction, file);
    await writeRows(transaction, steps, tables.features, wanted.features);
    await writeRows(transaction, steps, tables.plans, wanted.plans);
    await writeRows(transaction, steps, tables.limits, wanted.limits);
    await writeRows(transaction, steps, tables.meteredPrices, wanted.meteredPrices);
  });
}

const rowSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
type Row = z.output<typeof rowSchema>;

/** How the rows of a table are named, read and written. */
interface Table {
  noun: string;
  key: string[];
  /** The existing rows, as JSON in the shape of the wanted rows. Rows that the file does not govern are left out. */
  read(sql: Sql, wanted: string): Promise<{ row: unknown }[]>;
  /** Writes the wanted rows, a JSON array. */
  write(sql: Sql, wanted: string): Promise<unknown>;
  /** Removes a row that is not in the file. Without this such rows stay. */
  remove?(sql: Sql, row: string): Promise<unknown>;
}

/** Makes a table contain the wanted rows, and describes each difference. */
async function writeRows(sql: Sql, steps: SetupSteps, table: Table, wanted: Row[]): Promise<void> {
  const keyOf = (row: Row) => table.key.map((column) => row[column]).join(" ");
  const found = z.array(rowSchema).parse((await table.read(sql, asJson(wanted))).map(({ row }) => row));
  const known = new Map(found.map((row) => [keyOf(row), row]));
  const differences = wanted.flatMap((row) => {
    const before = known.get(keyOf(row));
    const changed = Object.keys(row).filter((column) => before?.[column] !== row[column]);
    if (changed.length === 0) return [];
    return before
      ? `${keyOf(row)}: ${
        changed.map((column) => describeChange(column, before[column], row[column])).join(", ")
      }`
      : `${keyOf(row)}: new`;
  });
  for (const difference of differences) steps.describe(`Database, ${table.noun} ${difference}`);
  if (differences.length > 0 && !steps.isDryRun) await table.write(sql, asJson(wanted));

  const { remove } = table;
  const kept = new Set(wanted.map(keyOf));
  if (!remove) return;
  for (const row of found.filter((row) => !kept.has(keyOf(row)))) {
    const description = `Database, ${table.noun} ${keyOf(row)}: not in the file any more`;
    await steps.run(description, () => remove(sql, asJson(row)), undefined);
  }
}

const describeChange = (column: string, before: Row[string], after: Row[string]) =>
  `${column} ${before ?? "nothing"} → ${after ?? "nothing"}`;

/** An inactive plan keeps its rank, because communities may still be on it. */
async function refuseTakenRanks(sql: Sql, { plans }: PlansFile): Promise<void> {
  const others = await sql<{ code: string; rank: number }[]>`
    select code, rank from public.plans where code <> all (${plans.map(({ code }) => code)})`;
  const faults = plans.flatMap((plan) =>
    others.filter(({ rank }) => rank === plan.rank).map(({ code }) =>
      `plans.${plan.code}.rank: ${plan.rank} is the rank of the earlier plan ${code}; choose another`
    )
  );
  if (faults.length > 0) throw new PlansFileError(faults);
}

function rowsOf({ currency, features, plans }: PlansFile, catalog: Catalog) {
  return {
    features: features.map(({ code, name, unit, meter_event_name, included_quantity }) => ({
      code,
      name,
      unit,
      meter_event_name: meter_event_name ?? null,
      included_quantity,
    })),
    plans: plans.map((plan) => ({
      code: plan.code,
      name: plan.name,
      rank: plan.rank,
      price_cents: plan.price_cents,
      currency,
      billing_interval: plan.billing_interval ?? null,
      trial_days: plan.trial_days,
      grace_days: plan.grace_days,
      is_default: plan.is_default,
      is_active: plan.is_active,
      stripe_price_id: catalog.prices[plan.code] ?? null,
    })),
    limits: plans.flatMap((plan) =>
      plan.limits.map(({ feature, quota, window }) => ({
        plan: plan.code,
        feature,
        quota_window: window.interval,
        period: window.period,
        quota,
      }))
    ),
    meteredPrices: catalog.meteredPrices.map(({ feature, billingInterval, priceId }) => ({
      feature,
      currency,
      billing_interval: billingInterval,
      stripe_price_id: priceId,
    })),
  };
}

const tables = {
  features: {
    noun: "feature",
    key: ["code"],
    read: (sql) =>
      sql`
        select jsonb_build_object('code', code, 'name', name, 'unit', unit, 'meter_event_name', meter_event_name,
          'included_quantity', included_quantity) as row
        from public.features`,
    write: (sql, wanted) =>
      sql`
        insert into public.features (code, name, unit, meter_event_name, included_quantity)
        select f.* from jsonb_to_recordset(${wanted}) as
          f(code text, name text, unit text, meter_event_name text, included_quantity bigint)
        on conflict (code) do update set name = excluded.name, unit = excluded.unit,
          meter_event_name = excluded.meter_event_name, included_quantity = excluded.included_quantity`,
  },

  plans: {
    noun: "plan",
    key: ["code"],
    read: (sql, wanted) =>
      sql`
        select jsonb_build_object('code', code, 'name', name, 'rank', rank, 'price_cents', price_cents,
          'currency', currency, 'billing_interval', billing_interval, 'trial_days', trial_days,
          'grace_days', extract(epoch from grace_period) / 86400, 'is_default', is_default, 'is_active', is_active,
          'stripe_price_id', stripe_price_id) as row
        from public.plans
        where is_active or code in (select w ->> 'code' from jsonb_array_elements(${wanted}) w)`,
    write: async (sql, wanted) => {
      // Plans may swap ranks or the default, and both are unique: set them aside first.
      await sql`
        update public.plans set rank = -1 - id, is_default = false
        where is_default or code in (select w ->> 'code' from jsonb_array_elements(${wanted}) w)`;
      await sql`
        insert into public.plans (code, name, rank, price_cents, currency, billing_interval, trial_days,
          grace_period, is_default, is_active, stripe_price_id)
        select p.code, p.name, p.rank, p.price_cents, p.currency, p.billing_interval, p.trial_days,
          make_interval(days => p.grace_days), p.is_default, p.is_active, p.stripe_price_id
        from jsonb_to_recordset(${wanted}) as p(
          code text, name text, rank integer, price_cents integer, currency text, billing_interval text,
          trial_days integer, grace_days integer, is_default boolean, is_active boolean, stripe_price_id text)
        on conflict (code) do update set name = excluded.name, rank = excluded.rank,
          price_cents = excluded.price_cents, currency = excluded.currency,
          billing_interval = excluded.billing_interval, trial_days = excluded.trial_days,
          grace_period = excluded.grace_period, is_default = excluded.is_default,
          is_active = excluded.is_active, stripe_price_id = excluded.stripe_price_id`;
    },
    remove: (sql, row) =>
      sql`update public.plans set is_active = false where code = ${row}::jsonb ->> 'code'`,
  },

  limits: {
    noun: "limit",
    key: ["plan", "feature", "quota_window", "period"],
    // PostgreSQL prints intervals in its own form: where the file has the same interval, the file's form is used.
    read: (sql, wanted) =>
      sql`
        select jsonb_build_object('plan', p.code, 'feature', l.feature, 'period', l.period,
          'quota', l.quota, 'quota_window', coalesce((
            select w ->> 'quota_window' from jsonb_array_elements(${wanted}) w
            where (w ->> 'quota_window')::interval = l.quota_window and w ->> 'period' = l.period limit 1),
            l.quota_window::text)) as row
        from public.plan_limits l join public.plans p on p.id = l.plan_id
        where p.is_active and l.feature in (select w ->> 'feature' from jsonb_array_elements(${wanted}) w)`,
    write: (sql, wanted) =>
      sql`
        insert into public.plan_limits (plan_id, feature, quota_window, period, quota)
        select p.id, l.feature, l.quota_window, l.period, l.quota
        from jsonb_to_recordset(${wanted}) as
          l(plan text, feature text, quota_window interval, period text, quota bigint)
        join public.plans p on p.code = l.plan
        on conflict (plan_id, feature, quota_window, period) do update set quota = excluded.quota`,
    remove: (sql, row) =>
      sql`
        delete from public.plan_limits l
        using public.plans p, jsonb_to_record(${row}) as
          gone(plan text, feature text, quota_window interval, period text)
        where p.id = l.plan_id and p.code = gone.plan
          and (l.feature, l.quota_window, l.period) = (gone.feature, gone.quota_window, gone.period)`,
  },

  meteredPrices: {
    noun: "metered price of",
    key: ["feature", "currency", "billing_interval"],
    read: (sql) =>
      sql`
        select jsonb_build_object('feature', feature, 'currency', currency, 'billing_interval', billing_interval,
          'stripe_price_id', stripe_price_id) as row
        from billing.metered_prices`,
    write: (sql, wanted) =>
      sql`
        insert into billing.metered_prices (feature, currency, billing_interval, stripe_price_id)
        select m.* from jsonb_to_recordset(${wanted}) as
          m(feature text, currency text, billing_interval text, stripe_price_id text)
        on conflict (feature, currency, billing_interval) do update set stripe_price_id = excluded.stripe_price_id`,
    remove: (sql, row) =>
      sql`
        delete from billing.metered_prices m
        using jsonb_to_record(${row}) as gone(feature text, currency text, billing_interval text)
        where (m.feature, m.currency, m.billing_interval) = (gone.feature, gone.currency, gone.billing_interval)`,
  },
} satisfies Record<string, Table>;
