-- Usage maintenance: partitions of usage events for months to come, deletion of old months, and a check of the counters
-- against the events.
--
-- A use of a feature must never wait for this. So each step is a transaction of its own; what needs a table exclusively
-- waits 200 ms for it at most (whoever waits for a lock makes all others wait behind it) and is tried again later; and
-- deletions go by an index, a few thousand rows at a time.

create function billing.usage_partition(p_month date) returns text
  language sql stable security invoker set search_path = ''
as $$ select 'usage_events_' || to_char(p_month, 'YYYY_MM') $$;
comment on function billing.usage_partition(date) is 'The name of the partition of usage events for a month (UTC), in schema billing.';

create function billing.accept_in_default() returns void
  language plpgsql volatile security invoker set search_path = '' set lock_timeout = '200ms'
as $$ begin
  if exists (
    select from pg_catalog.pg_constraint c
    where c.conrelid = 'billing.usage_events_default'::regclass and c.conname = 'usage_events_default_other_months') then
    alter table billing.usage_events_default drop constraint usage_events_default_other_months;
  end if;
end $$;
comment on function billing.accept_in_default() is 'Has the default partition of usage events take events of every month (see exclude_from_default).';

-- Events of a month that came before its partition are in the default partition and stay there: moving them would hide them
-- from readers, or lock the table for as long as it takes.
create function billing.create_usage_partition(p_month date) returns boolean
  language plpgsql volatile security invoker set search_path = '' set lock_timeout = '200ms'
as $$
declare
  v_name constant text := billing.usage_partition(p_month);
  v_from constant timestamptz := date_trunc('month', p_month::timestamp) at time zone 'UTC';
  v_to constant timestamptz := (date_trunc('month', p_month::timestamp) + interval '1 month') at time zone 'UTC';
begin
  if to_regclass('billing.' || v_name) is not null then return false; end if;
  if exists (select from billing.usage_events_default e where e.occurred_at >= v_from and e.occurred_at < v_to) then
    return null;
  end if;
  execute format('create table billing.%I (like public.usage_events including defaults including constraints)', v_name);
  execute format('alter table billing.%I enable row level security', v_name);
  execute format('revoke all on billing.%I from public, anon, authenticated, service_role', v_name);
  execute format('comment on table billing.%I is %L', v_name, 'Usage events of ' || to_char(p_month, 'YYYY-MM') || '.');
  execute format(
    'alter table public.usage_events attach partition billing.%I for values from (%L) to (%L)', v_name, v_from, v_to);
  perform billing.accept_in_default();
  return true;
end $$;
comment on function billing.create_usage_partition(date) is 'Creates the partition of usage events for a month (UTC). False when it exists; null when the default partition has events of the month.';

-- Attaching a partition reads the whole default partition, which nobody may use meanwhile, unless a constraint says already
-- that it has nothing of the month. The constraint is not validated here: that needs no exclusive lock, and a transaction of
-- its own. Only for a month to come, since it refuses events of the month.
create function billing.exclude_from_default(p_month date) returns void
  language plpgsql volatile security invoker set search_path = '' set lock_timeout = '200ms'
as $$
begin
  perform billing.accept_in_default();
  execute format(
    'alter table billing.usage_events_default add constraint usage_events_default_other_months
       check (occurred_at < %L or occurred_at >= %L) not valid',
    p_month::timestamp at time zone 'UTC', (p_month + interval '1 month') at time zone 'UTC');
end $$;
comment on function billing.exclude_from_default(date) is 'Has the default partition of usage events refuse a month to come, until its partition is attached.';

-- Up to five attempts, each in short transactions. p_done becomes true when it was created, false when it existed, and null
-- when that has to wait for the next run. A small default partition is read in a moment; a large one is there when nobody ran
-- the maintenance for months.
create procedure billing.add_usage_month(p_month date, inout p_done boolean default null)
  language plpgsql security invoker
as $$
declare
  v_is_large constant boolean := pg_relation_size('billing.usage_events_default') > 1024 * 1024;
  v_can_attach boolean;
begin
  if v_is_large and p_month <= billing.clock() at time zone 'UTC' then return; end if;
  for v_try in 1..5 loop
    begin
      if v_is_large then perform billing.exclude_from_default(p_month); end if;
      v_can_attach := true;
    exception when lock_not_available then
      v_can_attach := false;
    end;
    commit;
    if v_is_large and v_can_attach then
      begin
        alter table billing.usage_events_default validate constraint usage_events_default_other_months;
      exception when check_violation then
        v_can_attach := false; -- it has events of the month
      end;
      commit;
    end if;
    if v_can_attach then
      begin
        p_done := billing.create_usage_partition(p_month);
      -- The last two: another run is creating it.
      exception when lock_not_available or check_violation or duplicate_table or unique_violation then
        p_done := null;
      end;
      commit;
    end if;
    exit when p_done is not null;
    perform pg_sleep(0.5);
  end loop;
