-- billing_info: the plan in force, and what Stripe says about the plan's subscription.
begin;
select plan(25);

insert into public.plans (code, name, rank, price_cents, currency, billing_interval, stripe_price_id)
values ('team', 'Team', 50, 9900, 'usd', 'month', 'price_team');
update public.plans set price_cents = 4900, stripe_price_id = 'price_pro_new' where code = 'pro';
insert into public.communities (id, title, current_plan_id) select 'garden', 'Garden', id from public.plans where is_default;

create function pg_temp.plan_id(p_code text) returns bigint language sql as $$ select id from public.plans where code = p_code $$;
create function pg_temp.info(p_adm boolean default true) returns jsonb language plpgsql as $$
declare
  v_info jsonb;
begin
  perform set_config('request.jwt.claims', jsonb_build_object('cid', 'garden', 'adm', p_adm)::text, true);
  set local role authenticated;
  v_info := public.billing_info();
  reset role;
  return v_info;
end $$;
create function pg_temp.subscription() returns jsonb language sql as $$ select pg_temp.info() -> 'subscription' $$;
create function pg_temp.item(p_amount numeric, p_quantity bigint, p_interval text default 'month', p_count integer default 1,
  p_usage text default 'licensed') returns jsonb language sql as $$
  select jsonb_build_object('unit_amount', p_amount, 'quantity', p_quantity, 'interval', p_interval,
    'interval_count', p_count, 'usage_type', p_usage)
$$;

-- Subscribed to pro when it cost 19.00, for three seats, with an add-on, metered use and a yearly item.
insert into public.subscriptions (id, community_id, customer_id, plan_id, stripe_price_id, status, items, currency,
  quantity, unit_amount, billing_interval, interval_count, started_at, current_period_end, gives_plan_id, gives_plan_until)
select 'sub_1', 'garden', 'cus_1', pg_temp.plan_id('pro'), 'price_pro_old', 'active', jsonb_build_array(
    pg_temp.item(1900, 3), pg_temp.item(250.5, 2), pg_temp.item(0.25, null, p_usage => 'metered'), pg_temp.item(12000, 1, 'year')),
  'eur', 3, 1900, 'month', 1, '2027-01-01Z', '2027-02-01Z', pg_temp.plan_id('pro'), 'infinity';
select billing.update_current_plans(array['garden']);

