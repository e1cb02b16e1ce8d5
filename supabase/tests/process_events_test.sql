-- billing.process_events and billing.apply_answer with events in different orders and repetitions. now() does not change within
-- this transaction.
begin;
select plan(103);

update public.plans set stripe_price_id = 'price_old' where code = 'pro';
update public.plans set stripe_price_id = 'price_pro' where code = 'pro';
insert into public.plans (code, name, rank, price_cents, currency, billing_interval, stripe_price_id)
values ('basic', 'Basic', 5, 900, 'usd', 'month', 'price_basic');
insert into public.communities (id, title, current_plan_id)
select v.id, v.id, p.id from public.plans p, (values ('garden'), ('chess'), ('books')) as v(id) where p.is_default;
select billing.link_customer('garden', 'cus_garden');
select billing.link_customer('books', 'cus_books');

create function pg_temp.item(p_price text, p_more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object('id', 'si_' || p_price, 'price_id', p_price, 'product_id', 'prod', 'quantity', 1, 'unit_amount', 2900,
    'currency', 'usd', 'interval', 'month', 'interval_count', 1, 'usage_type', 'licensed') || p_more
$$;
-- A subscription's state with these prices.
create function pg_temp.state(p_status text, p_more jsonb default '{}', p_prices text[] default '{price_pro}') returns jsonb
  language sql as $$
  select jsonb_build_object('id', 'sub_1', 'status', p_status, 'started_at', '2026-01-01T00:00:00.000Z', 'discounts', '[]'::jsonb,
    'price_ids', p_prices, 'items', (select jsonb_agg(pg_temp.item(x.p)) from unnest(p_prices) x(p))) || p_more
$$;
create function pg_temp.invoice(p_status text, p_more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object('id', 'in_1', 'status', p_status, 'subtotal_cents', 2900, 'discount_cents', 0, 'tax_cents', 0,
    'total_cents', 2900, 'amount_due_cents', 2900, 'amount_paid_cents', 0, 'currency', 'usd', 'price_ids', '{}'::text[],
    'issued_at', '2026-01-01T00:00:00.000Z') || p_more
$$;
-- Delivers an event and returns its outcome.
create function pg_temp.deliver(
  p_id text, p_created bigint, p_event jsonb, p_customer text default 'cus_garden', p_replay boolean default false) returns text
  language sql as $$
  select billing.process_events(json_build_array(jsonb_build_object('id', p_id, 'type', 'a.type', 'created', p_created,
    'livemode', false, 'customer_id', p_customer, 'object_id', p_event #>> '{state,id}',
    'object_status', p_event #>> '{state,status}', 'state_hash', md5(p_event ->> 'state'), 'payload', '{"id": 1}'::jsonb)
    || p_event), p_replay) -> 0 ->> 'outcome'
$$;
create function pg_temp.deliver_state(
  p_id text, p_created bigint, p_status text, p_more jsonb default '{}', p_customer text default 'cus_garden',
  p_prices text[] default '{price_pro}') returns text language sql as $$
  select pg_temp.deliver(p_id, p_created,
    jsonb_build_object('kind', 'subscription', 'state', pg_temp.state(p_status, p_more, p_prices)), p_customer)
$$;
create function pg_temp.deliver_invoice(
  p_id text, p_created bigint, p_status text, p_more jsonb default '{}', p_customer text default 'cus_garden') returns text
  language sql as $$
  select pg_temp.deliver(p_id, p_created,
    jsonb_build_object('kind', 'invoice', 'state', pg_temp.invoice(p_status, p_more)), p_customer)
$$;
-- An answer of Stripe's about a subscription.
create function pg_temp.answer(
  p_state jsonb, p_version bigint, p_customer text default 'cus_garden', p_fetched_at timestamptz default to_timestamp(1010),
  p_id text default 'sub_1') returns text language sql as $$
  select billing.apply_answer('subscription', p_id, p_customer, p_state::json, md5(p_state::text), p_fetched_at,
    clock_timestamp(), p_version) ->> 'outcome'
$$;
create function pg_temp.version() returns bigint language sql as $$ select version from public.subscriptions where id = 'sub_1' $$;
create function pg_temp.status() returns text language sql as $$ select status from public.subscriptions where id = 'sub_1' $$;
create function pg_temp.invoice_status() returns text language sql as $$ select status from public.invoices where id = 'in_1' $$;
create function pg_temp.plan_of(p_community text) returns text language sql as $$
  select p.code from public.communities c
  cross join lateral public.plan_in_force(c.id, c.current_plan_id, c.plan_until) f
  join public.plans p on p.id = f.plan_id where c.id = p_community
$$;
create function pg_temp.stored_plan_of(p_community text) returns text language sql as $$
  select p.code from public.communities c join public.plans p on p.id = c.current_plan_id where c.id = p_community
$$;
create function pg_temp.outcome(p_id text) returns text language sql as $$
  select outcome from billing.stripe_events where id = p_id
$$;
create function pg_temp.open_anomalies() returns setof text language sql as $$
  select kind || ' ' || object_id from billing.anomalies where resolved_at is null
$$;
create function pg_temp.ago(p_ago interval) returns bigint language sql as $$ select extract(epoch from now() - p_ago)::bigint $$;

-- Newer, older and repeated events.
select is(pg_temp.deliver_state('evt_1', 1000, 'active'), 'applied', 'the first event of a subscription is applied');
select is(pg_temp.plan_of('garden'), 'pro', 'an active subscription sets the community''s plan');
select is(pg_temp.deliver_state('evt_1', 1000, 'active'), 'duplicate', 'an event with a known id is a duplicate');
select is((select deliveries from billing.stripe_events where id = 'evt_1'), 2, 'a duplicate counts as a delivery');
select is(pg_temp.deliver_state('evt_0', 900, 'incomplete'), 'stale', 'an older event is stale');
select is(pg_temp.status(), 'active', 'a stale event changes no state');
select is(pg_temp.deliver_state('evt_2', 1000, 'active'), 'applied', 'the same state in the same second is applied without asking Stripe');

-- Two states in one second: Stripe is asked.
select is(pg_temp.deliver_state('evt_3', 1000, 'past_due'), 'pending', 'another state in the same second is pending');
select is(pg_temp.status(), 'active', 'a pending event changes no state');
select is((select processed_at from billing.stripe_events where id = 'evt_3'), null, 'a pending event has no processed_at');
select isnt((select next_attempt_at from billing.stripe_events where id = 'evt_3'), null, 'a pending event has a next attempt');
select is(pg_temp.answer(pg_temp.state('active', '{"cancel_at": "2026-03-01T00:00:00.000Z"}'), pg_temp.version() - 1), 'changed',
  'an answer is not stored when the subscription was changed since Stripe was asked');
select is(pg_temp.outcome('evt_3'), 'pending', 'an answer that is not stored closes no event');
select is(pg_temp.answer(pg_temp.state('active', '{"cancel_at": "2026-03-01T00:00:00.000Z"}'), pg_temp.version()),
  'applied', 'an answer is stored');
select is((select cancel_at from public.subscriptions where id = 'sub_1'), '2026-03-01T00:00:00Z', 'an answer''s state is stored');
select is(pg_temp.outcome('evt_3'), 'applied', 'an answer closes the open events of its object');
select is(pg_temp.answer(pg_temp.state('active', '{"cancel_at": "2026-03-01T00:00:00.000Z"}'), 0), 'applied',
  'an answer that says what is stored already is applied, whatever the version');
select is((select deliveries from billing.stripe_events where id = 'evt_3'), 1, 'an answer is no delivery');
select is(pg_temp.deliver_state('evt_4', 1005, 'past_due'), 'pending', 'an event from shortly before the answer is pending');
select is(pg_temp.deliver('evt_4b', 1006, '{"kind": "subscription", "object_id": "sub_1", "reason": "of another version"}'), 'pending',
  'an event without a state is pending');
select is(pg_temp.deliver('evt_4c', 900, '{"kind": "subscription", "object_id": "sub_1"}'), 'applied',
  'an event without a state from long before the last answer is applied');
select is(pg_temp.deliver_state('evt_5', 2000, 'past_due'), 'applied', 'an event well after the answer is applied');

-- Grace periods.
select is((select past_due_since from public.subscriptions where id = 'sub_1'), to_timestamp(2000), 'past_due_since is the time of the first failure after Stripe''s last answer');
select is(pg_temp.plan_of('garden'), 'free', 'the plan is free after the grace period');
select is(pg_temp.deliver_state('evt_6', pg_temp.ago('0'), 'past_due', '{"trial_end": null}'), 'applied', 'a later past_due event is applied');
select is((select past_due_since from public.subscriptions where id = 'sub_1'), to_timestamp(2000), 'past_due_since stays at the first failure');
select is(pg_temp.deliver_state('evt_b1', pg_temp.ago('20 days'), 'active', '{"id": "sub_b"}', 'cus_books'), 'applied', 'another subscription is active');
select is(pg_temp.deliver_state('evt_b2', pg_temp.ago('6 days'), 'past_due', '{"id": "sub_b"}', 'cus_books'), 'applied', 'its payment fails');
select is(pg_temp.plan_of('books'), 'pro', 'the plan stays within the grace period');
update public.plans set grace_period = '5 days' where code = 'pro';
select is(pg_temp.plan_of('books'), 'free', 'a shorter grace period counts at once');
update public.plans set grace_period = '7 days' where code = 'pro';
select is(pg_temp.plan_of('books'), 'pro', 'a longer grace period counts at once');
update public.communities set plan_until = now() - interval '1 second' where id = 'books';
update public.subscriptions set gives_plan_until = now() - interval '1 second', version = version + 1 where id = 'sub_b';
select is(pg_temp.plan_of('books'), 'free', 'the plan in force is free at the moment at which the grace period ends');
select is(pg_temp.stored_plan_of('books'), 'pro', 'the stored plan does not change by itself');
select is(billing.end_grace_periods(), 1, 'end_grace_periods stores the plans that ran out');
select is(pg_temp.stored_plan_of('books'), 'free', 'the stored plan is free then');

-- A change to a dearer plan that was never paid.
select is(pg_temp.deliver_state('evt_b3', pg_temp.ago('2 days'), 'active', '{"id": "sub_b"}', 'cus_books', '{price_basic}'), 'applied', 'a subscription to the cheaper plan is active');
select is(pg_temp.deliver_invoice('evt_b4', pg_temp.ago('2 days'), 'paid', '{"id": "in_b1", "subscription_id": "sub_b", "price_ids": ["price_basic"]}', 'cus_books'), 'applied', 'and paid');
select is(pg_temp.deliver_state('evt_b5', pg_temp.ago('1 day'), 'past_due', '{"id": "sub_b"}', 'cus_books', '{price_pro}'), 'applied', 'its change to the dearer plan fails');
select is(pg_temp.plan_of('books'), 'basic', 'a change that was never paid gives nothing, and takes nothing');
select is(pg_temp.deliver_invoice('evt_b6', pg_temp.ago('1 day'), 'paid', '{"id": "in_b2", "subscription_id": "sub_b", "price_ids": ["price_pro"], "issued_at": "2026-02-01T00:00:00Z"}', 'cus_books'), 'applied', 'the change is paid');
select is(pg_temp.plan_of('books'), 'pro', 'a paid invoice gives the plan that it bills, before the subscription''s event');
select is(pg_temp.deliver_state('evt_b7', pg_temp.ago('1 hour'), 'past_due', '{"id": "sub_b"}', 'cus_books', '{price_basic}'), 'applied', 'a change to the cheaper plan fails');
select is(pg_temp.plan_of('books'), 'basic', 'no more is given than is sold now');

-- The end of a subscription.
select is(pg_temp.deliver_state('evt_7', 3000, 'canceled'), 'applied', 'an end is applied also when its event is older than the state');
select is(pg_temp.plan_of('garden'), 'free', 'an end sets the free plan');
select is(pg_temp.deliver_state('evt_8', 3000000000, 'active'), 'stale', 'no event after an end is applied');

-- Several items, several subscriptions, and prices.
select is(pg_temp.deliver_state('evt_20', 100, 'active', '{"id": "sub_old"}', 'cus_garden', '{price_old}'), 'applied', 'a subscription at a former price of a plan is applied');
select is(pg_temp.plan_of('garden'), 'pro', 'a former price gives its plan');
select is(pg_temp.deliver_state('evt_21', 101, 'active', '{"id": "sub_old"}', 'cus_garden', '{price_addon,price_basic,price_old}'), 'applied',
  'a subscription with several items is applied');
select is((select stripe_price_id from public.subscriptions where id = 'sub_old'), 'price_old', 'of several plans'' prices the highest rank counts');
select is(pg_temp.deliver_state('evt_22', 100, 'active', '{"id": "sub_other"}', 'cus_garden', '{price_addon}'), 'applied', 'a subscription to something else is applied');
select is((select plan_id from public.subscriptions where id = 'sub_other'), null, 'it sells no plan');
select is_empty('select pg_temp.open_anomalies()', 'it is no anomaly');
select is(pg_temp.deliver_state('evt_23', 200, 'canceled', '{"id": "sub_old"}', 'cus_garden', '{price_old}'), 'applied', 'the plan''s subscription ends');
select is(pg_temp.plan_of('garden'), 'free', 'a subscription to something else keeps no plan');
select is(pg_temp.deliver_state('evt_24', 100, 'active', '{"id": "sub_two"}'), 'applied', 'another subscription to the plan is applied');
select is(pg_temp.deliver_state('evt_25', 100, 'active', '{"id": "sub_three"}', 'cus_garden', '{price_basic}'), 'applied', 'and a third one');
select bag_eq('select pg_temp.open_anomalies()', array['several_subscriptions garden'], 'two subscriptions to plans are an anomaly');
select is(pg_temp.deliver_state('evt_26', 200, 'canceled', '{"id": "sub_three"}', 'cus_garden', '{price_basic}'), 'applied', 'one of them ends');
select is(pg_temp.plan_of('garden'), 'pro', 'the other one keeps the plan');
select is_empty('select pg_temp.open_anomalies()', 'the anomaly is resolved');

-- A price that no plan knows, on the subscription that had the plan.
select is(pg_temp.deliver_state('evt_27', pg_temp.ago('6 days'), 'active', '{"id": "sub_two"}', 'cus_garden', '{price_odd}'), 'applied', 'a change to an unknown price is applied');
select is(pg_temp.plan_of('garden'), 'pro', 'an unknown price keeps the plan for the grace period');
select bag_eq('select pg_temp.open_anomalies()', array['unknown_price sub_two'], 'an unknown price is an anomaly');
update public.plans set grace_period = '5 days' where code = 'pro';
select is(pg_temp.plan_of('garden'), 'free', 'an unknown price does not keep the plan for ever');
update public.plans set stripe_price_id = 'price_odd' where code = 'basic';
select is(pg_temp.plan_of('garden'), 'basic', 'a price that becomes a plan''s gives that plan at once');
select is_empty('select pg_temp.open_anomalies()', 'the anomaly unknown_price is resolved then');
delete from billing.plan_prices where stripe_price_id = 'price_odd';
select is((select former_plan_id from public.subscriptions where id = 'sub_two'), (select id from public.plans where code = 'basic'), 'a price that is taken from a plan keeps the plan for the grace period');
update public.plans set stripe_price_id = 'price_new', grace_period = '7 days' where code = 'basic';
select is(pg_temp.deliver_state('evt_28', pg_temp.ago('1 day'), 'active', '{"id": "sub_late"}', 'cus_books', '{price_odd}'), 'applied', 'a subscription at an unknown price is applied');
select is((select former_plan_id from public.subscriptions where id = 'sub_late'), null, 'it had no plan');
select is(pg_temp.deliver_invoice('evt_29', pg_temp.ago('3 days'), 'paid', '{"id": "in_late", "subscription_id": "sub_late", "price_ids": ["price_pro"]}', 'cus_books'), 'applied', 'an earlier invoice of it arrives late');
select is(pg_temp.plan_of('books'), 'pro', 'a paid invoice tells which plan a subscription had');

-- Invoices.
select is(pg_temp.deliver_invoice('evt_30', 1000, 'paid', '{"amount_paid_cents": 2900}'), 'applied', 'a paid invoice is applied');
select is(pg_temp.deliver_invoice('evt_31', 1000, 'open'), 'stale', 'an earlier stage in the same second is stale');
select is(pg_temp.deliver_invoice('evt_32', 2000, 'draft'), 'stale', 'an earlier stage is stale also with a later time');
select is(pg_temp.invoice_status(), 'paid', 'the invoice is still paid');
select is((select amount_paid_cents from public.invoices where id = 'in_1'), 2900::bigint, 'the paid amount is stored');
select is(pg_temp.deliver_invoice('evt_33', 1000, 'deleted', '{"id": "in_gone"}'), 'applied', 'a deleted draft that was never stored is applied');
select is(pg_temp.deliver_invoice('evt_34', 1000, 'draft', '{"id": "in_gone"}'), 'stale', 'a late event does not bring a deleted draft back');

-- Events of a customer that is not linked yet.
select is(pg_temp.deliver_state('evt_11', 1001, 'active', '{"id": "sub_3"}', 'cus_chess'), 'parked', 'an event of an unknown customer is parked');
select is((select payload::text from billing.stripe_events where id = 'evt_11'), null, 'of an unknown customer no payload is kept');
select is(pg_temp.deliver('evt_12', 1001, '{"kind": "checkout", "community_id": "chess"}', 'cus_chess'), 'applied', 'a checkout links the customer');
select is(pg_temp.outcome('evt_11'), 'pending', 'a parked event is pending when its customer is linked');
select is(jsonb_array_length(billing.claim_events_of('cus_chess')), 1, 'claim_events_of claims the open events of a customer');
select is(pg_temp.answer(pg_temp.state('active', '{"id": "sub_3"}'), 0, 'cus_chess', now(), 'sub_3'), 'applied', 'an answer about the object is stored');
select is(pg_temp.outcome('evt_11'), 'applied', 'it closes the parked event');
select is(pg_temp.plan_of('chess'), 'pro', 'it sets the plan');
select is(pg_temp.deliver('evt_13', 1002, '{"kind": "checkout", "community_id": "chess"}', 'cus_other'), 'ignored', 'a checkout of a second customer is ignored');

-- A customer deleted in Stripe, and a subscription that Stripe does not know.
select is(pg_temp.deliver('evt_40', 1003, '{"kind": "customer_deleted"}', 'cus_chess'), 'applied', 'customer_deleted is applied');
select is((select has_billing_account from public.communities where id = 'chess'), false, 'a deleted customer is unlinked');
select is(pg_temp.answer(null, (select version from public.subscriptions where id = 'sub_3'), 'cus_chess', now(), 'sub_3'), 'missing', 'a stored subscription that Stripe does not know is missing');
select is(pg_temp.plan_of('chess'), 'pro', 'a missing subscription keeps the plan for the grace period');
select is(pg_temp.deliver_state('evt_41', pg_temp.ago('0') + 100, 'canceled', '{"id": "sub_3"}', 'cus_chess'), 'applied', 'events of a deleted customer are applied');
select is(billing.link_customer('chess', 'cus_chess'), null, 'link_customer does not link a deleted customer');
select is(billing.link_customer('chess', 'cus_chess_2'), 'cus_chess_2', 'link_customer links another customer');

-- Events that are not understood, and attempts.
select is(pg_temp.deliver('evt_14', 1003, '{"kind": "unreadable", "reason": "odd"}'), 'failed', 'an unreadable event is failed');
update billing.stripe_events set attempts = 12 where id = 'evt_14';
select billing.note_failed_attempt(array['evt_14'], 'failed', 'still odd');
select is(pg_temp.outcome('evt_14'), 'given_up', 'an event is given up after the last attempt');
select is(pg_temp.deliver_state('evt_14', 4000, 'active', '{"id": "sub_5"}'), 'applied', 'it is applied when it is delivered and understood');
select is_empty($$ select from billing.anomalies where kind = 'unreadable_event' and resolved_at is null $$, 'its anomaly is resolved');
select is(pg_temp.deliver('evt_15', 4000, '{"kind": "refused", "reason": "of live mode", "state": null}'), 'refused', 'an event of another mode is refused');

-- Replays, and changes by hand.
select is(pg_temp.deliver('evt_14', 4000, jsonb_build_object('kind', 'subscription', 'state', pg_temp.state('active', '{"id": "sub_5"}'))),
  'duplicate', 'a processed event is not applied again by a delivery');
select is(pg_temp.deliver('evt_0', 900, jsonb_build_object('kind', 'subscription', 'state', pg_temp.state('incomplete')), 'cus_garden', true),
  'stale', 'a replay of a stale event is stale');
update public.subscriptions set status = 'unpaid' where id = 'sub_5';
select is((select state_hash from public.subscriptions where id = 'sub_5'), null, 'a row that was changed by hand is not taken for what Stripe said');

select * from finish();
rollback;
