/** A database with communities, limits and a clock, for tests of limits and usage. */
import type { Pool } from "../../billing/db/sql.ts";
import { connectDatabase, type Database } from "../../billing/db/database.ts";
import type { Session } from "../../billing/identity/session_token.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";

export interface QuotaRig extends AsyncDisposable {
  database: TestDatabase;
  /** As the plugin server connects. */
  db: Database;
  operator: Pool;
  /** Sets the quota of a feature on a plan. `window` is an interval, 30 days by default; "0" = so many at once. */
  setLimit(plan: string, feature: string, quota: number, window?: string): Promise<void>;
  addCommunity(id: string, plan?: string): Promise<void>;
  /** From now on usage happens at this time (billing.clock() returns it). */
  stopClockAt(moment: Date): Promise<void>;
}

/** `connections` limits how many calls of the plugin reach the database at once. */
export async function startQuotaRig({ connections = 10 } = {}): Promise<QuotaRig> {
  const database = await createDatabase();
  const operator = database.connect("postgres");
  const db = connectDatabase(database.url("billing_service"), { max: connections });
  let stoppableClock: Promise<unknown> | undefined;
  return {
    database,
    db,
    operator,
    setLimit: async (plan, feature, quota, window = "30 days") => {
      await operator`
        insert into public.plan_limits (plan_id, feature, quota_window, quota)
        select id, ${feature}, ${window}::interval, ${quota} from public.plans where code = ${plan}
        on conflict (plan_id, feature, quota_window, period) do update set quota = excluded.quota`;
    },
    addCommunity: async (id, plan = "free") => {
      await operator`
        insert into public.communities (id, title, current_plan_id)
        select ${id}, ${id}, p.id from public.plans p where p.code = ${plan}`;
    },
    stopClockAt: async (moment) => {
      await (stoppableClock ??= replaceClock(operator));
      await operator`update billing.stopped_clock set now = ${moment}`;
    },
    [Symbol.asyncDispose]: async () => {
      await db.close();
      await database.drop();
    },
  };
}

const replaceClock = (operator: Pool) =>
  operator.script(`
    create table billing.stopped_clock (now timestamptz not null);
    insert into billing.stopped_clock values ('epoch');
    create or replace function billing.clock() returns timestamptz language plpgsql volatile set search_path = ''
    as $$ begin return (select now from billing.stopped_clock); end $$`);

/** The units that were used and not given back, of one community or of all. */
export async function unitsUsed({ operator }: QuotaRig, communityId: string | null = null): Promise<number> {
  const [{ used }] = await operator`
    select coalesce(sum(quantity - released_quantity), 0)::int as used from public.usage_events
    where community_id = coalesce(${communityId}, community_id)`;
  return used;
}

/** Counters that differ from the usage events, of one community or of all. Empty when all is well. */
export async function wrongCounters({ operator }: QuotaRig, communityId: string | null = null) {
  return [...await operator`select * from billing.check_usage_counters(${communityId})`];
}

/** The session of a person in a community. */
export const sessionOf = (communityId: string, userId = "ann") =>
  ({ userId, communityId, isAdmin: false, pluginId: null }) as Session;
