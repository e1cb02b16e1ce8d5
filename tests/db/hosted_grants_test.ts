import assert from "node:assert/strict";
import type { Pool } from "../../billing/db/sql.ts";
import { migrate } from "../../local/postgres/migrate.ts";
import { projectPath } from "../../local/paths.ts";
import { createDatabase } from "../support/database.ts";

/** Every privilege in the two schemas, as text: object, grantee, privilege. */
async function privileges(sql: Pool): Promise<string[]> {
  const rows = await sql<{ privilege: string }[]>`
    with acls as (
      select relnamespace::regnamespace || '.' || relname as object, relacl as acl, relnamespace as schema from pg_class
      union all
      select c.relnamespace::regnamespace || '.' || c.relname || '.' || attname, attacl, c.relnamespace
      from pg_attribute join pg_class c on c.oid = attrelid
      union all
      select pronamespace::regnamespace || '.' || proname, coalesce(proacl, acldefault('f', proowner)), pronamespace from pg_proc
      union all
      select nspname, nspacl, oid from pg_namespace where nspname = 'billing'
    )
    select object || ' ' || coalesce(grantee::regrole::text, 'public') || ' ' || privilege_type as privilege
    from acls, aclexplode(acl)
    where schema in ('public'::regnamespace, 'billing'::regnamespace)
    order by 1`;
  return rows.map(({ privilege }) => privilege);
}

Deno.test("the migrations grant the same in a project whose default privileges expose new objects", async () => {
  await using closed = await createDatabase("migrated");
  await using exposing = await createDatabase("blank");
  const operator = exposing.connect("postgres");
  // The default privileges of projects created before 2026.
  for (const kind of ["tables", "sequences", "functions"]) {
    await operator.script(
      `alter default privileges in schema public grant all on ${kind} to anon, authenticated, service_role`,
    );
  }
  await migrate(operator, { folder: projectPath("supabase") });

  const granted = await privileges(operator);
  assert.ok(!granted.includes("public.plans authenticated SELECT"), "columns, not the whole table");
  assert.ok(granted.includes("public.plans.code authenticated SELECT"));
  assert.deepEqual(granted, await privileges(closed.connect("postgres")));
});
