-- Limits as a story. The clock of usage is replaced by one that stands where it is put.
begin;
select plan(73);

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
    'seconds_to_reset', 15 * 86400 + 12 * 3600))), 'a use is allowed, and every window says where it stands');
select is(pg_temp.outcome(3), 'refused', 'what does not fit whole is refused whole');
select is((select sum(quantity)::int from public.usage_events where community_id = 'garden'), 1, 'and leaves nothing behind');
select is(pg_temp.outcome(2), 'consumed', 'what fits exactly is allowed');
select pg_temp.at('2026-06-15T12:59:59Z');
select is(pg_temp.use() - '{upgrade_plan}'::text[], jsonb_build_object(
  'outcome', 'refused', 'plan', 'free', 'window_seconds', 3600, 'period', 'rolling',
  'quota', 3, 'used', 3, 'resets_at', timestamptz '2026-06-15T13:00:10Z', 'retry_after_seconds', 11),
  'a refusal names the limit, how far it is used and when there is room again');
select is(pg_temp.use() ->> 'upgrade_plan', 'pro', 'and the plan that lifts it');
select pg_temp.at('2026-06-15T13:00:09Z');
select is(pg_temp.outcome(), 'refused', 'units come back late by at most a hundredth of the window');
select pg_temp.at('2026-06-15T13:00:10Z');
select is(pg_temp.outcome(2), 'consumed', 'and not later than said');

-- A calendar month: 5 of 5 are used now.
select pg_temp.at('2026-06-30T23:59:59Z');
select is(pg_temp.use() ->> 'period', 'calendar_month', 'the month is full');
select is(pg_temp.use() ->> 'resets_at', '2026-07-01T00:00:00+00:00', 'until it ends, in UTC');
select is(pg_temp.use(6) ->> 'resets_at', null, 'more than the limit never fits');
select is(pg_temp.use(6) ->> 'retry_after_seconds', null, 'so waiting is not advised');
select pg_temp.at('2026-07-01T00:00:00Z');
select is(pg_temp.outcome(), 'consumed', 'on the first everything begins anew');
select is(pg_temp.use(5) ->> 'resets_at', null, 'more than the hour allows at any time');

