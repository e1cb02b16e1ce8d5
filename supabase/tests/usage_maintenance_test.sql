-- Months that come and go, and counters made anew.
begin;
select plan(26);

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
insert into public.communities (id, title, current_plan_id) select 'garden', 'Garden', id from public.plans where is_default;
update public.plan_limits set quota = 1000000;
insert into public.plan_limits (plan_id, feature, quota_window, quota)
select id, 'ai_chat_message', v, 1000000 from public.plans, unnest(array[interval '1 hour', interval '366 days']) as v where is_default;

-- Long before any month that has a partition.
select pg_temp.at('2020-01-31T23:59:00Z');
select is(pg_temp.use(5, 'old') ->> 'outcome', 'consumed', 'no use is refused for want of a partition');
select is((select count(*)::int from billing.usage_events_default), 1, 'it waits with those that have none');
select is(billing.maintain_usage() -> 'created', '["2020-01", "2020-02", "2020-03"]', 'the upkeep makes this month and two more');
select is(billing.maintain_usage() -> 'created', '[]', 'once');
select is((select count(*)::int from billing.usage_events_default), 0, 'and moves in what had no partition');
select is((select sum(quantity)::int from billing.usage_events_2020_01), 5, 'all of it');
select is(has_table_privilege('service_role', 'billing.usage_events_2020_01', 'select'), false, 'a month is not read directly');
select pg_temp.use(3);
select pg_temp.at('2020-02-01T00:00:00Z');
select pg_temp.use(4);
select is((select array_agg(tableoid::regclass::text || ' ' || quantity order by occurred_at, id) from public.usage_events),
  array['billing.usage_events_2020_01 5', 'billing.usage_events_2020_01 3', 'billing.usage_events_2020_02 4'],
  'each use is in its month');
select is_empty('select * from billing.check_usage_counters()', 'the counters agree with the events');

-- A year later.
select pg_temp.at('2021-02-01T12:00:00Z');
select is(pg_temp.use() #>> '{limits,2,used}', '5', 'of the uses of a year ago the longest window counts those of 366 days');
select is(billing.maintain_usage() -> 'dropped', '[]', 'after a year nothing is dropped');
select pg_temp.at('2021-02-28T12:00:00Z');
select is(billing.maintain_usage() -> 'dropped', '[]', 'nor before thirteen months are over');
select pg_temp.at('2021-03-01T00:00:00Z');
select is(billing.maintain_usage() -> 'dropped', '["2020-01"]', 'then the oldest month is');
select is((select kept_since from billing.usage_retention), '2020-02-01T00:00:00Z', 'and that is known');
select hasnt_table('billing', 'usage_events_2020_01', 'with its table');
select is_empty($$ select 1 from billing.usage_keys where idempotency_key = 'old' $$, 'and its keys');
select is(pg_temp.use() #>> '{limits,2,used}', '2', 'no limit notices');
select is_empty('select * from billing.check_usage_counters()', 'and the counters still agree with what is left');
select throws_ok($$ select billing.maintain_usage('12 months') $$, '22023', null, 'less than thirteen months is not kept');

-- Counters gone wrong.
select pg_temp.use(10);
select billing.acquire_resource('garden', 'active_wizard', 'w1', 'ann');
create temp table right_counters as select * from public.usage_counters;
update public.usage_counters set quantity = quantity + 7 where starts_at >= '2021-02-28';
update public.usage_counters set quantity = 9 where resolution = interval '0';
select is((select count(distinct resolution)::int from billing.check_usage_counters('garden')), 4, 'the check finds every counter that is wrong');
select is_empty($$ select * from billing.check_usage_counters('chess') $$, 'of the community asked for');
select billing.rebuild_usage_counters('garden', 'ai_chat_message');
select results_eq('select feature, counted, in_events from billing.check_usage_counters()', $$ values ('active_wizard', 9::bigint, 1::bigint) $$,
  'a feature''s counters are made anew');
select billing.rebuild_usage_counters('garden', 'active_wizard');
select bag_eq('select * from public.usage_counters', 'select * from right_counters', 'exactly as they were');
delete from public.usage_counters;
select billing.rebuild_usage_counters('garden', 'ai_chat_message');
select is((select count(*)::int from public.usage_counters where starts_at < '2021-01-01'), 0, 'what was dropped cannot be made anew');
select is_empty($$ select * from billing.check_usage_counters() where feature = 'ai_chat_message' $$, 'all else can');

-- Counters that no window reaches are swept out as new ones begin.
select pg_temp.at('2022-06-01T00:00:00Z');
select pg_temp.use();
select is((select count(*)::int from public.usage_counters where feature = 'ai_chat_message' and starts_at < '2022-01-01'), 0,
  'counters that no window reaches go away');

select * from finish();
rollback;
