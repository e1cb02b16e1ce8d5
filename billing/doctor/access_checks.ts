/** Row-level security and grants, as they are and as they act. */
import type { Sql } from "../db/sql.ts";
import { type Check, type Finding, foundOr, wrong } from "./check.ts";

const group = "access";
const docs = "docs/deploy.md#the-database";
const RESTORE = "Undo what was changed by hand: supabase/migrations/ has every policy and grant.";

/** Ends a transaction that must leave nothing behind. */
class RolledBack<T> extends Error {
  constructor(readonly result: T) {
    super("rolled back on purpose");
  }
}

export const accessChecks: Check[] = [
  {
    group,
    name: "row-level security",
    docs,
    needs: ["schema"],
    async run({ operator }) {
      const found: Finding[] = [];
      const off = await operator!<{ name: string }[]>`
        select c.relnamespace::regnamespace || '.' || c.relname as name from pg_catalog.pg_class c
        where c.relnamespace in ('public'::regnamespace, 'billing'::regnamespace) and c.relkind in ('r', 'p')
          and not c.relrowsecurity
          -- Tables of others may lie in schema public.
          and (c.relnamespace = 'billing'::regnamespace or c.relname in ('plans', 'features', 'plan_limits', 'communities',
            'subscriptions', 'invoices', 'usage_events', 'usage_counters'))
        order by 1`;
      for (const { name } of off) {
        found.push(wrong(
          `Row-level security is off on ${name}: every member can read the rows of every community.`,
          `alter table ${name} enable row level security;`,
        ));
      }
      found.push(
        ...await operator!.begin(async (tx) => {
          throw new RolledBack(await readAsStrangers(tx));
        }).catch((error) => {
          if (error instanceof RolledBack) return error.result as Finding[];
          throw error;
        }),
      );
      return foundOr(
        found,
        "A member reads the own community only, and writes nothing (tried, and rolled back).",
      );
    },
  },
  {
    group,
    name: "grants",
    docs,
    needs: ["schema"],
    async run({ operator }) {
      const found: Finding[] = [];
      const tables = await operator!<{ role: string; name: string; privilege: string }[]>`
        select role, c.relnamespace::regnamespace || '.' || c.relname as name, privilege
        from unnest(array['anon', 'authenticated', 'billing_service']) role
        cross join pg_catalog.pg_class c
        cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) privilege
        where c.relkind in ('r', 'p', 'v')
          and (c.relnamespace = 'billing'::regnamespace or c.relnamespace = 'public'::regnamespace and c.relname in (
            'plans', 'features', 'plan_limits', 'communities', 'subscriptions', 'invoices', 'usage_events', 'usage_counters',
            'usage_overview', 'usage_reports_overview', 'unsent_usage_reports', 'billing_overview'))
          and not (role = 'authenticated' and privilege = 'select' and c.relnamespace = 'public'::regnamespace)
          and has_table_privilege(role, c.oid, privilege)
        order by 1, 2, 3`;
      for (const { role, name, privilege } of tables.slice(0, 5)) {
        found.push(
          wrong(`The role ${role} may ${privilege} ${name}.`, `revoke ${privilege} on ${name} from ${role};`),
        );
      }
      const open = await operator!<{ name: string; role: string }[]>`
        select p.oid::regprocedure::text as name, role from pg_catalog.pg_proc p
        cross join unnest(array['anon', 'authenticated']) role
        where p.pronamespace = 'billing'::regnamespace and has_function_privilege(role, p.oid, 'execute')
          and has_schema_privilege(role, 'billing', 'usage')
        order by 1, 2`;
      for (const { name, role } of open.slice(0, 5)) {
        found.push(
          wrong(`The role ${role} may call ${name}.`, `revoke usage on schema billing from public, ${role};`),
        );
      }
      // Only what billing_service calls is security definer (supabase/CONVENTIONS.md), but for what the schedules call.
      const closed = await operator!<{ name: string }[]>`
        select p.oid::regprocedure::text as name from pg_catalog.pg_proc p
        where p.pronamespace = 'billing'::regnamespace and p.prosecdef and p.prorettype <> 'trigger'::regtype
          and p.proname not in ('call_function', 'newest_migration')
          and not has_function_privilege('billing_service', p.oid, 'execute')
        order by 1`;
      for (const { name } of closed.slice(0, 5)) {
        found.push(wrong(
          `The role billing_service may not call ${name}, which the server needs.`,
          `grant execute on function ${name} to billing_service;`,
        ));
      }
      const schema = await operator!<[{ usage: boolean; member: boolean }]>`
        select has_schema_privilege('billing_service', 'billing', 'usage') as usage,
          pg_has_role('billing_service', 'authenticated', 'member') as member`;
      if (!schema[0].usage) {
        found.push(
          wrong(
            "The role billing_service may not use schema billing.",
            "grant usage on schema billing to billing_service;",
          ),
        );
      }
      if (!schema[0].member) {
        found.push(wrong(
          "The role billing_service may not read as a member does.",
          "grant authenticated to billing_service;",
        ));
      }
      return foundOr(found, "Every role may do what it needs and no more.");
    },
  },
];

/** Adds a community with an invoice, reads as its member, as another's and as nobody, and tries to write. */
async function readAsStrangers(tx: Sql): Promise<Finding[]> {
  const found: Finding[] = [];
  const id = `dues-doctor-${crypto.randomUUID()}`;
  const added = await tx`insert into public.communities (id, title, current_plan_id)
    select ${id}, 'Dues doctor', p.id from public.plans p order by p.is_default desc limit 1 returning id`;
  if (added.length === 0) return []; // without any plan, which is a finding of another check

  const as = async (claims: Record<string, string>) => {
    await tx`select set_config('request.jwt.claims', ${
      JSON.stringify({ role: "authenticated", ...claims })
    }, true),
      set_config('role', 'authenticated', true)`;
  };
  const seen = async () => {
    const [{ count }] = await tx<[{ count: string }]>`
      select count(*) from public.communities where id = ${id}`;
    return Number(count);
  };
  await as({ cid: "dues-doctor-elsewhere", adm: "true" });
  if (await seen() > 0) {
    found.push(wrong("An admin of one community can read another community (tried).", RESTORE));
  }
  await as({ cid: id, adm: "false" });
  if (await seen() === 0) {
    found.push(
      wrong("A member cannot read the own community (tried): the billing page stays empty.", RESTORE),
    );
  }
  const refused = async (statement: (sql: Sql) => Promise<unknown>): Promise<boolean> => {
    await tx`savepoint attempt`;
    try {
      await statement(tx);
      return false;
    } catch {
      return true;
    } finally {
      await tx`rollback to savepoint attempt`;
    }
  };
  if (!await refused((sql) => sql`update public.communities set title = 'mine' where id = ${id}`)) {
    found.push(wrong("A member can change a community (tried).", RESTORE));
  }
  await tx`select set_config('role', 'anon', true)`;
  if (!await refused((sql) => sql`select id from public.communities limit 1`)) {
    found.push(wrong("Somebody without a session can read communities (tried).", RESTORE));
  }
  await tx`select set_config('role', 'none', true)`;
  return found;
}
