-- Which plan a community has. Each subscription's row says what it gives and until when (billing.subscription_gives). Of
-- several the plan of highest rank counts; without any it is the default plan.
--
-- Functions in language sql have no SET clause here: with one, PostgreSQL would plan them anew at every call. They are all
-- security invoker, and name the schema of everything.

create function billing.is_live(p_status text) returns boolean
  language sql immutable security invoker
as $$ select p_status in ('trialing', 'active', 'past_due', 'unpaid', 'paused') $$;
comment on function billing.is_live(text) is 'Whether a subscription of this status goes on: its community pays, or may pay again, and gets no second checkout.';

-- The one place that decides the plan at this moment, also when a grace period has just run out. For whoever may read the
-- community and its subscriptions: row-level security decides. It returns one row and is written so that a query with it in
-- its FROM clause is planned as one:
--   from public.communities c cross join lateral public.plan_in_force(c.id, c.current_plan_id, c.plan_until) f
-- The parameters are the columns of the community: its plan as it was decided last, and when that runs out.
create function public.plan_in_force(p_community_id text, p_current_plan_id bigint, p_plan_until timestamptz)
  returns table (plan_id bigint)
  language sql stable security invoker rows 1
as $$
  select case when now() < p_plan_until then p_current_plan_id else coalesce(
    (select s.gives_plan_id from public.subscriptions s join public.plans p on p.id = s.gives_plan_id
      where s.community_id = p_community_id and s.gives_plan_until > now()
      order by p.rank desc limit 1),
    (select p.id from public.plans p where p.is_default)) end
$$;
comment on function public.plan_in_force(text, bigint, timestamptz) is 'The plan of a community at this moment, also when a grace period has just run out.';

create function billing.entitled_plan(p_community_id text) returns bigint
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return (
    select f.plan_id from public.communities c
    cross join lateral public.plan_in_force(c.id, c.current_plan_id, c.plan_until) f
    where c.id = p_community_id);
end $$;
comment on function billing.entitled_plan(text) is 'The plan in force of a community; null when there is no such community.';

-- The caller has locked the communities.
create function billing.update_current_plans(p_community_ids text[]) returns integer
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_changed integer;
begin
  update public.communities c set current_plan_id = decided.plan_id, plan_until = decided.until
  from (
    select x.id, coalesce(best.plan_id, (select p.id from public.plans p where p.is_default)) as plan_id,
      coalesce(best.until, 'infinity') as until
    from unnest(p_community_ids) x(id)
    left join lateral (
      select s.gives_plan_id as plan_id, s.gives_plan_until as until
      from public.subscriptions s join public.plans p on p.id = s.gives_plan_id
      where s.community_id = x.id and s.gives_plan_until > now()
      order by p.rank desc, s.gives_plan_until desc limit 1) best on true
  ) decided
  where c.id = decided.id
    and (c.current_plan_id <> decided.plan_id or c.plan_until <> decided.until);
  get diagnostics v_changed = row_count;
  return v_changed;
end $$;
comment on function billing.update_current_plans(text[]) is 'Decides the plans of these communities anew and stores them. Returns how many changed.';