select is(pg_temp.info() #>> '{plan,code}', 'pro', 'the plan is the plan in force');
select is(pg_temp.info() #>> '{plan,priceCents}', '4900', 'the plan has today''s price of the price list');
select is((pg_temp.subscription() ->> 'amount')::numeric, 6201::numeric, 'amount is what its licensed items of the plan''s interval cost together');
select is((pg_temp.subscription() ->> 'unitAmount')::numeric, 1900::numeric, 'unitAmount is the price that was subscribed to');
select is(pg_temp.subscription() - array['amount', 'unitAmount'], '{"status": "active", "planCode": "pro", "currentPeriodEnd": "2027-02-01T00:00:00+00:00",
  "cancelAt": null, "trialEnd": null, "paymentIssue": null, "pastDueSince": null, "graceEndsAt": null, "quantity": 3, "currency": "eur",
  "interval": "month", "intervalCount": 1, "discounts": [], "pausedCollection": null, "scheduledChange": null}',
  'the subscription has currency, interval and quantity as Stripe says');
update public.plans set price_cents = 1, currency = 'usd', billing_interval = 'year' where code = 'pro';
select is((pg_temp.subscription() ->> 'amount')::numeric, 6201::numeric, 'a change of the price list changes nothing of what is paid');

update public.subscriptions set items = jsonb_build_array(pg_temp.item(null, 3), pg_temp.item(100, 1)), unit_amount = null;
select is(pg_temp.subscription() -> 'amount', 'null', 'amount is null for a tiered price');
update public.subscriptions set items = jsonb_build_array(pg_temp.item(0.5, 3)), unit_amount = 0.5;
select is((pg_temp.subscription() ->> 'amount')::numeric, 1.5::numeric, 'amount may have decimals of the smallest unit');

update public.subscriptions set discounts = '[{"name": "Spring", "percent_off": 20, "amount_off": null, "currency": null, "ends_at": "2037-05-01T00:00:00Z"}]',
  pause_collection = '{"behavior": "void", "resumes_at": "2037-04-01T00:00:00Z"}',
  next_plan_id = pg_temp.plan_id('team'), next_change_at = '2037-06-01Z', schedule = '{}';
select is(pg_temp.subscription() -> 'discounts', '[{"name": "Spring", "percentOff": 20, "amountOff": null, "currency": null, "endsAt": "2037-05-01T00:00:00Z"}]', 'discounts');
select is(pg_temp.subscription() -> 'pausedCollection', '{"resumesAt": "2037-04-01T00:00:00Z"}', 'pausedCollection');
select is(pg_temp.subscription() -> 'scheduledChange', '{"at": "2037-06-01T00:00:00+00:00", "planCode": "team", "planName": "Team"}', 'scheduledChange');
update public.subscriptions set next_plan_id = null;
select is(pg_temp.subscription() #> '{scheduledChange,planCode}', 'null', 'scheduledChange without a plan');
select is(pg_temp.info() #>> '{plan,code}', 'pro', 'paused collection does not take the plan');
update public.subscriptions set discounts = jsonb_set(discounts, '{0,ends_at}', '"2020-01-01T00:00:00Z"'),
  pause_collection = '{"behavior": "void", "resumes_at": "2020-01-01T00:00:00Z"}', next_change_at = '2020-01-01Z';
select is(array[pg_temp.subscription() -> 'discounts', pg_temp.subscription() -> 'pausedCollection', pg_temp.subscription() -> 'scheduledChange'],
  array[jsonb '[]', 'null', 'null'], 'what is over is not told any more, whether or not Stripe has said so');

-- A newer subscription to something else.
insert into public.subscriptions (id, community_id, customer_id, status, started_at) values
  ('sub_other', 'garden', 'cus_1', 'active', '2027-03-01Z');
select is(pg_temp.subscription() ->> 'planCode', 'pro', 'a subscription to something else does not shadow the plan''s');
-- Newer ones that did not begin, or have ended.
insert into public.subscriptions (id, community_id, customer_id, plan_id, status, started_at, ended_at) values
  ('sub_incomplete', 'garden', 'cus_1', pg_temp.plan_id('team'), 'incomplete', '2027-03-01Z', null),
  ('sub_ended', 'garden', 'cus_1', pg_temp.plan_id('team'), 'canceled', '2027-03-02Z', '2027-03-03Z');
select is(pg_temp.subscription() ->> 'status', 'active', 'a live subscription comes before those that ended or never began');

-- Past due: the plan that was paid last, until a moment that no event announces.
update public.subscriptions set status = 'past_due', past_due_since = now() - interval '6 days', plan_id = pg_temp.plan_id('team'),
  gives_plan_id = pg_temp.plan_id('pro'), gives_plan_until = now() + interval '1 day' where id = 'sub_1';
select billing.update_current_plans(array['garden']);
select is(pg_temp.info() #>> '{plan,code}', 'pro', 'past due: the plan is the one that was paid for');
select is(pg_temp.subscription() ->> 'planCode', 'team', 'past due: planCode is what the subscription sells');
select is((pg_temp.subscription() ->> 'graceEndsAt')::timestamptz, now() + interval '1 day', 'past due: graceEndsAt is when the plan ends');
update public.subscriptions set gives_plan_until = now() - interval '1 second' where id = 'sub_1';
update public.communities set plan_until = now() - interval '1 second';
select is(pg_temp.info() #>> '{plan,code}', 'free', 'the page shows the end of grace at once, before anything stored it');
select is(pg_temp.info() #>> '{limits,0,quota}', (select quota::text from public.plan_limits l join public.plans p on p.id = l.plan_id
  where p.is_default and l.feature = pg_temp.info() #>> '{limits,0,feature}'), 'so do the limits');
select is(pg_temp.subscription() ->> 'status', 'past_due', 'the overdue subscription is still shown');

-- Its price became unknown: it is shown by the plan that it had.
update public.subscriptions set status = 'active', past_due_since = null, plan_id = null, former_plan_id = pg_temp.plan_id('pro'),
  plan_unknown_since = now(), gives_plan_id = pg_temp.plan_id('pro'), gives_plan_until = now() + interval '7 days' where id = 'sub_1';
select is(pg_temp.subscription() ->> 'planCode', 'pro', 'a subscription with an unknown price is shown by the plan that it had');
select is(pg_temp.subscription() -> 'graceEndsAt', 'null', 'graceEndsAt is for overdue payments only');
delete from public.subscriptions where id <> 'sub_other';
select is(pg_temp.subscription(), 'null', 'without a subscription to a plan there is none');

select * from finish();
rollback;
