-- The outbox of metered usage, with a clock that is set by the test.
begin;
select plan(44);

create or replace function billing.clock() returns timestamptz
  language plpgsql volatile set search_path = ''
as $$ begin return current_setting('test.now')::timestamptz; end $$;
create function pg_temp.at(p_now timestamptz) returns void language sql as $$
  select set_config('test.now', p_now::text, true);
$$;
select pg_temp.at('2026-06-15T10:05:00Z');

insert into public.features (code, name, unit, meter_event_name) values
  ('image', 'Images', 'image', 'dues_image'), ('minute', 'Minutes', 'minute', 'dues_minute');
insert into public.plan_limits (plan_id, feature, quota_window, quota)
select id, f, interval '30 days', 1000000 from public.plans, unnest(array['image', 'minute']) as f;
insert into public.communities (id, title, current_plan_id, stripe_customer_id)
select v.id, v.id, p.id, v.customer
from (values ('garden', 'pro', 'cus_garden'), ('chess', 'pro', 'cus_chess'), ('books', 'free', 'cus_books'), ('gift', 'pro', null))
  as v(id, plan, customer) join public.plans p on p.code = v.plan;

create function pg_temp.use(p_quantity bigint, p_community text default 'garden', p_feature text default 'image') returns jsonb
language sql as $$ select billing.consume_quota(p_community, p_feature, p_quantity, 'ann') -> 'usage_event' $$;
create function pg_temp.give_back(p_event jsonb, p_quantity bigint default null) returns bigint language sql as $$
  select billing.release_quota('garden', 'image', (p_event ->> 'id')::bigint, (p_event ->> 'occurred_at')::timestamptz, p_quantity)
$$;
create function pg_temp.reports() returns setof text language sql as $$
  select format('%s %s.%s %s %s', feature, to_char(hour at time zone 'UTC', 'HH24'), part, quantity, state)
  from billing.usage_reports where community_id = 'garden' order by feature, hour, part
$$;
create temp table claims (claim jsonb);
-- Claims what is due now, as "customer feature quantity".
create function pg_temp.claim() returns setof text language sql volatile as $$
  with claimed as (
    insert into claims select jsonb_array_elements(billing.claim_usage_reports(10)) returning claim
  )
  select format('%s %s %s', claim ->> 'stripe_customer_id', claim ->> 'feature', claim ->> 'quantity') from claimed
$$;
-- Records the outcome of the last claim of customer cus_garden.
create function pg_temp.finish(p_outcome text, p_error text default null) returns text language sql volatile as $$
  select billing.record_usage_report_outcome(claim ->> 'identifier', (claim ->> 'claim_id')::uuid, p_outcome, p_error, '10 minutes')
  from claims where claim ->> 'stripe_customer_id' = 'cus_garden' order by ctid desc limit 1
$$;

-- Who is billed, and when.
select pg_temp.use(5);
select pg_temp.use(7);
select pg_temp.use(3, 'books');
select pg_temp.use(3, 'gift');
select results_eq('select pg_temp.reports()', array['image 10.0 12 open'], 'consume_quota adds all use of an hour to one report');
select is_empty($$ select 1 from billing.usage_reports where community_id <> 'garden' $$,
  'consume_quota makes reports only for paid plans with a Stripe customer');
select matches((select identifier from billing.usage_reports), '^dues_[0-9a-f]{64}$', 'the identifier of a report is dues_ and a SHA-256');
select is_empty('select pg_temp.claim()', 'claim_usage_reports skips a report of the current hour');
select pg_temp.at('2026-06-15T10:59:59.9Z');
select is_empty('select pg_temp.claim()', 'claim_usage_reports skips a report shortly before its hour ends');

-- One report at a time for each customer and meter.
select pg_temp.at('2026-06-15T11:00:00Z');
select pg_temp.use(1);
select pg_temp.use(2, 'chess');
select pg_temp.at('2026-06-15T12:00:00Z');
select pg_temp.use(60, p_feature => 'minute');
select pg_temp.at('2026-06-15T13:30:00Z');
select bag_eq('select pg_temp.claim()', array['cus_garden image 12', 'cus_garden minute 60', 'cus_chess image 2'],
  'claim_usage_reports claims one report for each customer and meter, the longest due first');