-- So that no two calls wait for each other, communities are locked in one order.
create function billing.lock_communities(p_community_ids text[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  perform from public.communities c where c.id = any (p_community_ids) order by c.id for no key update;
end $$;
comment on function billing.lock_communities(text[]) is 'Locks these communities until the transaction ends.';

-- No event marks the end of a grace period.
create function billing.end_grace_periods(p_limit integer default 500) returns integer
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_ids text[];
begin
  select array_agg(due.id) into v_ids from (
    select c.id from public.communities c where c.plan_until <= now() order by c.plan_until limit p_limit
    for no key update skip locked) due;
  if v_ids is null then return 0; end if;
  return billing.update_current_plans(v_ids);
end $$;
comment on function billing.end_grace_periods(integer) is 'Stores the plans of communities whose grace period has run out. Returns how many changed.';

-- What these subscriptions sell and give is worked out anew: a plan was edited, an invoice was paid, a late event came.
create function billing.refresh_subscriptions_of(p_subscription_ids text[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_community_ids text[];
begin
  select array_agg(distinct s.community_id) into v_community_ids
  from public.subscriptions s where s.id = any (p_subscription_ids);
  if v_community_ids is null then return; end if;
  perform billing.lock_communities(v_community_ids);
  perform billing.refresh_subscriptions(p_subscription_ids);
  perform billing.update_current_plans(v_community_ids);
  perform billing.check_subscriptions(v_community_ids);
end $$;
comment on function billing.refresh_subscriptions_of(text[]) is 'Works out anew what these subscriptions give, and the plans and anomalies of their communities.';

-- Security definer: the operator may edit plans, but may not write subscriptions.
create function billing.follow_plan_price() returns trigger
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_price_id constant text := case when tg_op = 'DELETE' then old.stripe_price_id else new.stripe_price_id end;
begin
  -- Invoices first: what was paid decides what a past_due subscription gives.
  update public.invoices i set plan_id = sold.plan_id, version = i.version + 1
  from public.invoices k left join lateral billing.plan_of_prices(k.price_ids) sold on true
  where k.id = i.id and k.price_ids @> array[v_price_id] and i.plan_id is distinct from sold.plan_id;
  perform billing.refresh_subscriptions_of(array(
    select s.id from public.subscriptions s where s.price_ids @> array[v_price_id]
    union
    select s.id from public.subscriptions s where s.schedule is not null
      and s.schedule -> 'next_phase' -> 'items' @> jsonb_build_array(jsonb_build_object('price_id', v_price_id))));
  return null;
end $$;
comment on function billing.follow_plan_price() is 'A price was given to a plan: what its subscriptions and invoices buy is worked out anew.';
create trigger plan_prices_follow after insert or update or delete on billing.plan_prices
  for each row execute function billing.follow_plan_price();

create function billing.follow_plan_terms() returns trigger
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_price_ids constant text[] := array(select pp.stripe_price_id from billing.plan_prices pp where pp.plan_id = new.id);
begin
  if old.rank <> new.rank then
    -- Of the prices of several plans the highest rank counts.
    update public.invoices i set plan_id = sold.plan_id, version = i.version + 1
    from public.invoices k left join lateral billing.plan_of_prices(k.price_ids) sold on true
    where k.id = i.id and k.price_ids && v_price_ids and i.plan_id is distinct from sold.plan_id;
    perform billing.refresh_subscriptions_of(array(
      select s.id from public.subscriptions s
      where s.price_ids && v_price_ids or s.gives_plan_id = new.id or s.former_plan_id = new.id));
  else
    perform billing.refresh_subscriptions_of(array(
      select s.id from public.subscriptions s
      where s.ended_at is null and s.gives_plan_until is distinct from 'infinity'
        and new.id in (s.plan_id, s.former_plan_id, s.gives_plan_id)));
  end if;
  return null;
end $$;
comment on function billing.follow_plan_terms() is 'A plan got another rank or grace period: what its subscriptions give is worked out anew.';
create trigger plans_follow_terms after update of rank, grace_period on public.plans
  for each row when (old.rank <> new.rank or old.grace_period <> new.grace_period)
  execute function billing.follow_plan_terms();

revoke execute on function
  billing.is_live(text), public.plan_in_force(text, bigint, timestamptz), billing.entitled_plan(text),
  billing.update_current_plans(text[]), billing.lock_communities(text[]), billing.end_grace_periods(integer),
  billing.refresh_subscriptions_of(text[]), billing.follow_plan_price(), billing.follow_plan_terms()
  from public, anon, authenticated, service_role;
grant execute on function billing.end_grace_periods(integer) to billing_service;
grant execute on function public.plan_in_force(text, bigint, timestamptz) to authenticated, service_role;
