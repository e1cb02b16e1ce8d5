-- Orders and repetitions of Stripe's events, one by one. now() stands still within this transaction.
begin;
select plan(53);

update public.plans set stripe_price_id = 'price_old' where code = 'pro';
update public.plans set stripe_price_id = 'price_pro' where code = 'pro';
insert into public.communities (id, title, current_plan_id)
select v.id, v.id, p.id from public.plans p, (values ('garden'), ('chess')) as v(id) where p.is_default;
select billing.link_customer('garden', 'cus_garden');

create function pg_temp.state(p_status text, p_more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object('id', 'sub_1', 'stripe_price_id', 'price_pro', 'status', p_status,
    'started_at', '2026-01-01T00:00:00.000Z') || p_more
$$;
create function pg_temp.invoice(p_status text, p_more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object('id', 'in_1', 'status', p_status, 'amount_due_cents', 2900, 'amount_paid_cents', 0,
    'currency', 'usd', 'issued_at', '2026-01-01T00:00:00.000Z') || p_more
$$;
-- Delivers an event and says what came of it.
create function pg_temp.deliver(
  p_id text, p_created bigint, p_change jsonb, p_customer text default 'cus_garden', p_fetched_at timestamptz default null,
  p_replay boolean default false) returns text language sql as $$
  select billing.apply_stripe_event(
    jsonb_build_object('id', p_id, 'type', 'a.type', 'created', p_created, 'livemode', false,
      'customer_id', p_customer, 'object_id', p_change #>> '{state,id}'), p_change, '{}', p_fetched_at, p_replay) ->> 'outcome'
$$;
create function pg_temp.deliver_state(
  p_id text, p_created bigint, p_status text, p_more jsonb default '{}', p_customer text default 'cus_garden',
  p_fetched_at timestamptz default null) returns text language sql as $$
  select pg_temp.deliver(p_id, p_created,
    jsonb_build_object('kind', 'subscription', 'state', pg_temp.state(p_status, p_more)), p_customer, p_fetched_at)
$$;
create function pg_temp.deliver_invoice(p_id text, p_created bigint, p_status text, p_more jsonb default '{}') returns text
  language sql as $$
  select pg_temp.deliver(p_id, p_created, jsonb_build_object('kind', 'invoice', 'state', pg_temp.invoice(p_status, p_more)))
$$;
create function pg_temp.status() returns text language sql as $$ select status from public.subscriptions where id = 'sub_1' $$;
create function pg_temp.invoice_status() returns text language sql as $$ select status from public.invoices where id = 'in_1' $$;
create function pg_temp.plan_of(p_community text) returns text language sql as $$
  select p.code from public.communities c join public.plans p on p.id = c.current_plan_id where c.id = p_community
$$;
create function pg_temp.open_anomalies() returns setof text language sql as $$
  select kind || ' ' || object_id from billing.anomalies where resolved_at is null
$$;

-- Newer, older, again.
select is(pg_temp.deliver_state('evt_1', 1000, 'active'), 'applied', 'a first event is applied');
select is(pg_temp.plan_of('garden'), 'pro', 'and the community is on the plan');
select is(pg_temp.deliver_state('evt_1', 1000, 'active'), 'duplicate', 'the same event again is a duplicate');
select is((select deliveries from billing.stripe_events where id = 'evt_1'), 2, 'and counted');
select is(pg_temp.deliver_state('evt_0', 900, 'incomplete'), 'stale', 'an older one is stale');
select is(pg_temp.status(), 'active', 'and changes nothing');
select is(pg_temp.deliver_state('evt_2', 1000, 'active'), 'applied', 'the same state in the same second needs no asking');

-- Two states in one second.
select is(pg_temp.deliver_state('evt_3', 1000, 'past_due'), 'pending', 'another state in the same second cannot be ordered');
select is(pg_temp.status(), 'active', 'so nothing changes yet');
select is((select processed_at from billing.stripe_events where id = 'evt_3'), null, 'and the ledger says so');
select is(pg_temp.deliver_state('evt_3', 1000, 'active', '{"cancel_at": "2026-03-01T00:00:00.000Z"}', 'cus_garden', to_timestamp(1010)),
  'applied', 'what Stripe says when asked settles it');
select is((select cancel_at from public.subscriptions where id = 'sub_1'), '2026-03-01T00:00:00Z', 'and is stored');
select is((select deliveries from billing.stripe_events where id = 'evt_3'), 1, 'as one delivery');
select is(pg_temp.deliver_state('evt_4', 1005, 'past_due'), 'pending',
  'an event from before that answer may be older than it: ask again');
select is(pg_temp.deliver_state('evt_5', 2000, 'past_due'), 'applied', 'a clearly later one is newer');

-- Grace.
select is((select past_due_since from public.subscriptions where id = 'sub_1'), to_timestamp(2000), 'past due since then');
select is(pg_temp.plan_of('garden'), 'free', 'long past the grace period, the plan is gone');
select is(pg_temp.deliver_state('evt_6', extract(epoch from now())::bigint, 'past_due', '{"trial_end": null}'), 'applied', 'more news of it');
select is((select past_due_since from public.subscriptions where id = 'sub_1'), to_timestamp(2000), 'grace still runs from the first');
update public.subscriptions set past_due_since = now() - interval '6 days' where id = 'sub_1';
select billing.update_current_plan('garden');
select is(pg_temp.plan_of('garden'), 'pro', 'within the grace period the plan stays');

-- The end.
select is(pg_temp.deliver_state('evt_7', 3000, 'canceled'), 'applied', 'the end counts however late its news');
select is(pg_temp.plan_of('garden'), 'free', 'and ends the plan');
select is(pg_temp.deliver_state('evt_8', 3000000000, 'active'), 'stale', 'what has ended does not come back');

-- Several subscriptions, and prices.
select is(pg_temp.deliver_state('evt_20', 100, 'active', '{"id": "sub_old", "stripe_price_id": "price_old"}'), 'applied', 'a price of yesterday');
select is(pg_temp.plan_of('garden'), 'pro', 'still buys its plan');
select is(pg_temp.deliver_state('evt_21', 100, 'active', '{"id": "sub_odd", "stripe_price_id": "price_odd"}'), 'applied',
  'a price that no plan knows is stored');
select is(pg_temp.plan_of('garden'), 'pro', 'and changes no plan');
select bag_eq('select pg_temp.open_anomalies()', array['several_subscriptions garden', 'unknown_price sub_odd'],
  'but the operator hears of it, and of paying twice');
select is(pg_temp.deliver_state('evt_22', 200, 'canceled', '{"id": "sub_old", "stripe_price_id": "price_old"}'), 'applied',
  'one of the two ends');
select is(pg_temp.plan_of('garden'), 'pro', 'and the community that still pays keeps its plan');
select is(pg_temp.deliver_state('evt_23', 200, 'canceled', '{"id": "sub_odd", "stripe_price_id": "price_odd"}'), 'applied',
  'so does the other');
select is(pg_temp.plan_of('garden'), 'free', 'then it is over');
select is_empty('select pg_temp.open_anomalies()', 'and nothing is odd any more');

-- Invoices.
select is(pg_temp.deliver_invoice('evt_30', 1000, 'paid', '{"amount_paid_cents": 2900}'), 'applied', 'an invoice arrives paid');
select is(pg_temp.deliver_invoice('evt_31', 1000, 'open'), 'stale', 'that it was open in the same second is old news');
select is(pg_temp.deliver_invoice('evt_32', 2000, 'draft'), 'stale', 'and no clock makes it a draft again');
select is(pg_temp.invoice_status(), 'paid', 'it stays paid');
select is((select amount_paid_cents from public.invoices where id = 'in_1'), 2900::bigint, 'in full');

-- A customer not linked yet when its subscription is heard of.
select is(pg_temp.deliver_state('evt_11', 1001, 'active', '{"id": "sub_3"}', 'cus_chess'), 'parked', 'an unknown customer''s event is parked');
select is(pg_temp.deliver_state('evt_10', 1000, 'incomplete', '{"id": "sub_3"}', 'cus_chess'), 'parked', 'in whatever order');
select is(pg_temp.deliver('evt_12', 1001, '{"kind": "checkout", "community_id": "chess"}', 'cus_chess'), 'applied', 'the checkout links the customer');
select is((select status from public.subscriptions where id = 'sub_3'), 'active', 'and what was parked is applied in its order');
select is(pg_temp.plan_of('chess'), 'pro', 'with all that follows');
select is(pg_temp.deliver('evt_13', 1002, '{"kind": "checkout", "community_id": "chess"}', 'cus_other'), 'ignored',
  'a second customer does not take the first one''s place');

-- A customer deleted in Stripe.
select is(pg_temp.deliver('evt_40', 1003, '{"kind": "customer_deleted"}', 'cus_chess'), 'applied', 'a deleted customer is noticed');
select is((select has_billing_account from public.communities where id = 'chess'), false, 'and no longer the community''s');
select is(pg_temp.deliver_state('evt_41', 1003, 'canceled', '{"id": "sub_3"}', 'cus_chess'), 'applied', 'its last events still count');
select is(billing.link_customer('chess', 'cus_chess'), null, 'it is not linked again');
select is(billing.link_customer('chess', 'cus_chess_2'), 'cus_chess_2', 'but another may be');

-- What is not understood.
select is(pg_temp.deliver('evt_14', 1003, '{"kind": "unreadable", "reason": "odd"}'), 'failed', 'is kept for a person');
select is(pg_temp.deliver_state('evt_14', 4000, 'active', '{"id": "sub_5"}'), 'applied', 'and applied once it is');

-- Replays.
update public.subscriptions set status = 'unpaid' where id = 'sub_5';
select is(pg_temp.deliver('evt_14', 4000, jsonb_build_object('kind', 'subscription', 'state', pg_temp.state('active', '{"id": "sub_5"}'))),
  'duplicate', 'a settled event is not applied again by a delivery');
select is(pg_temp.deliver('evt_0', 900, jsonb_build_object('kind', 'subscription', 'state', pg_temp.state('incomplete')), 'cus_garden', null, true),
  'stale', 'a replay of an old event is as stale as it was');

select * from finish();
rollback;
