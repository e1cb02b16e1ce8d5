import type { Sql } from "../../billing/db/sql.ts";

/** Adds communities on the default plan, named by their ids. `sql` is the operator's. */
export async function addCommunities(sql: Sql, ...ids: string[]): Promise<void> {
  await sql`
    insert into public.communities (id, title, current_plan_id)
    select new.id, new.id, p.id from unnest(${ids}::text[]) as new (id), public.plans p where p.is_default`;
}
