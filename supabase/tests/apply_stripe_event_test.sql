-- billing.apply_stripe_event with events in different orders and repetitions. now() does not change within this transaction.
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
-- Delivers an event and returns its outcome.
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

-- Newer, older and repeated events.
select is(pg_temp.deliver_state('evt_1', 1000, 'active'), 'applied', 'the first event of a subscription is applied');
select is(pg_temp.plan_of('garden'), 'pro', 'an active subscription sets the community''s plan');
select is(pg_temp.deliver_state('evt_1', 1000, 'active'), 'duplicate', 'an event with a known id is a duplicate');
select is((select deliveries from billing.stripe_events where id = 'evt_1'), 2, 'a duplicate counts as a delivery');
select is(pg_temp.deliver_state('evt_0', 900, 'incomplete'), 'stale', 'an older event is stale');
select is(pg_temp.status(), 'active', 'a stale event changes no state');
select is(pg_temp.deliver_state('evt_2', 1000, 'active'), 'applied', 'the same state in the same second is applied without a fetch');

-- Two states in one second.
select is(pg_temp.deliver_state('evt_3', 1000, 'past_due'), 'pending', 'another state in the same second is pending');
select is(pg_temp.status(), 'active', 'a pending event changes no state');
select is((select processed_at from billing.stripe_events where id = 'evt_3'), null, 'a pending event has no processed_at');
select is(pg_temp.deliver_state('evt_3', 1000, 'active', '{"cancel_at": "2026-03-01T00:00:00.000Z"}', 'cus_garden', to_timestamp(1010)),
  'applied', 'a fetched state is applied');
select is((select cancel_at from public.subscriptions where id = 'sub_1'), '2026-03-01T00:00:00Z', 'a fetched state is stored');
select is((select deliveries from billing.stripe_events where id = 'evt_3'), 1, 'the second call with the fetched state is no delivery');
select is(pg_temp.deliver_state('evt_4', 1005, 'past_due'), 'pending',
  'an event from shortly before the fetch is pending');
select is(pg_temp.deliver_state('evt_5', 2000, 'past_due'), 'applied', 'an event well after the fetch is applied');

-- Grace periods.
select is((select past_due_since from public.subscriptions where id = 'sub_1'), to_timestamp(2000), 'past_due_since is the time of the first failure');
select is(pg_temp.plan_of('garden'), 'free', 'the plan is free after the grace period');
select is(pg_temp.deliver_state('evt_6', extract(epoch from now())::bigint, 'past_due', '{"trial_end": null}'), 'applied', 'a later past_due event is applied');
select is((select past_due_since from public.subscriptions where id = 'sub_1'), to_timestamp(2000), 'past_due_since stays at the first failure');
update public.subscriptions set past_due_since = now() - interval '6 days' where id = 'sub_1';
select billing.update_current_plan('garden');
select is(pg_temp.plan_of('garden'), 'pro', 'the plan stays within the grace period');

-- The end of a subscription.
select is(pg_temp.deliver_state('evt_7', 3000, 'canceled'), 'applied', 'an end is applied also when its event is older than the state');
select is(pg_temp.plan_of('garden'), 'free', 'an end sets the free plan');
select is(pg_temp.deliver_state('evt_8', 3000000000, 'active'), 'stale', 'no event after an end is applied');

-- Several subscriptions, and prices.
select is(pg_temp.deliver_state('evt_20', 100, 'active', '{"id": "sub_old", "stripe_price_id": "price_old"}'), 'applied', 'a subscription at a former price of a plan is applied');
select is(pg_temp.plan_of('garden'), 'pro', 'a former price gives its plan');
select is(pg_temp.deliver_state('evt_21', 100, 'active', '{"id": "sub_odd", "stripe_price_id": "price_odd"}'), 'applied',
  'a subscription at an unknown price is applied');
select is(pg_temp.plan_of('garden'), 'pro', 'an unknown price changes no plan');
select bag_eq('select pg_temp.open_anomalies()', array['several_subscriptions garden', 'unknown_price sub_odd'],
  'an unknown price and a second subscription are anomalies');
