-- The attempts at customers and checkouts, and the anomalies of refusals.
begin;
select plan(16);

insert into public.plans (code, name, rank, price_cents, currency, billing_interval, trial_days, stripe_price_id)
values ('gold', 'Gold', 90, 900, 'usd', 'month', 14, 'price_gold');
insert into public.communities (id, title, current_plan_id)
select c.id, c.id, p.id from unnest(array['garden', 'chess']) c (id), public.plans p where p.is_default;

-- the customer's attempts
select is(billing.checkout_context('garden', null) #>> '{community,customer_attempt}', '1', 'the first attempt at a customer is 1');
select is(billing.next_customer_attempt('garden', 1), 2::bigint, 'a spent attempt is followed by the next');
select is(billing.next_customer_attempt('garden', 1), 2::bigint, 'another caller that found the same attempt spent gets the same next one');
select is(billing.checkout_context('garden', null) #>> '{community,customer_attempt}', '2', 'later requests begin with that attempt');
select is(billing.checkout_context('chess', null) #>> '{community,customer_attempt}', '1', 'attempts of another community are its own');

-- the attempts of checkouts
select is(billing.begin_checkout('garden', 'pro') ->> 'attempt', '1', 'begin_checkout begins');
select is(billing.begin_checkout('garden', 'pro') ->> 'attempt', '1', 'the same purchase within a minute joins');
select is(billing.begin_checkout('garden', 'pro', null, 1) ->> 'attempt', '2', 'a spent key begins the next attempt');
select is(billing.begin_checkout('garden', 'pro', null, 1) ->> 'attempt', '2', 'another caller that found the same key spent joins it');
select is(billing.finish_checkout('garden', 1, 'cs_1'), false, 'finish_checkout says that the attempt was overtaken');
select is(billing.finish_checkout('garden', 2, 'cs_2'), true, 'finish_checkout stores the session of the present attempt');
select is(billing.begin_checkout('garden', 'pro', 'cs_2') ->> 'attempt', '3', 'a spent session begins the next attempt');

-- refusals
select billing.report_refusal('stripe_refused', 'portal', 'portal_not_configured', 'account', 'garden', '{}', 'no portal');
select billing.report_refusal('stripe_refused', 'checkout', 'currency_conflict', 'community', 'garden', '{price_gold}', 'two currencies');
select billing.report_refusal('stripe_refused', 'checkout', 'price_missing', 'price', 'garden', '{price_gold}', 'no price');
select billing.report_refusal('price_archived', 'checkout', 'price_archived', 'price', 'garden', '{price_gold}', 'archived');
create function pg_temp.open_refusals() returns text language sql as $$
  select string_agg(object_id, ', ' order by object_id) from billing.anomalies where resolved_at is null $$;
select is(pg_temp.open_refusals(),
  'checkout: currency_conflict: garden, checkout: price_missing: price_gold, portal: portal_not_configured, price_gold',
  'an anomaly names what was asked, the code, and whom it concerns');
select billing.resolve_refusals('checkout', 'chess', '{price_other}');
select is(pg_temp.open_refusals(),
  'checkout: currency_conflict: garden, checkout: price_missing: price_gold, portal: portal_not_configured, price_gold',
  'a checkout of another community at another price closes none of them');
select billing.resolve_refusals('checkout', 'chess', '{price_gold}');
select is(pg_temp.open_refusals(), 'checkout: currency_conflict: garden, portal: portal_not_configured',
  'a checkout at the same price closes what concerns the price');
select billing.resolve_refusals('checkout', 'garden', '{price_gold}');
select billing.resolve_refusals('portal', 'chess', '{}');
select is(pg_temp.open_refusals(), null, 'the rest closes with a checkout of the community, and anybody''s portal');

select * from finish();
rollback;
