-- Row-level security with two communities: people of one see nothing of the other.
begin;
select plan(16);

insert into public.communities (id, title, current_plan_id, stripe_customer_id)
select v.id, v.title, p.id, v.customer from public.plans p,
  (values ('garden', 'Garden', 'cus_garden'), ('chess', 'Chess', 'cus_chess')) as v(id, title, customer)
where p.is_default;
insert into public.subscriptions (id, community_id, customer_id, plan_id, stripe_price_id, status, started_at)
select 'sub_' || c.id, c.id, 'cus_' || c.id, p.id, 'price_pro', 'active', now() from public.communities c, public.plans p where p.code = 'pro';
-- To something else than a plan.
insert into public.subscriptions (id, community_id, customer_id, status, started_at)
select 'sub_other_' || c.id, c.id, 'cus_' || c.id, 'active', now() from public.communities c;
insert into public.invoices (id, community_id, customer_id, number, status, amount_due_cents, amount_paid_cents, currency, issued_at)
select 'in_' || c.id, c.id, 'cus_' || c.id, 'N-' || c.id, 'paid', 2900, 2900, 'usd', now() from public.communities c;
insert into public.usage_events (community_id, user_id, feature, quantity)
select c.id, 'someone', 'ai_chat_message', 1 from public.communities c;

create function pg_temp.act_as(p_claims jsonb) returns void language sql as $$
  select set_config('request.jwt.claims', p_claims::text, true);
$$;

-- As an admin of the garden.
select pg_temp.act_as('{"role": "authenticated", "sub": "ann", "cid": "garden", "adm": true}');
set local role authenticated;
select results_eq('select id from public.communities', array['garden'], 'an admin sees only their own community');
select results_eq('select id from public.subscriptions', array['sub_garden'], 'an admin sees only its subscriptions, of them only those to a plan');
select results_eq('select id from public.invoices', array['in_garden'], 'an admin sees only its invoices');
select results_eq('select community_id from public.usage_events', array['garden'], 'an admin sees only its usage events');
select is(public.billing_info() #>> '{community,id}', 'garden', 'billing_info is about the caller''s community');
select is(jsonb_array_length(public.billing_info() -> 'invoices'), 1, 'billing_info has the invoices for an admin');
select throws_ok('select stripe_customer_id from public.communities', '42501', null, 'an admin may not read stripe_customer_id');
select throws_ok($$ update public.communities set current_plan_id = 2 $$, '42501', null, 'an admin may not update a community');
select throws_ok($$ insert into public.subscriptions (id) values ('sub_free_lunch') $$, '42501', null, 'an admin may not insert a subscription');
select throws_ok($$ select billing.link_customer('garden', 'cus_mine') $$, '42501', null, 'an admin may not call functions of schema billing');
reset role;

-- As a member of the chess club.
select pg_temp.act_as('{"role": "authenticated", "sub": "bob", "cid": "chess", "adm": false}');
set local role authenticated;
select results_eq('select id from public.communities', array['chess'], 'a member sees only their own community');
select is_empty('select id from public.invoices', 'a member sees no invoices');
select is(public.billing_info() -> 'invoices', '[]'::jsonb, 'billing_info has no invoices for a member');
reset role;

-- As somebody whose token names no community.
select pg_temp.act_as('{"role": "authenticated", "sub": "eve"}');
set local role authenticated;
select is_empty('select id from public.communities', 'a token without a community sees no community');
select is(public.billing_info(), null, 'billing_info is null for a token without a community');
reset role;

set local role anon;
select throws_ok('select id from public.communities', '42501', null, 'anon may not read communities');
reset role;

select * from finish();
rollback;
