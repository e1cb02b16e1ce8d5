-- Usage maintenance: partitions of usage events for months to come, deletion of old months, and a check of the counters
-- against the events.

create function billing.create_usage_partition(p_month date) returns boolean
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_name constant text := 'usage_events_' || to_char(p_month, 'YYYY_MM');
  v_from constant timestamptz := date_trunc('month', p_month::timestamp) at time zone 'UTC';
  v_to constant timestamptz := (date_trunc('month', p_month::timestamp) + interval '1 month') at time zone 'UTC';
begin
  if to_regclass('billing.' || v_name) is not null then return false; end if;

  lock table billing.usage_events_default in access exclusive mode;
  execute format('create table billing.%I (like public.usage_events including defaults including constraints)', v_name);
  execute format('alter table billing.%I enable row level security', v_name);
  execute format('revoke all on billing.%I from public, anon, authenticated, service_role', v_name);
  execute format('comment on table billing.%I is %L', v_name, 'Usage events of ' || to_char(p_month, 'YYYY-MM') || '.');
  execute format(
    'with moved as (delete from billing.usage_events_default where occurred_at >= %L and occurred_at < %L returning *)
     insert into billing.%I select * from moved', v_from, v_to, v_name);
  execute format(
    'alter table public.usage_events attach partition billing.%I for values from (%L) to (%L)', v_name, v_from, v_to);
  return true;
end $$;
comment on function billing.create_usage_partition(date) is 'Creates the partition of usage events for a month (UTC), and moves its events there from the default partition. False when it exists.';

-- Drops the months of usage events before p_since, the first of a month, with their idempotency keys and finished usage
-- reports. Returns the months dropped. Dropping a partition needs the table exclusively for a moment, and whoever waits for
-- that makes all others wait. So it gives up soon, and the next run tries again.
create function billing.drop_usage_before(p_since date) returns text[]
  language plpgsql volatile security invoker set search_path = '' set lock_timeout = '3s'
as $$
declare
  v_since constant timestamptz := p_since::timestamp at time zone 'UTC';
  v_partition record;
  v_dropped text[] := '{}';
begin
  for v_partition in
    select c.oid::regclass as name, to_date(right(c.relname, 7), 'YYYY_MM') as month
    from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.usage_events'::regclass and c.oid <> 'billing.usage_events_default'::regclass
    order by month
  loop
    exit when v_partition.month >= p_since;
    execute format('drop table %s', v_partition.name);
    v_dropped := v_dropped || to_char(v_partition.month, 'YYYY-MM');
  end loop;
  delete from billing.usage_events_default where occurred_at < v_since;
  if found or v_dropped <> '{}' then
    update billing.usage_retention set kept_since = v_since;
    delete from billing.usage_keys where occurred_at < v_since;
    delete from billing.usage_reports where hour < v_since and state not in ('open', 'claimed');
  end if;
  return v_dropped;
end $$;
comment on function billing.drop_usage_before(date) is 'Drops usage events, idempotency keys and finished usage reports of old months.';

-- To run once a day; running it more or less often does no harm.
--   creates the partitions of this month and the next two
--   drops months of usage events that are older than p_keep (see drop_usage_before)
--   deletes counters that no window reaches
-- Limits stay exact: no window is longer than 366 days, and at least 13 months are kept.
-- Returns {created: [month], dropped: [month], kept_since}, months as "2026-11". Raises 22023 for less than 13 months.
create function billing.maintain_usage(p_keep interval default '13 months') returns jsonb
  language plpgsql volatile security invoker set search_path = '' set lock_timeout = '3s'
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_month date;
  v_created text[] := '{}';
  v_dropped text[];
begin
  if p_keep < interval '13 months' then
    raise sqlstate '22023' using message = 'usage is kept for at least 13 months', detail = p_keep::text;
  end if;

  for i in 0..2 loop
    v_month := date_trunc('month', v_now at time zone 'UTC') + make_interval(months => i);
    if billing.create_usage_partition(v_month) then v_created := v_created || to_char(v_month, 'YYYY-MM'); end if;
  end loop;
  v_dropped := billing.drop_usage_before(date_trunc('month', v_now at time zone 'UTC' - p_keep)::date);
  delete from public.usage_counters k
  where k.resolution > interval '0'
    and k.starts_at < v_now - billing.counting_horizon(k.resolution) - k.resolution - interval '1 day';
  return jsonb_build_object('created', v_created, 'dropped', v_dropped, 'kept_since',
    (select nullif(kept_since, '-infinity') from billing.usage_retention));
end $$;
comment on function billing.maintain_usage(interval) is 'Daily maintenance: creates partitions ahead and drops what is old. Returns what it did.';

-- One row for each counter that differs. A single statement, so it sees one snapshot even while usage goes on.
create function billing.check_usage_counters(p_community_id text default null)
  returns table (community_id text, feature text, resolution interval, starts_at timestamptz, counted bigint, in_events bigint)
  language sql volatile security invoker set search_path = ''
as $$
  with resolutions as (
    select l.community_id, l.feature, r as resolution,
      date_bin(r, greatest((select x.kept_since + r from billing.usage_retention x),
        (select billing.clock()) - billing.counting_horizon(r)), '1970-01-01Z') as since
    from billing.usage_locks l cross join lateral unnest(l.resolutions) as r
    where p_community_id is null or l.community_id = p_community_id
  ), counted as (
    select k.* from public.usage_counters k join resolutions r using (community_id, feature, resolution)
    where k.starts_at >= r.since
  ), in_events as (
    select e.community_id, e.feature, r.resolution, date_bin(r.resolution, e.occurred_at, '1970-01-01Z') as starts_at,
      sum(e.quantity - e.released_quantity)::bigint as quantity
    from public.usage_events e join resolutions r using (community_id, feature)
    where e.occurred_at >= r.since
    group by 1, 2, 3, 4
  ), held as (
    select h.community_id, h.feature, interval '0' as resolution, timestamptz '1970-01-01Z' as starts_at,
      count(*) as quantity
    from billing.held_resources h
    where p_community_id is null or h.community_id = p_community_id
    group by 1, 2
  ), counted_held as (
    select k.* from public.usage_counters k
    where k.resolution = interval '0' and (p_community_id is null or k.community_id = p_community_id)
  )
  select community_id, feature, resolution, starts_at, coalesce(c.quantity, 0), coalesce(e.quantity, 0)
  from (table counted union all table counted_held) c
  full join (table in_events union all table held) e using (community_id, feature, resolution, starts_at)
  where coalesce(c.quantity, 0) <> coalesce(e.quantity, 0)
$$;
comment on function billing.check_usage_counters(text) is 'Every counter that differs from the usage events or the resources held, of one community or of all.';

create function billing.rebuild_usage_counters(p_community_id text, p_feature text) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_resolution interval;
begin
  foreach v_resolution in array billing.lock_usage(p_community_id, p_feature, null) loop
    perform billing.recount_usage(p_community_id, p_feature, v_resolution);
  end loop;
  delete from public.usage_counters k
  where k.community_id = p_community_id and k.feature = p_feature and k.resolution = interval '0';
  perform billing.count_held(p_community_id, p_feature, (
    select count(*) from billing.held_resources h where h.community_id = p_community_id and h.feature = p_feature));
end $$;
comment on function billing.rebuild_usage_counters(text, text) is 'Rebuilds a community''s counters of a feature from the usage events and the resources held. Safe at any time.';

-- Grants: none, only the operator (role postgres) and pg_cron call these.
revoke execute on function
  billing.create_usage_partition(date), billing.drop_usage_before(date), billing.maintain_usage(interval),
  billing.check_usage_counters(text), billing.rebuild_usage_counters(text, text)
  from public, anon, authenticated, service_role;

select billing.maintain_usage();

do $guard$ begin
  if not exists (select from pg_available_extensions where name = 'pg_cron') then
    raise notice 'pg_cron is not available here: call billing.maintain_usage() once a day by other means.';
    return;
  end if;
  execute 'create extension if not exists pg_cron';
  execute $schedule$ select cron.schedule('dues-maintain-usage', '23 3 * * *', 'select billing.maintain_usage()') $schedule$;
end $guard$;
