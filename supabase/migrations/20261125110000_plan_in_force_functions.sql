-- Which plan a community has, from its subscriptions.

create function billing.is_live(p_status text) returns boolean
  language sql immutable security invoker set search_path = ''
as $$ select p_status in ('trialing', 'active', 'past_due', 'unpaid', 'paused') $$;
comment on function billing.is_live(text) is 'Whether a subscription of this status goes on: its community pays, or may pay again, and gets no second checkout.';

create function billing.plan_in_force(p_community_id text) returns bigint
  language sql stable security invoker set search_path = ''
as $$
  with paid as (
    select s.plan_id, p.rank
    from public.subscriptions s left join public.plans p on p.id = s.plan_id
    where s.community_id = p_community_id
      and (s.status in ('active', 'trialing')
        or (s.status = 'past_due'
          and now() < s.past_due_since + coalesce(p.grace_period, billing.default_grace_period())))
  )
  select coalesce(
    (select plan_id from paid where plan_id is not null order by rank desc limit 1),
    -- Paid for, but at a price of no plan: the operator's mistake must not cost the community its access.
    (select c.current_plan_id from public.communities c where c.id = p_community_id and exists (select from paid)),
    (select id from public.plans where is_default))
$$;
comment on function billing.plan_in_force(text) is 'The plan that a community''s subscriptions give it now: active, trialing, and past_due within the grace period count; of several the plan of highest rank.';

-- The caller has locked the community.
create function billing.update_current_plan(p_community_id text) returns void
  language sql volatile security invoker set search_path = ''
as $$
  update public.communities c set current_plan_id = now_in_force.plan_id
  from (select billing.plan_in_force(p_community_id) as plan_id) now_in_force
  where c.id = p_community_id and c.current_plan_id <> now_in_force.plan_id
$$;
comment on function billing.update_current_plan(text) is 'Stores the plan in force as the community''s current plan.';

revoke execute on function
  billing.is_live(text), billing.plan_in_force(text), billing.update_current_plan(text)
  from public, anon, authenticated, service_role;