select is((select claim - 'claim_id' - 'identifier' from claims where claim ->> 'quantity' = '12'), jsonb_build_object(
  'stripe_customer_id', 'cus_garden', 'meter_event_name', 'dues_image', 'quantity', 12, 'attempts', 1,
  'used_at', extract(epoch from timestamptz '2026-06-15T10:05:00Z')::bigint, 'community_id', 'garden', 'feature', 'image'),
  'a claim has everything that a meter event needs');
select is_empty('select pg_temp.claim()', 'claim_usage_reports skips a queue that is claimed');
create temp table image_claim as select claim from claims where claim ->> 'quantity' = '12';
create function pg_temp.finish_image(p_outcome text) returns text language sql volatile as $$
  select billing.record_usage_report_outcome(claim ->> 'identifier', (claim ->> 'claim_id')::uuid, p_outcome) from image_claim
$$;
select is(pg_temp.finish_image('sent'), 'sent', 'record_usage_report_outcome sent sets the state sent');
select results_eq('select pg_temp.claim()', array['cus_garden image 1'], 'claim_usage_reports claims the next report of the queue after the outcome');

-- A worker that dies, and one that answers after its lease.
select pg_temp.at('2026-06-15T13:31:59Z');
select is_empty('select pg_temp.claim()', 'claim_usage_reports skips a report before its lease ends');
select pg_temp.at('2026-06-15T13:32:00Z');
select bag_eq('select pg_temp.claim()', array['cus_garden image 1', 'cus_garden minute 60', 'cus_chess image 2'],
  'claim_usage_reports claims the same reports after their lease');
select is((select count(distinct claim ->> 'identifier')::int from claims where claim ->> 'feature' = 'minute'), 1,
  'a report that is claimed again keeps its identifier');
select is((select billing.record_usage_report_outcome(claim ->> 'identifier', (claim ->> 'claim_id')::uuid, 'sent')
  from claims where claim ->> 'feature' = 'minute' order by ctid limit 1), 'sent', 'record_usage_report_outcome accepts sent from an expired claim');
select is((select claimed_until is null from billing.usage_queues where meter_event_name = 'dues_minute'), false,
  'an expired claim does not free the queue of the current claim');
select is((select billing.record_usage_report_outcome(claim ->> 'identifier', (claim ->> 'claim_id')::uuid, 'retry', 'timeout')
  from claims where claim ->> 'feature' = 'minute' order by ctid desc limit 1), 'sent', 'record_usage_report_outcome retry leaves a sent report sent');
select is((select claimed_until from billing.usage_queues where meter_event_name = 'dues_minute'), null, 'record_usage_report_outcome frees the queue of its claim');

-- Retries and refusals.
select is((select pg_temp.finish('retry', 'rate limit')), 'claimed', 'record_usage_report_outcome retry leaves the state claimed');
select is((select error from billing.usage_reports where state = 'claimed' and attempts = 2 and community_id = 'garden'), 'rate limit', 'record_usage_report_outcome retry stores the error');
select is_empty($$ select * from pg_temp.claim() as c where c like 'cus_garden%' $$, 'claim_usage_reports skips a report before its retry is due');
select pg_temp.at('2026-06-15T13:42:00Z');
select isnt_empty($$ select * from pg_temp.claim() as c where c = 'cus_garden image 1' $$, 'claim_usage_reports claims a report when its retry is due');
select is((select pg_temp.finish('refused', 'no such customer')), 'refused', 'record_usage_report_outcome refused sets the state refused');
select is_empty($$ select * from pg_temp.claim() as c where c like 'cus_garden%' $$, 'claim_usage_reports skips refused reports');
select is((select pg_temp.finish_image('refused')), 'refused', 'record_usage_report_outcome refused applies to a sent report');
select is((select pg_temp.finish_image('sent')), 'refused', 'record_usage_report_outcome sent leaves a refused report refused');
select is(billing.record_usage_report_outcome('dues_nothing', null, 'sent'), null, 'record_usage_report_outcome answers null for an unknown report');
select throws_ok($$ select billing.record_usage_report_outcome('x', null, 'lost') $$, '22023', null, 'record_usage_report_outcome raises 22023 for an unknown outcome');

-- A claimed report is frozen.
select pg_temp.at('2026-06-15T14:10:00Z');
create temp table late as select pg_temp.use(10) as event;
update billing.usage_reports set closes_at = '2026-06-15T14:20:00Z', due_at = '2026-06-15T14:20:00Z' where state = 'open' and part = 0 and community_id = 'garden';
select pg_temp.at('2026-06-15T14:20:00Z');
select isnt_empty($$ select * from pg_temp.claim() as c where c = 'cus_garden image 10' $$, 'claim_usage_reports claims a report that closed early');
select pg_temp.use(1);
select results_eq($$ select r from pg_temp.reports() r where r like 'image 14%' $$, array['image 14.0 10 claimed', 'image 14.1 1 open'],
  'use after a claim in the same hour goes into another part');

