-- consume_quota, release_quota, acquire_resource and plan_limits, with a clock that is set by the test.
begin;
select plan(74);

create or replace function billing.clock() returns timestamptz
  language plpgsql volatile set search_path = ''
as $$ begin return current_setting('test.now')::timestamptz; end $$;
create function pg_temp.at(p_now timestamptz) returns void language sql as $$
  select set_config('test.now', p_now::text, true);
$$;
select pg_temp.at('2026-06-15T12:00:00Z');

insert into public.features (code, name, unit) values ('export', 'Exports', 'export'), ('orphan', 'Orphan', 'thing');
insert into public.plan_limits (plan_id, feature, quota_window, period, quota)
select p.id, v.feature, v.quota_window, v.period, v.quota from public.plans p join (values
  ('free', 'export', interval '1 hour', 'rolling', 3),
  ('free', 'export', interval '1 month', 'calendar_month', 5),
  ('pro', 'export', interval '1 hour', 'rolling', 50),
  ('pro', 'export', interval '1 day', 'rolling', 100)) as v(plan, feature, quota_window, period, quota) on v.plan = p.code;
insert into public.communities (id, title, current_plan_id)
select v, v, p.id from public.plans p, unnest(array['garden', 'chess', 'books']) as v where p.is_default;

create function pg_temp.use(p_quantity bigint default 1, p_key text default null, p_community text default 'garden',
  p_feature text default 'export') returns jsonb language sql as $$
  select billing.consume_quota(p_community, p_feature, p_quantity, 'ann', p_key)
$$;
create function pg_temp.outcome(p_quantity bigint default 1, p_key text default null, p_community text default 'garden',
  p_feature text default 'export') returns text language sql as $$
  select pg_temp.use(p_quantity, p_key, p_community, p_feature) ->> 'outcome'