end $$;
comment on procedure billing.add_usage_month(date, boolean) is 'Creates the partition of usage events for a month (UTC) while the table is in use.';

create function billing.drop_usage_partition(p_month date) returns boolean
  language plpgsql volatile security invoker set search_path = '' set lock_timeout = '200ms'
as $$ begin
  if to_regclass('billing.' || billing.usage_partition(p_month)) is null then return false; end if;
  execute format('drop table billing.%I', billing.usage_partition(p_month));
  return true;
end $$;
comment on function billing.drop_usage_partition(date) is 'Drops the partition of usage events for a month (UTC). False when there is none.';

create function billing.old_usage_partitions(p_since date) returns setof date
  language sql stable security invoker set search_path = ''
as $$
  select m.month from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
  cross join lateral (select to_date(right(c.relname, 7), 'YYYY_MM') as month) m
  where i.inhparent = 'public.usage_events'::regclass and c.oid <> 'billing.usage_events_default'::regclass
    and m.month < p_since
  order by 1
$$;
comment on function billing.old_usage_partitions(date) is 'The months before p_since that have a partition of usage events, the oldest first.';

-- Usage events without a partition, idempotency keys, and finished usage reports. Returns how many of the kind with the most
-- were deleted: fewer than p_limit when nothing is left.
create function billing.delete_old_usage(p_since timestamptz, p_limit integer) returns integer
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_most integer := 0;
  v_deleted integer;
begin
  delete from billing.usage_events_default where ctid = any (array(
    select e.ctid from billing.usage_events_default e where e.occurred_at < p_since
    order by e.occurred_at limit p_limit for update skip locked));
  get diagnostics v_deleted = row_count;
  v_most := greatest(v_most, v_deleted);
  delete from billing.usage_keys where ctid = any (array(
    select k.ctid from billing.usage_keys k where k.occurred_at < p_since
    order by k.occurred_at limit p_limit for update skip locked));
  get diagnostics v_deleted = row_count;
  v_most := greatest(v_most, v_deleted);
  delete from billing.usage_reports where ctid = any (array(
    select r.ctid from billing.usage_reports r where r.hour < p_since and r.state not in ('open', 'claimed')
    order by r.hour limit p_limit for update skip locked));
  get diagnostics v_deleted = row_count;
  return greatest(v_most, v_deleted);
end $$;
comment on function billing.delete_old_usage(timestamptz, integer) is 'Deletes, of each kind, at most so many rows of usage before a time. Returns how many of the kind with the most.';

-- Goes through the usage locks, from where the last call ended, so that each deletion goes by the counters' primary key.
-- Returns true when it has come to the last one; the next call begins at the first.
create function billing.delete_old_counters(p_limit integer) returns boolean
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_last record;
  v_lock record;
  v_seen integer := 0;
begin
  select r.counters_checked_community as community_id, r.counters_checked_feature as feature into v_last
  from billing.usage_retention r;
  for v_lock in
    select l.community_id, l.feature, l.resolutions from billing.usage_locks l
    where (l.community_id, l.feature) > (coalesce(v_last.community_id, ''), coalesce(v_last.feature, ''))
    order by l.community_id, l.feature limit p_limit
  loop
    delete from public.usage_counters k
    using unnest(v_lock.resolutions) as r (resolution)
    where k.community_id = v_lock.community_id and k.feature = v_lock.feature and k.resolution = r.resolution
      and k.starts_at < v_now - billing.counting_horizon(r.resolution) - r.resolution - interval '1 day';
    v_seen := v_seen + 1;
    v_last := v_lock;
  end loop;
  update billing.usage_retention set
    counters_checked_community = case when v_seen = p_limit then v_last.community_id end,
    counters_checked_feature = case when v_seen = p_limit then v_last.feature end;
  return v_seen < p_limit;
end $$;
comment on function billing.delete_old_counters(integer) is 'Deletes counters that no window reaches, of the next so many communities and features. True at the end of the round.';