-- Idempotency keys.
select pg_temp.at('2026-07-02T00:00:00Z');
create temp table first as select pg_temp.use(2, 'k1') as answer;
select is((select answer ->> 'outcome' from first), 'consumed', 'a key is counted');
select is(pg_temp.outcome(2, 'k1'), 'repeated', 'once');
select is(pg_temp.use(2, 'k1') -> 'usage_event', (select answer -> 'usage_event' from first), 'its repeat is the same use');
select is(pg_temp.use(2, 'k1') #>> '{limits,0,used}', '2', 'and adds nothing');
select is(pg_temp.outcome(1, 'k1'), 'key_reused', 'the same key for another quantity is a mistake');
select is(pg_temp.outcome(1, 'k1', 'chess'), 'consumed', 'another community''s key is another key');
select is(pg_temp.outcome(1, 'k2'), 'consumed', 'up to the limit');
select is(pg_temp.outcome(2, 'k1'), 'repeated', 'a repeat passes also when nothing is left');

-- Giving back.
select is(pg_temp.give_back((select answer from first), 1), 1::bigint, 'some of a use can be given back');
select is(pg_temp.outcome(2, 'k1'), 'repeated', 'and its key stays counted');
select is(pg_temp.give_back((select answer from first)), 1::bigint, 'then the rest');
select is(pg_temp.give_back((select answer from first)), 0::bigint, 'but nothing twice');
select is(pg_temp.outcome(2, 'k1'), 'consumed', 'a key given back whole can be used again, and so can its units');
select is(billing.release_quota('garden', 'export', -1, now()), 0::bigint, 'an unknown use gives nothing back');
select is(billing.release_quota('nobody', 'export', 1, now()), 0::bigint, 'nor does an unknown community');

-- What is not set up, and what is no quantity.
select is(pg_temp.outcome(p_community => 'nobody'), 'unknown_community', 'an unknown community');
select is(pg_temp.outcome(p_feature => 'nothing'), 'unknown_feature', 'an unknown feature');
select is(pg_temp.use(p_feature => 'orphan'), '{"outcome": "no_limit", "plan": "free"}', 'a feature without a limit on the plan');
select is(pg_temp.outcome(p_feature => 'active_wizard'), 'no_limit', 'a resource limit is none within a time window');
select throws_ok('select pg_temp.use(0)', '22023', 'a quantity is at least 1', 'zero is refused');
select throws_ok('select pg_temp.use(-1)', '22023', 'a quantity is at least 1', 'and less than zero');
select throws_ok('select pg_temp.use(null)', '22023', 'a quantity is at least 1', 'and nothing');
select is(pg_temp.use(9223372036854775807) ->> 'outcome', 'refused', 'the largest number there is is too many');
select is(pg_temp.use(9223372036854775807) ->> 'upgrade_plan', null, 'on every plan');
select is(billing.quota_faults('{export,orphan,nothing}', '{active_wizard,export}'), '[
  {"feature": "export", "plan": "free", "fault": "no_resource_limit"},
  {"feature": "export", "plan": "pro", "fault": "no_resource_limit"},
  {"feature": "nothing", "plan": null, "fault": "unknown_feature"},
  {"feature": "orphan", "plan": "free", "fault": "no_limit"},
  {"feature": "orphan", "plan": "pro", "fault": "no_limit"}]'::jsonb, 'what is missing is named by feature and plan');
select is(billing.quota_faults('{ai_chat_message}', '{active_wizard}'), '[]'::jsonb, 'the seed is complete');

-- Limits and plans that change.
select pg_temp.at('2026-07-03T00:00:00Z');
select is(pg_temp.outcome(3, p_community => 'books'), 'consumed', 'the free limit is used up');
update public.plan_limits set quota = 4 where feature = 'export' and quota_window = interval '1 hour'
  and plan_id = (select id from public.plans where code = 'free');
select is(pg_temp.outcome(p_community => 'books'), 'consumed', 'a higher limit holds at once');
update public.plan_limits set quota = 2 where feature = 'export' and quota_window = interval '1 hour'
  and plan_id = (select id from public.plans where code = 'free');
select is(pg_temp.use(p_community => 'books') ->> 'used', '4', 'and so does a lower one');
update public.communities set current_plan_id = (select id from public.plans where code = 'pro') where id = 'books';
select is(jsonb_path_query_array(pg_temp.use(p_community => 'books'), '$.limits[*].used'), '[5, 5]',
  'on another plan, its windows know what was used before it');
select is(pg_temp.use(46, p_community => 'books') ->> 'used', '5', 'and none of them forgets');
insert into public.plan_limits (plan_id, feature, quota_window, quota)
select id, 'export', interval '7 days', 5 from public.plans where code = 'pro';
select is(pg_temp.use(p_community => 'books') ->> 'window_seconds', '604800', 'a new window counts the past');
delete from public.plan_limits where quota_window = interval '7 days';

insert into public.subscriptions (id, community_id, plan_id, stripe_price_id, status, past_due_since, started_at)
select 'sub_books', 'books', id, 'price_pro', 'past_due', now() - interval '6 days', now() from public.plans where code = 'pro';
select is(pg_temp.use(p_community => 'books') ->> 'plan', 'pro', 'within its grace a past_due subscription keeps the plan');
update public.subscriptions set past_due_since = now() - interval '8 days' where id = 'sub_books';
select is(pg_temp.use(p_community => 'books') ->> 'plan', 'free', 'after that it does not, though no event says so');
select is((select p.code from public.communities c join public.plans p on p.id = c.current_plan_id where c.id = 'books'),
  'free', 'and everybody sees it');

-- Clocks that jump.
select pg_temp.at('2026-07-10T12:00:00Z');
select is(pg_temp.outcome(2, p_community => 'chess'), 'consumed', 'used up');
select pg_temp.at('2026-07-10T11:00:00Z');
select is(pg_temp.outcome(p_community => 'chess'), 'refused', 'a clock that goes back frees nothing');

-- Several at once.
select pg_temp.at('2026-07-20T00:00:00Z');
select is(billing.consume_quota_batch('garden', 'ann', '[
  {"feature": "export", "quantity": 1, "idempotency_key": "b1"},
  {"feature": "ai_chat_message", "quantity": 100},
  {"feature": "export", "quantity": 2}]') - 'plan' ->> 'index', '2', 'a batch says which of its uses does not fit');
select is((select count(*)::int from public.usage_events where occurred_at = '2026-07-20T00:00:00Z'), 0, 'and then nothing of it is used');
select is(jsonb_path_query_array(billing.consume_quota_batch('garden', 'ann', '[
  {"feature": "export", "quantity": 1, "idempotency_key": "b1"},
  {"feature": "ai_chat_message", "quantity": 100},
  {"feature": "export", "quantity": 1, "idempotency_key": "b1"}]'), '$.uses[*].outcome'),
  '["consumed", "consumed", "repeated"]', 'one that fits is used whole, and answered in its own order');
select is(billing.consume_quota_batch('garden', 'ann', '[]') ->> 'outcome', 'consumed', 'an empty one asks for nothing');
select is(billing.consume_quota_batch('nobody', 'ann', '[]') ->> 'outcome', 'unknown_community', 'for a community that is known');

-- So many at once.
create function pg_temp.take(p_resource text, p_lease interval default null) returns text language sql as $$
  select billing.acquire_resource('garden', 'active_wizard', p_resource, 'ann', p_lease) ->> 'outcome'
$$;
select is(pg_temp.take('w1', '1 minute'), 'acquired', 'one is allowed');
select is(pg_temp.take('w1', '1 minute'), 'held', 'taking it again is free');
select is(billing.acquire_resource('garden', 'active_wizard', 'w2', 'ann'), '{"outcome": "refused", "plan": "free",
  "window_seconds": 0, "period": "rolling", "quota": 1, "used": 1, "resets_at": null, "retry_after_seconds": null,
  "upgrade_plan": "pro"}', 'a second is refused');
select is(billing.release_resource('garden', 'active_wizard', 'w1'), true, 'it is given back');
select is(billing.release_resource('garden', 'active_wizard', 'w1'), false, 'once');
select is(pg_temp.take('w2', '1 minute'), 'acquired', 'and another can be taken');
select pg_temp.at('2026-07-20T00:01:00Z');
select is(pg_temp.take('w3'), 'acquired', 'a lease that has run out gives back by itself');
select is(billing.acquire_resource('garden', 'export', 'e1', 'ann') ->> 'outcome', 'no_limit', 'a feature limited by time only is no resource');
select is(billing.acquire_resource('garden', 'nothing', 'e1', 'ann') ->> 'outcome', 'unknown_feature', 'nor is an unknown one');
select is(billing.acquire_resource('nobody', 'active_wizard', 'e1', 'ann') ->> 'outcome', 'unknown_community', 'for nobody');

select is_empty('select * from billing.check_usage_counters()', 'after all of this the counters agree with the events');

-- How finely is counted.
insert into public.plan_limits (plan_id, feature, quota_window, quota)
select p.id, 'orphan', make_interval(secs => s), 1 from public.plans p, unnest(array[10, 11, 49, 50, 99, 100, 499, 500, 999, 1000,
  5999, 6000, 29999, 30000, 59999, 60000, 359999, 360000, 604800, 1079999, 1080000, 2159999, 2160000, 2592000, 4319999,
  4320000, 8639999, 8640000, 366 * 86400]) s where p.code = 'pro';
select is_empty($$
  select quota_window, resolution from public.plan_limits where feature = 'orphan'
    and (resolution * 100 > quota_window or quota_window / 600 > resolution
      or quota_window > billing.counting_horizon(resolution) or extract(epoch from interval '1 day')::numeric %
        extract(epoch from resolution) <> 0) $$,
  'a window is 100 to 600 stretches, which divide a day and are kept as long as the window is');
prepare limit_of(interval, text) as insert into public.plan_limits (plan_id, feature, quota_window, period, quota)
  select id, 'orphan', $1, $2, 1 from public.plans where code = 'free';
select throws_ok($$ execute limit_of('9 seconds', 'rolling') $$, '23514', null, 'a window is at least 10 seconds');
select throws_ok($$ execute limit_of('367 days', 'rolling') $$, '23514', null, 'and at most 366 days');
select throws_ok($$ execute limit_of('10.5 seconds', 'rolling') $$, '23514', null, 'of whole seconds');
select throws_ok($$ execute limit_of('1 month', 'rolling') $$, '23514', null, 'months are no length of time');
select throws_ok($$ execute limit_of('30 days', 'calendar_month') $$, '23514', null, 'and 30 days no month');

select * from finish();
rollback;