$$;
create function pg_temp.give_back(p_answer jsonb, p_quantity bigint default null) returns bigint language sql as $$
  select billing.release_quota('garden', 'export', (p_answer #>> '{usage_event,id}')::bigint,
    (p_answer #>> '{usage_event,occurred_at}')::timestamptz, p_quantity)
$$;

-- A rolling window.
select is(pg_temp.use() - 'usage_event', jsonb_build_object('outcome', 'consumed', 'plan', 'free', 'limits', jsonb_build_array(
  jsonb_build_object('window_seconds', 3600, 'period', 'rolling', 'quota', 3, 'used', 1, 'seconds_to_reset', 3610),
  jsonb_build_object('window_seconds', 2592000, 'period', 'calendar_month', 'quota', 5, 'used', 1,
    'seconds_to_reset', 15 * 86400 + 12 * 3600))), 'consume_quota records a use and answers with every limit');
select is(pg_temp.outcome(3), 'refused', 'consume_quota refuses a quantity that fits only in part');
select is((select sum(quantity)::int from public.usage_events where community_id = 'garden'), 1, 'a refused use records no usage event');
select is(pg_temp.outcome(2), 'consumed', 'consume_quota allows a quantity that fits exactly');
select pg_temp.at('2026-06-15T12:59:59Z');
select is(pg_temp.use() - '{upgrade_plan}'::text[], jsonb_build_object(
  'outcome', 'refused', 'plan', 'free', 'window_seconds', 3600, 'period', 'rolling',
  'quota', 3, 'used', 3, 'resets_at', timestamptz '2026-06-15T13:00:10Z', 'retry_after_seconds', 11),
  'a refusal has window, quota, used, resets_at and retry_after_seconds');
select is(pg_temp.use() ->> 'upgrade_plan', 'pro', 'a refusal has the upgrade_plan');
select pg_temp.at('2026-06-15T13:00:09Z');
select is(pg_temp.outcome(), 'refused', 'consume_quota still refuses one second before resets_at');
select pg_temp.at('2026-06-15T13:00:10Z');
select is(pg_temp.outcome(2), 'consumed', 'consume_quota allows the use at resets_at');

-- A calendar month: 5 of 5 are used now.
select pg_temp.at('2026-06-30T23:59:59Z');
select is(pg_temp.use() ->> 'period', 'calendar_month', 'consume_quota refuses when the quota of the calendar month is used');
select is(pg_temp.use() ->> 'resets_at', '2026-07-01T00:00:00+00:00', 'resets_at is the end of the month in UTC');
select is(pg_temp.use(6) ->> 'resets_at', null, 'resets_at is null for a quantity above the quota');
select is(pg_temp.use(6) ->> 'retry_after_seconds', null, 'retry_after_seconds is null for a quantity above the quota');
select pg_temp.at('2026-07-01T00:00:00Z');
select is(pg_temp.outcome(), 'consumed', 'consume_quota allows the use on the first of the month');
select is(pg_temp.use(5) ->> 'resets_at', null, 'resets_at is null for a quantity above the quota of the shorter window');

-- Idempotency keys.
select pg_temp.at('2026-07-02T00:00:00Z');
create temp table first as select pg_temp.use(2, 'k1') as answer;
select is((select answer ->> 'outcome' from first), 'consumed', 'consume_quota with a new idempotency key records the use');
select is(pg_temp.outcome(2, 'k1'), 'repeated', 'consume_quota answers repeated for a known idempotency key');
select is(pg_temp.use(2, 'k1') -> 'usage_event', (select answer -> 'usage_event' from first), 'a repeat answers with the usage event of the first call');
select is(pg_temp.use(2, 'k1') #>> '{limits,0,used}', '2', 'a repeat does not add to used');
select is(pg_temp.outcome(1, 'k1'), 'key_reused', 'consume_quota answers key_reused for a known key with another quantity');
select is(pg_temp.outcome(1, 'k1', 'chess'), 'consumed', 'the same key of another community is another key');
select is(pg_temp.outcome(1, 'k2'), 'consumed', 'consume_quota with another key uses the rest of the quota');
select is(pg_temp.outcome(2, 'k1'), 'repeated', 'a repeat is allowed when no quota is left');

-- Giving back.
select is(pg_temp.give_back((select answer from first), 1), 1::bigint, 'release_quota gives back a part of a use');
select is(pg_temp.outcome(2, 'k1'), 'repeated', 'the key of a use given back in part stays known');
select is(pg_temp.give_back((select answer from first)), 1::bigint, 'release_quota without a quantity gives back the rest');
select is(pg_temp.give_back((select answer from first)), 0::bigint, 'release_quota gives back nothing when nothing is left');
select is(pg_temp.outcome(2, 'k1'), 'consumed', 'key and units of a use given back completely can be used again');
select is(billing.release_quota('garden', 'export', -1, now()), 0::bigint, 'release_quota answers 0 for an unknown use');
select is(billing.release_quota('nobody', 'export', 1, now()), 0::bigint, 'release_quota answers 0 for an unknown community');

-- What is not configured, and invalid quantities.
select is(pg_temp.outcome(p_community => 'nobody'), 'unknown_community', 'consume_quota answers unknown_community');
select is(pg_temp.outcome(p_feature => 'nothing'), 'unknown_feature', 'consume_quota answers unknown_feature');
select is(pg_temp.use(p_feature => 'orphan'), '{"outcome": "no_limit", "plan": "free"}', 'consume_quota answers no_limit for a feature without a limit on the plan');
select is(pg_temp.outcome(p_feature => 'active_wizard'), 'no_limit', 'consume_quota answers no_limit for a feature with only a resource limit');
select throws_ok('select pg_temp.use(0)', '22023', 'a quantity is at least 1', 'consume_quota raises 22023 for quantity 0');
select throws_ok('select pg_temp.use(-1)', '22023', 'a quantity is at least 1', 'consume_quota raises 22023 for a negative quantity');
select throws_ok('select pg_temp.use(null)', '22023', 'a quantity is at least 1', 'consume_quota raises 22023 for quantity null');
select is(pg_temp.use(9223372036854775807) ->> 'outcome', 'refused', 'consume_quota refuses the largest bigint');
select is(pg_temp.use(9223372036854775807) ->> 'upgrade_plan', null, 'upgrade_plan is null when no plan has room');
select is(billing.quota_faults('{export,orphan,nothing}', '{active_wizard,export}'), '[
  {"feature": "export", "plan": "free", "fault": "no_resource_limit"},
  {"feature": "export", "plan": "pro", "fault": "no_resource_limit"},
  {"feature": "nothing", "plan": null, "fault": "unknown_feature"},
  {"feature": "orphan", "plan": "free", "fault": "no_limit"},
  {"feature": "orphan", "plan": "pro", "fault": "no_limit"}]'::jsonb, 'quota_faults names missing features, and missing limits by plan');
select is(billing.quota_faults('{ai_chat_message}', '{active_wizard}'), '[]'::jsonb, 'quota_faults is empty for the seed');

-- Limits and plans that change.
select pg_temp.at('2026-07-03T00:00:00Z');
select is(pg_temp.outcome(3, p_community => 'books'), 'consumed', 'consume_quota uses up the quota of plan free');
update public.plan_limits set quota = 4 where feature = 'export' and quota_window = interval '1 hour'
  and plan_id = (select id from public.plans where code = 'free');
select is(pg_temp.outcome(p_community => 'books'), 'consumed', 'a higher quota takes effect at once');
update public.plan_limits set quota = 2 where feature = 'export' and quota_window = interval '1 hour'
  and plan_id = (select id from public.plans where code = 'free');
select is(pg_temp.use(p_community => 'books') ->> 'used', '4', 'a lower quota takes effect at once');
update public.communities set current_plan_id = (select id from public.plans where code = 'pro') where id = 'books';
select is(jsonb_path_query_array(pg_temp.use(p_community => 'books'), '$.limits[*].used'), '[5, 5]',
  'the limits of another plan count earlier use');
select is(pg_temp.use(46, p_community => 'books') ->> 'used', '5', 'a refusal on the new plan counts earlier use');
insert into public.plan_limits (plan_id, feature, quota_window, quota)
select id, 'export', interval '7 days', 5 from public.plans where code = 'pro';
select is(pg_temp.use(p_community => 'books') ->> 'window_seconds', '604800', 'a new limit counts use from before it existed');
delete from public.plan_limits where quota_window = interval '7 days';

insert into public.subscriptions (id, community_id, customer_id, plan_id, status, past_due_since, started_at, gives_plan_id, gives_plan_until)
select 'sub_books', 'books', 'cus_books', id, 'past_due', now() - interval '6 days', now(), id, now() + interval '1 day'
from public.plans where code = 'pro';
select billing.update_current_plans(array['books']);
select is(pg_temp.use(p_community => 'books') ->> 'plan', 'pro', 'consume_quota uses the plan of a past_due subscription within its grace period');
update public.subscriptions set past_due_since = now() - interval '8 days', gives_plan_until = now() - interval '1 day' where id = 'sub_books';
update public.communities set plan_until = now() - interval '1 day' where id = 'books';
select is(pg_temp.use(p_community => 'books') ->> 'plan', 'free', 'consume_quota uses the default plan after the grace period, without an event');
select is(billing.end_grace_periods(), 1, 'end_grace_periods stores the default plan as current plan after the grace period');
select is((select p.code from public.communities c join public.plans p on p.id = c.current_plan_id where c.id = 'books'),
  'free', 'the stored plan follows');

-- A clock that is set back.
select pg_temp.at('2026-07-10T12:00:00Z');
select is(pg_temp.outcome(2, p_community => 'chess'), 'consumed', 'consume_quota uses two units for the test of the clock');
select pg_temp.at('2026-07-10T11:00:00Z');
select is(pg_temp.outcome(p_community => 'chess'), 'refused', 'consume_quota refuses after the clock was set back');

-- Batches.
select pg_temp.at('2026-07-20T00:00:00Z');
select is(billing.consume_quota_batch('garden', 'ann', '[
  {"feature": "export", "quantity": 1, "idempotency_key": "b1"},
  {"feature": "ai_chat_message", "quantity": 100},
  {"feature": "export", "quantity": 2}]') - 'plan' ->> 'index', '2', 'consume_quota_batch answers with the index of the refused use');
select is((select count(*)::int from public.usage_events where occurred_at = '2026-07-20T00:00:00Z'), 0, 'a refused batch records no usage event');
select is(jsonb_path_query_array(billing.consume_quota_batch('garden', 'ann', '[
  {"feature": "export", "quantity": 1, "idempotency_key": "b1"},
  {"feature": "ai_chat_message", "quantity": 100},
  {"feature": "export", "quantity": 1, "idempotency_key": "b1"}]'), '$.uses[*].outcome'),
  '["consumed", "consumed", "repeated"]', 'consume_quota_batch records all uses and answers in the order given');
select is(billing.consume_quota_batch('garden', 'ann', '[]') ->> 'outcome', 'consumed', 'consume_quota_batch allows an empty batch');
select is(billing.consume_quota_batch('nobody', 'ann', '[]') ->> 'outcome', 'unknown_community', 'consume_quota_batch answers unknown_community');

-- Resource limits.
create function pg_temp.take(p_resource text, p_lease interval default null) returns text language sql as $$
  select billing.acquire_resource('garden', 'active_wizard', p_resource, 'ann', p_lease) ->> 'outcome'
$$;
select is(pg_temp.take('w1', '1 minute'), 'acquired', 'acquire_resource acquires a resource within the quota');
select is(pg_temp.take('w1', '1 minute'), 'held', 'acquire_resource answers held for a resource that is held');
select is(billing.acquire_resource('garden', 'active_wizard', 'w2', 'ann'), '{"outcome": "refused", "plan": "free",
  "window_seconds": 0, "period": "rolling", "quota": 1, "used": 1, "resets_at": null, "retry_after_seconds": null,
  "upgrade_plan": "pro"}', 'acquire_resource refuses the second resource when the quota is 1');
select is(billing.release_resource('garden', 'active_wizard', 'w1'), true, 'release_resource releases a held resource');
select is(billing.release_resource('garden', 'active_wizard', 'w1'), false, 'release_resource answers false for a resource that is not held');
select is(pg_temp.take('w2', '1 minute'), 'acquired', 'acquire_resource acquires another resource after the release');
select pg_temp.at('2026-07-20T00:01:00Z');
select is(pg_temp.take('w3'), 'acquired', 'acquire_resource acquires a resource after the lease of another has ended');
select is(billing.acquire_resource('garden', 'export', 'e1', 'ann') ->> 'outcome', 'no_limit', 'acquire_resource answers no_limit for a feature without a resource limit');
select is(billing.acquire_resource('garden', 'nothing', 'e1', 'ann') ->> 'outcome', 'unknown_feature', 'acquire_resource answers unknown_feature');
select is(billing.acquire_resource('nobody', 'active_wizard', 'e1', 'ann') ->> 'outcome', 'unknown_community', 'acquire_resource answers unknown_community');

select is_empty('select * from billing.check_usage_counters()', 'check_usage_counters finds no difference after all of this');

-- Resolutions.
insert into public.plan_limits (plan_id, feature, quota_window, quota)
select p.id, 'orphan', make_interval(secs => s), 1 from public.plans p, unnest(array[10, 11, 49, 50, 99, 100, 499, 500, 999, 1000,
  5999, 6000, 29999, 30000, 59999, 60000, 359999, 360000, 604800, 1079999, 1080000, 2159999, 2160000, 2592000, 4319999,
  4320000, 8639999, 8640000, 366 * 86400]) s where p.code = 'pro';
select is_empty($$
  select quota_window, resolution from public.plan_limits where feature = 'orphan'
    and (resolution * 100 > quota_window or quota_window / 600 > resolution
      or quota_window > billing.counting_horizon(resolution) or extract(epoch from interval '1 day')::numeric %
        extract(epoch from resolution) <> 0) $$,
  'a window has 100 to 600 buckets, whose length divides a day and which are kept as long as the window');
prepare limit_of(interval, text) as insert into public.plan_limits (plan_id, feature, quota_window, period, quota)
  select id, 'orphan', $1, $2, 1 from public.plans where code = 'free';
select throws_ok($$ execute limit_of('9 seconds', 'rolling') $$, '23514', null, 'plan_limits refuses a window below 10 seconds');
select throws_ok($$ execute limit_of('367 days', 'rolling') $$, '23514', null, 'plan_limits refuses a window above 366 days');
select throws_ok($$ execute limit_of('10.5 seconds', 'rolling') $$, '23514', null, 'plan_limits refuses a fraction of a second');
select throws_ok($$ execute limit_of('1 month', 'rolling') $$, '23514', null, 'plan_limits refuses a rolling window of a month');
select throws_ok($$ execute limit_of('30 days', 'calendar_month') $$, '23514', null, 'plan_limits refuses a calendar month of 30 days');

select * from finish();
rollback;