-- To run once a day; running it more or less often, or twice at once, does no harm. Not within a transaction: it commits
-- after each step. It ends after 90 seconds, before hosted Supabase would cancel it, and goes on the next time.
--   creates the partitions of this month and the next two
--   drops usage events, idempotency keys and finished usage reports of months that are older than p_keep
--   deletes counters that no window reaches
-- Limits stay exact: no window is longer than 366 days, and at least 13 months are kept.
-- p_report becomes {created: [month], dropped: [month], postponed: [month], kept_since, is_complete}, months as "2026-11".
-- postponed: a lock was not free, or the default partition has events of the month. Raises 22023 for less than 13 months.
create procedure billing.maintain_usage(p_keep interval default '13 months', inout p_report jsonb default null)
  language plpgsql security invoker
as $$
declare
  v_ends_at constant timestamptz := clock_timestamp() + interval '90 seconds';
  v_batch constant integer := 2000;
  v_this_month constant date := date_trunc('month', billing.clock() at time zone 'UTC');
  v_since constant date := date_trunc('month', billing.clock() at time zone 'UTC' - p_keep);
  v_kept_since constant timestamptz := v_since::timestamp at time zone 'UTC';
  v_month date;
  v_created text[] := '{}';
  v_dropped text[] := '{}';
  v_postponed text[] := '{}';
  v_done boolean;
  v_is_complete boolean := true;
begin
  if p_keep < interval '13 months' then
    raise sqlstate '22023' using message = 'usage is kept for at least 13 months', detail = p_keep::text;
  end if;

  for v_ahead in 0..2 loop
    v_month := v_this_month + make_interval(months => v_ahead);
    continue when to_regclass('billing.' || billing.usage_partition(v_month)) is not null;
    v_done := null;
    call billing.add_usage_month(v_month, v_done);
    if v_done then v_created := v_created || to_char(v_month, 'YYYY-MM');
    elsif v_done is null then v_postponed := v_postponed || to_char(v_month, 'YYYY-MM'); end if;
  end loop;
  -- Whatever happened above, the default partition takes every month again.
  begin
    perform billing.accept_in_default();
  exception when lock_not_available then
    null;
  end;
  commit;

  if exists (select from billing.old_usage_partitions(v_since))
    or exists (select from billing.usage_events_default e where e.occurred_at < v_kept_since) then
    update billing.usage_retention set kept_since = greatest(kept_since, v_kept_since);
  end if;
  commit;
  for v_month in select billing.old_usage_partitions(v_since) loop
    for v_try in 1..5 loop
      begin
        v_done := billing.drop_usage_partition(v_month);
      exception when lock_not_available then
        v_done := null;
      end;
      commit;
      exit when v_done is not null;
      perform pg_sleep(0.5);
    end loop;
    if v_done then v_dropped := v_dropped || to_char(v_month, 'YYYY-MM');
    elsif v_done is null then v_postponed := v_postponed || to_char(v_month, 'YYYY-MM'); end if;
  end loop;

  loop
    v_is_complete := billing.delete_old_usage((select kept_since from billing.usage_retention), v_batch) < v_batch;
    commit;
    exit when v_is_complete or clock_timestamp() > v_ends_at;
  end loop;
  loop
    v_done := billing.delete_old_counters(v_batch);
    commit;
    exit when v_done or clock_timestamp() > v_ends_at;
  end loop;
  p_report := jsonb_build_object(
    'created', v_created, 'dropped', v_dropped, 'postponed', v_postponed, 'is_complete', v_is_complete and v_done,
    'kept_since', (select nullif(kept_since, '-infinity') from billing.usage_retention));
end $$;
comment on procedure billing.maintain_usage(interval, jsonb) is 'Daily maintenance: creates partitions ahead and drops what is old, in short transactions. Reports what it did.';

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
  billing.usage_partition(date), billing.create_usage_partition(date), billing.exclude_from_default(date),
  billing.accept_in_default(), billing.drop_usage_partition(date), billing.old_usage_partitions(date),
  billing.delete_old_usage(timestamptz, integer), billing.delete_old_counters(integer),
  billing.check_usage_counters(text), billing.rebuild_usage_counters(text, text)
  from public, anon, authenticated, service_role;
revoke execute on procedure billing.add_usage_month(date, boolean), billing.maintain_usage(interval, jsonb)
  from public, anon, authenticated, service_role;

select billing.create_usage_partition((now() at time zone 'UTC' + make_interval(months => ahead))::date)
from generate_series(0, 2) as ahead;

do $guard$ begin
  if not exists (select from pg_available_extensions where name = 'pg_cron') then
    raise notice 'pg_cron is not available here: run "call billing.maintain_usage()" once a day by other means.';
    return;
  end if;
  execute 'create extension if not exists pg_cron';
  execute $schedule$ select cron.schedule('dues-maintain-usage', '23 3 * * *', 'call billing.maintain_usage()') $schedule$;
end $guard$;