select is(pg_temp.deliver_state('evt_22', 200, 'canceled', '{"id": "sub_old", "stripe_price_id": "price_old"}'), 'applied',
  'the end of one of two subscriptions is applied');
select is(pg_temp.plan_of('garden'), 'pro', 'the other subscription keeps the plan');
select is(pg_temp.deliver_state('evt_23', 200, 'canceled', '{"id": "sub_odd", "stripe_price_id": "price_odd"}'), 'applied',
  'the end of the other subscription is applied');
select is(pg_temp.plan_of('garden'), 'free', 'the plan is free without a subscription');
select is_empty('select pg_temp.open_anomalies()', 'both anomalies are resolved');

-- Invoices.
select is(pg_temp.deliver_invoice('evt_30', 1000, 'paid', '{"amount_paid_cents": 2900}'), 'applied', 'a paid invoice is applied');
select is(pg_temp.deliver_invoice('evt_31', 1000, 'open'), 'stale', 'an earlier stage in the same second is stale');
select is(pg_temp.deliver_invoice('evt_32', 2000, 'draft'), 'stale', 'an earlier stage is stale also with a later time');
select is(pg_temp.invoice_status(), 'paid', 'the invoice is still paid');
select is((select amount_paid_cents from public.invoices where id = 'in_1'), 2900::bigint, 'the paid amount is stored');

-- Events of a customer that is not linked yet.
select is(pg_temp.deliver_state('evt_11', 1001, 'active', '{"id": "sub_3"}', 'cus_chess'), 'parked', 'an event of an unknown customer is parked');
select is(pg_temp.deliver_state('evt_10', 1000, 'incomplete', '{"id": "sub_3"}', 'cus_chess'), 'parked', 'an earlier event of it is parked, too');
select is(pg_temp.deliver('evt_12', 1001, '{"kind": "checkout", "community_id": "chess"}', 'cus_chess'), 'applied', 'a checkout links the customer');
select is((select status from public.subscriptions where id = 'sub_3'), 'active', 'parked events are applied in their order');
select is(pg_temp.plan_of('chess'), 'pro', 'parked events set the plan');
select is(pg_temp.deliver('evt_13', 1002, '{"kind": "checkout", "community_id": "chess"}', 'cus_other'), 'ignored',
  'a checkout of a second customer is ignored');

-- A customer deleted in Stripe.
select is(pg_temp.deliver('evt_40', 1003, '{"kind": "customer_deleted"}', 'cus_chess'), 'applied', 'customer_deleted is applied');
select is((select has_billing_account from public.communities where id = 'chess'), false, 'a deleted customer is unlinked');
select is(pg_temp.deliver_state('evt_41', 1003, 'canceled', '{"id": "sub_3"}', 'cus_chess'), 'applied', 'events of a deleted customer are applied');
select is(billing.link_customer('chess', 'cus_chess'), null, 'link_customer does not link a deleted customer');
select is(billing.link_customer('chess', 'cus_chess_2'), 'cus_chess_2', 'link_customer links another customer');

-- Events that are not understood.
select is(pg_temp.deliver('evt_14', 1003, '{"kind": "unreadable", "reason": "odd"}'), 'failed', 'an unreadable event is failed');
select is(pg_temp.deliver_state('evt_14', 4000, 'active', '{"id": "sub_5"}'), 'applied', 'a failed event is applied when it is delivered and understood');

-- Replays.
update public.subscriptions set status = 'unpaid' where id = 'sub_5';
select is(pg_temp.deliver('evt_14', 4000, jsonb_build_object('kind', 'subscription', 'state', pg_temp.state('active', '{"id": "sub_5"}'))),
  'duplicate', 'a processed event is not applied again by a delivery');
select is(pg_temp.deliver('evt_0', 900, jsonb_build_object('kind', 'subscription', 'state', pg_temp.state('incomplete')), 'cus_garden', null, true),
  'stale', 'a replay of a stale event is stale');

select * from finish();
rollback;