-- Giving back.
select is(pg_temp.give_back((select event from late), 4), 4::bigint, 'release_quota gives back units of a claimed report');
select results_eq($$ select r from pg_temp.reports() r where r like 'image 14%' $$, array['image 14.0 10 claimed', 'image 14.1 -3 open'],
  'units of a claimed report are taken from the open report');
select pg_temp.at('2026-06-15T15:30:00Z');
select is_empty($$ select * from pg_temp.claim() as c where c like '%-3' $$, 'claim_usage_reports skips a negative report');
select pg_temp.use(5);
select results_eq($$ select r from pg_temp.reports() r where r like 'image 14.1%' or r like 'image 15%' $$,
  array['image 14.1 0 rolled_over', 'image 15.0 2 open'], 'a negative report is rolled over into the next report');
select is(pg_temp.give_back(pg_temp.use(2)), 2::bigint, 'release_quota gives back units of an open report');
select results_eq($$ select r from pg_temp.reports() r where r like 'image 15%' $$, array['image 15.0 2 open'], 'units of an open report are taken from it');
select is((select sum(quantity)::bigint from billing.usage_reports where community_id = 'garden' and feature = 'image'),
  (select sum(quantity - released_quantity)::bigint from public.usage_events where community_id = 'garden' and feature = 'image'),
  'the reports add up to the use');

-- The end of a billing period within an hour.
insert into public.subscriptions (id, community_id, customer_id, stripe_price_id, status, current_period_start, current_period_end, started_at)
values ('sub_chess', 'chess', 'cus_chess', 'price_pro', 'active', '2026-05-20T16:40:00Z', '2026-06-20T16:40:00Z', '2026-05-20T16:40:00Z');
select pg_temp.at('2026-06-20T16:39:59Z');
select pg_temp.use(3, 'chess');
select is((select closes_at from billing.usage_reports where community_id = 'chess' and part = 0 and hour = '2026-06-20T16:00:00Z'),
  '2026-06-20T16:40:00Z', 'a report closes at the end of its billing period');
select pg_temp.at('2026-06-20T16:40:00Z');
select pg_temp.use(4, 'chess');
select results_eq($$ select part, quantity, first_used_at from billing.usage_reports where community_id = 'chess' and hour = '2026-06-20T16:00:00Z' order by part $$,
  $$ values (0, 3::bigint, timestamptz '2026-06-20T16:39:59Z'), (1, 4, '2026-06-20T16:40:00Z') $$,
  'each part has a first_used_at within its own billing period');
select isnt_empty($$ select * from pg_temp.claim() as c where c = 'cus_chess image 2' $$, 'claim_usage_reports claims the oldest report of a queue first');
select is((select billing.record_usage_report_outcome(claim ->> 'identifier', (claim ->> 'claim_id')::uuid, 'given_up', 'too old')
  from claims where claim ->> 'stripe_customer_id' = 'cus_chess' order by ctid desc limit 1), 'given_up', 'record_usage_report_outcome given_up sets the state given_up');
select results_eq($$ select c from pg_temp.claim() c where c like 'cus_chess%' $$, array['cus_chess image 3'],
  'claim_usage_reports claims the last report of a period before the hour ends');

-- What the operator sees.
select pg_temp.at(now());
select pg_temp.use(7, 'chess', 'minute');
set local role service_role;
select results_eq($$ select state, reports::int, quantity::int from public.usage_reports_overview where meter_event_name = 'dues_minute' order by state desc $$,
  $$ values ('sent', 1, 60), ('open', 1, 7) $$, 'usage_reports_overview counts reports by meter and state');
select results_eq($$ select community_id, quantity, state, error from public.unsent_usage_reports where state in ('refused', 'given_up') $$,
  $$ values ('garden', 12::bigint, 'refused', null), ('garden', 1, 'refused', 'no such customer'), ('chess', 2, 'given_up', 'too old') $$,
  'unsent_usage_reports lists refused and given up reports');
select is((select used from public.usage_overview where community_id = 'chess' and feature = 'minute'), 7::bigint,
  'usage_overview has the use of each limit');
reset role;

select * from finish();
rollback;
