-- The steps of maintain_usage (a procedure that commits after each, so it cannot be called here), check_usage_counters and
-- rebuild_usage_counters, with a clock that is set by the test.
begin;
select plan(28);

create or replace function billing.clock() returns timestamptz
  language plpgsql volatile set search_path = ''
as $$ begin return current_setting('test.now')::timestamptz; end $$;
create function pg_temp.at(p_now timestamptz) returns void language sql as $$
  select set_config('test.now', p_now::text, true);
$$;
create function pg_temp.partitions() returns setof text language sql as $$
  select inhrelid::regclass::text from pg_inherits where inhparent = 'public.usage_events'::regclass order by 1
$$;
create function pg_temp.use(p_quantity bigint default 1, p_key text default null) returns jsonb language sql as $$
  select billing.consume_quota('garden', 'ai_chat_message', p_quantity, 'ann', p_key)
$$;
-- Creates the partitions of this month and the next two.
create function pg_temp.create_ahead() returns boolean[] language sql as $$
  select array_agg(billing.create_usage_partition(
    (billing.clock() at time zone 'UTC' + make_interval(months => ahead))::date) order by ahead) from generate_series(0, 2) as ahead
$$;
-- Drops what is older than 13 months.
create function pg_temp.drop_old() returns date[] language plpgsql as $$
declare
  v_since constant date := date_trunc('month', billing.clock() at time zone 'UTC' - interval '13 months');
  v_dropped constant date[] := array(select m from billing.old_usage_partitions(v_since) as m where billing.drop_usage_partition(m));
begin
  if v_dropped <> '{}' then update billing.usage_retention set kept_since = v_since::timestamp at time zone 'UTC'; end if;
  while billing.delete_old_usage((select kept_since from billing.usage_retention), 1) = 1 loop end loop;
  return v_dropped;
end $$;
insert into public.communities (id, title, current_plan_id) select 'garden', 'Garden', id from public.plans where is_default;
update public.plan_limits set quota = 1000000;
insert into public.plan_limits (plan_id, feature, quota_window, quota)
select id, 'ai_chat_message', v, 1000000 from public.plans, unnest(array[interval '1 hour', interval '366 days']) as v where is_default;

-- Long before any month that has a partition.
select pg_temp.at('2019-12-31T23:59:00Z');
select is(pg_temp.use(5, 'older') ->> 'outcome', 'consumed', 'consume_quota records a use in a month without a partition');
select is((select count(*)::int from billing.usage_events_default), 1, 'a use in a month without a partition is in the default partition');
select is(pg_temp.create_ahead(), array[null, true, true], 'create_usage_partition leaves a month to the default partition that has events of it');
select is(pg_temp.create_ahead(), array[null, false, false], 'create_usage_partition creates no partition twice');
select pg_temp.at('2020-01-31T23:59:00Z');
select pg_temp.use(5, 'old');
select is(has_table_privilege('service_role', 'billing.usage_events_2020_01', 'select'), false, 'service_role may not read a partition directly');
select pg_temp.use(3);
select is(pg_temp.create_ahead(), array[false, false, true], 'create_usage_partition creates a month ahead');
select pg_temp.at('2020-02-01T00:00:00Z');
select pg_temp.use(4);
select is((select array_agg(tableoid::regclass::text || ' ' || quantity order by occurred_at, id) from public.usage_events),
  array['billing.usage_events_default 5', 'billing.usage_events_2020_01 5', 'billing.usage_events_2020_01 3', 'billing.usage_events_2020_02 4'],
  'each use is in the partition of its month');
select is_empty('select * from billing.check_usage_counters()', 'check_usage_counters finds no difference across partitions');

-- A year later.
select pg_temp.at('2021-02-01T12:00:00Z');
select is(pg_temp.use() #>> '{limits,2,used}', '5', 'a window of 366 days counts the use of the last 366 days');
select is(pg_temp.drop_old(), '{}', 'old_usage_partitions has nothing to drop after a year');
select pg_temp.at('2021-02-28T12:00:00Z');
select is(pg_temp.drop_old(), '{}', 'old_usage_partitions has nothing to drop before 13 months are over');
select pg_temp.at('2021-03-01T00:00:00Z');
select is(pg_temp.drop_old(), array[date '2020-01-01'], 'drop_usage_partition drops the oldest month after 13 months');
select hasnt_table('billing', 'usage_events_2020_01', 'drop_usage_partition drops the partition');
select is((select count(*)::int from billing.usage_events_default where occurred_at < '2020-02-01'), 0, 'delete_old_usage deletes old events of the default partition');
select is_empty($$ select 1 from billing.usage_keys where idempotency_key in ('old', 'older') $$, 'delete_old_usage deletes the idempotency keys of a dropped month');
select is(pg_temp.use() #>> '{limits,2,used}', '2', 'a window of 366 days is the same after a month was dropped');
select is_empty('select * from billing.check_usage_counters()', 'check_usage_counters finds no difference after a month was dropped');
select throws_ok($$ call billing.maintain_usage('12 months') $$, '22023', null, 'maintain_usage raises 22023 for less than 13 months');

-- Wrong counters.
select pg_temp.use(10);
select billing.acquire_resource('garden', 'active_wizard', 'w1', 'ann');
create temp table right_counters as select * from public.usage_counters;
update public.usage_counters set quantity = quantity + 7 where starts_at >= '2021-02-28';
update public.usage_counters set quantity = 9 where resolution = interval '0';
select is((select count(distinct resolution)::int from billing.check_usage_counters('garden')), 4, 'check_usage_counters finds every wrong counter');
select is_empty($$ select * from billing.check_usage_counters('chess') $$, 'check_usage_counters checks only the community that is given');
select billing.rebuild_usage_counters('garden', 'ai_chat_message');
select results_eq('select feature, counted, in_events from billing.check_usage_counters()', $$ values ('active_wizard', 9::bigint, 1::bigint) $$,
  'rebuild_usage_counters corrects the counters of its feature only');
select billing.rebuild_usage_counters('garden', 'active_wizard');
select bag_eq('select * from public.usage_counters', 'select * from right_counters', 'rebuild_usage_counters restores the counters exactly');
delete from public.usage_counters;
select billing.rebuild_usage_counters('garden', 'ai_chat_message');
select is((select count(*)::int from public.usage_counters where starts_at < '2021-01-01'), 0, 'rebuild_usage_counters makes no counters for dropped months');
select is_empty($$ select * from billing.check_usage_counters() where feature = 'ai_chat_message' $$, 'rebuild_usage_counters makes all other counters');

-- Counters of those that are idle are deleted, a few communities at a time.
select pg_temp.at('2022-02-15T00:00:00Z');
select is(array[billing.delete_old_counters(1), billing.delete_old_counters(1), billing.delete_old_counters(1)], array[false, false, true],
  'delete_old_counters goes on where it ended');
select is_empty($$ select 1 from public.usage_counters where resolution in ('00:00:10', '00:10:00', '06:00:00') $$,
  'delete_old_counters deletes what no window reaches');
select isnt_empty($$ select 1 from public.usage_counters where resolution = '24:00:00' $$, 'delete_old_counters keeps the rest');

-- Old counters are deleted when new buckets start.
select pg_temp.at('2022-06-01T00:00:00Z');
select pg_temp.use();
select is((select count(*)::int from public.usage_counters where feature = 'ai_chat_message' and starts_at < '2022-01-01'), 0,
  'consume_quota deletes counters that no window reaches');

select * from finish();
rollback;
