/** Databases with a history of usage: a number of events of one community, and as many spread over a thousand. */
import type { Pool } from "../billing/db/sql.ts";
import { connectDatabase, type Database } from "../billing/db/database.ts";
import { createDatabase, type TestDatabase } from "../tests/support/database.ts";

export const FEATURE = "ai_chat_message";
export const HOT_COMMUNITY = "hot";
export const SPREAD_COMMUNITIES = Array.from({ length: 1000 }, (_, i) => `spread-${i}`);

export interface HistoryDatabase extends AsyncDisposable {
  /** The number of events in the last 29 days: this many of one community, and as many spread over all others. */
  events: number;
  /** A pool like the plugin server's. */
  connect(connections: number): Database;
  /** A pool with an operator's rights, for the ways that use tables directly. */
  connectOperator(connections: number): Pool;
}

/** Makes a database. Every event has an idempotency key, and the counters are built from the events. */
export async function prepareHistory(events: number): Promise<HistoryDatabase> {
  const database = await createDatabase();
  const operator = database.connect("postgres", { max: 1 });
  await operator`update public.plan_limits set quota = 1000000000000 where feature = ${FEATURE}`;
  await operator`
    insert into public.communities (id, title, current_plan_id)
    select v, v, p.id from public.plans p, unnest(${[HOT_COMMUNITY, ...SPREAD_COMMUNITIES]}::text[]) as v
    where p.is_default`;
  await operator`
    select billing.create_usage_partition((date_trunc('month', now()) - make_interval(months => n))::date)
    from generate_series(0, 1) as n`;
  await fill(operator, events);
  await operator`
    select billing.rebuild_usage_counters(v, ${FEATURE})
    from unnest(${[HOT_COMMUNITY, ...SPREAD_COMMUNITIES]}::text[]) as v`;
  await createPeers(operator);
  await operator`vacuum analyze`;
  return { events, ...connections(database) };
}

/** Inserts without indexes and creates them afterwards, which is much faster. */
async function fill(operator: Pool, events: number): Promise<void> {
  await operator.script(`
    set maintenance_work_mem = '512MB';
    alter table public.usage_events drop constraint usage_events_pkey;
    alter table billing.usage_keys drop constraint usage_keys_pkey`);
  for (const communities of [[HOT_COMMUNITY], SPREAD_COMMUNITIES]) {
    const each = events / communities.length;
    await operator`
      insert into public.usage_events (community_id, feature, user_id, quantity, occurred_at, idempotency_key)
      select community, ${FEATURE}, 'somebody', 1, now() - interval '29 days' * (n / ${each}::double precision),
        community || ':' || n
      from unnest(${communities}::text[]) as community, generate_series(1, ${each}::integer) as n`;
  }
  await operator`
    insert into billing.usage_keys (community_id, feature, idempotency_key, usage_event_id, occurred_at, quantity)
    select community_id, feature, idempotency_key, id, occurred_at, quantity from public.usage_events`;
  await operator.script(`
    alter table public.usage_events add constraint usage_events_pkey primary key (community_id, feature, occurred_at, id);
    alter table billing.usage_keys add constraint usage_keys_pkey primary key (community_id, feature, idempotency_key)`);
}

/**
 * The ways to compare with, each one call as well: counting events before recording one (which lets two callers take the last
 * unit), on the same table with the same index; and recording an event without any check, the minimum.
 */
async function createPeers(operator: Pool): Promise<void> {
  await operator.script(`
    create function public.bench_record(p_community_id text, p_key text) returns boolean language plpgsql as $$ begin
      insert into public.usage_events (community_id, feature, user_id, quantity, idempotency_key)
      values (p_community_id, 'ai_chat_message', 'somebody', 1, p_key);
      return true;
    end $$;
    create function public.bench_count(p_community_id text, p_key text) returns boolean language plpgsql as $$
    declare
      v_quota bigint;
      v_used bigint;
    begin
      select l.quota into v_quota from public.communities c join public.plan_limits l on l.plan_id = c.current_plan_id
      where c.id = p_community_id and l.feature = 'ai_chat_message';
      select count(*) into v_used from public.usage_events
      where community_id = p_community_id and feature = 'ai_chat_message' and occurred_at > now() - interval '30 days';
      if v_used >= v_quota then return false; end if;
      return public.bench_record(p_community_id, p_key);
    end $$`);
}

function connections(database: TestDatabase) {
  const open: Database[] = [];
  const keep = <T extends Database>(sql: T) => {
    open.push(sql);
    return sql;
  };
  return {
    connect: (max: number) => keep(connectDatabase(database.url("billing_service"), { max })),
    connectOperator: (max: number) => keep(database.connect("postgres", { max })),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(open.map((sql) => sql.close()));
      await database.drop();
    },
  };
}
