-- How Stripe's word becomes our state. Each function is one call and therefore one transaction: it happens whole or not at all.
--
-- Order of locks, the same everywhere so that nothing can wait in a circle: customer, ledger row, community, subscription.

-- One at a time for a customer. Besides keeping two events of one subscription apart, it closes the gap between "no
-- community has this customer, park the event" and "link this customer, replay what was parked".
create function billing.lock_customer(p_customer_id text) returns void
  language sql volatile set search_path = ''
as $$ select pg_advisory_xact_lock(hashtextextended('stripe_customer:' || p_customer_id, 0)) $$;
comment on function billing.lock_customer(text) is 'Holds this customer until the transaction ends.';

-- Which plan is in force, from the subscriptions as they now stand. The caller has locked the community.
create function billing.derive_plan(p_community_id text) returns void
  language sql volatile set search_path = ''
as $$
  with entitling as (
    select s.plan_id, p.rank
    from public.subscriptions s left join public.plans p on p.id = s.plan_id
    where s.community_id = p_community_id
      and (s.status in ('active', 'trialing')
        or (s.status = 'past_due' and now() < s.past_due_since + coalesce(p.grace_period, interval '7 days')))
  ), derived as (
    select coalesce(
      (select plan_id from entitling where plan_id is not null order by rank desc limit 1),
      -- Paid for, but at a price no plan knows: an operator's mistake must not cost the community its access.
      (select c.current_plan_id from public.communities c
        where c.id = p_community_id and exists (select from entitling)),
      (select id from public.plans where is_default)
    ) as plan_id
  )
  update public.communities c set current_plan_id = derived.plan_id
  from derived
  where c.id = p_community_id and c.current_plan_id <> derived.plan_id
$$;
comment on function billing.derive_plan(text) is 'Sets the community''s current plan from its subscriptions: active, trialing, and past_due within the grace period entitle; the highest rank counts.';

-- Stores a subscription's state and what follows from it. The caller has decided that it is the newest, and locked.
create function billing.store_subscription(p_community_id text, p_state jsonb, p_as_of timestamptz) returns void
  language plpgsql volatile set search_path = ''
as $$
declare
  s record;
begin
  select * into s from jsonb_to_record(p_state) as s(
    id text, stripe_price_id text, status text, current_period_start timestamptz, current_period_end timestamptz,
    trial_end timestamptz, cancel_at timestamptz, canceled_at timestamptz, ended_at timestamptz,
    payment_issue text, metered_item_id text, started_at timestamptz);

  insert into public.subscriptions as known (
    id, community_id, plan_id, stripe_price_id, status, current_period_start, current_period_end, trial_end, cancel_at,
    canceled_at, ended_at, past_due_since, payment_issue, metered_item_id, started_at)
  values (
    s.id, p_community_id, (select p.id from public.plans p where p.stripe_price_id = s.stripe_price_id),
    s.stripe_price_id, s.status, s.current_period_start, s.current_period_end, s.trial_end, s.cancel_at,
    s.canceled_at, s.ended_at, case when s.status = 'past_due' then p_as_of end, s.payment_issue, s.metered_item_id,
    s.started_at)
  on conflict (id) do update set
    community_id = excluded.community_id,
    plan_id = excluded.plan_id,
    stripe_price_id = excluded.stripe_price_id,
    status = excluded.status,
    current_period_start = excluded.current_period_start,
    current_period_end = excluded.current_period_end,
    trial_end = excluded.trial_end,
    cancel_at = excluded.cancel_at,
    canceled_at = excluded.canceled_at,
    ended_at = excluded.ended_at,
    -- Grace runs from the first failure, not from the latest news of it.
    past_due_since = case when excluded.status = 'past_due' then coalesce(known.past_due_since, excluded.past_due_since) end,
    payment_issue = excluded.payment_issue,
    metered_item_id = excluded.metered_item_id,
    started_at = excluded.started_at;

  perform billing.derive_plan(p_community_id);
end $$;
comment on function billing.store_subscription(text, jsonb, timestamptz) is 'Writes a subscription''s state and derives the community''s plan from it.';

-- Is this state newer than what we know? Stripe's times have a resolution of one second and its events come in any order.
--   newer    store it
--   same     we know this already
--   older    leave it
--   unclear  two different states in one second, or a state from around the moment of our last fetch: only Stripe can
--            tell which is current, so ask it (and hold the customer's lock meanwhile)
create function billing.compare_subscription(p_state jsonb, p_created timestamptz) returns text
  language plpgsql stable set search_path = ''
as $$
declare
  ended constant text[] := array['canceled', 'incomplete_expired'];
  -- How far two of Stripe's clocks may differ, generously.
  clock_margin constant interval := interval '60 seconds';
  known billing.subscription_sync;
begin
  select * into known from billing.subscription_sync where subscription_id = p_state ->> 'id';
  if known.subscription_id is null then return 'newer'; end if;
  if known.state = p_state then return 'same'; end if;
  -- What has ended stays ended.
  if known.state ->> 'status' = any (ended) and p_state ->> 'status' <> all (ended) then return 'older'; end if;
  if p_state ->> 'status' = any (ended) and known.state ->> 'status' <> all (ended) then return 'newer'; end if;
  if p_created < known.state_as_of then return 'older'; end if;
  if p_created = known.state_as_of then return 'unclear'; end if;
  if p_created <= known.fetched_at + clock_margin then return 'unclear'; end if;
  return 'newer';
end $$;
comment on function billing.compare_subscription(jsonb, timestamptz) is 'newer, same, older or unclear: how a subscription state compares with the one stored.';

-- Decides about one subscription state and stores it if it is news. Customer and community are locked by the caller.
-- p_fetched_at: the state was fetched from Stripe at that time of Stripe's clock, so it is current by definition.
create function billing.apply_subscription(
  p_community_id text, p_state jsonb, p_event_id text, p_created timestamptz, p_fetched_at timestamptz,
  out outcome text, out reason text)
  language plpgsql volatile set search_path = ''
as $$
declare
  v_comparison text := case when p_fetched_at is null then billing.compare_subscription(p_state, p_created) else 'newer' end;
begin
  if v_comparison = 'unclear' then
    outcome := 'pending'; reason := 'cannot be ordered: fetch the subscription from Stripe'; return;
  elsif v_comparison = 'older' then
    outcome := 'stale'; reason := 'a newer state is known'; return;
  end if;

  if v_comparison = 'newer' then
    perform billing.store_subscription(p_community_id, p_state, p_created);
  end if;

  insert into billing.subscription_sync as known (subscription_id, state, state_as_of, fetched_at, event_id)
  values (p_state ->> 'id', p_state, p_created, p_fetched_at, p_event_id)
  on conflict (subscription_id) do update set
    state = excluded.state,
    state_as_of = greatest(known.state_as_of, excluded.state_as_of),
    -- The same news again says nothing about what the fetch may have run ahead of.
    fetched_at = case when v_comparison = 'same' then known.fetched_at else excluded.fetched_at end,
    event_id = excluded.event_id;

  outcome := 'applied';
  reason := case
    when v_comparison = 'same' then 'this state was known already'
    when p_fetched_at is not null then 'settled by fetching the subscription from Stripe'
    when not exists (select from public.plans p where p.stripe_price_id = p_state ->> 'stripe_price_id')
      then 'no plan has the price ' || (p_state ->> 'stripe_price_id') || ': the community keeps its plan'
  end;
end $$;
comment on function billing.apply_subscription(text, jsonb, text, timestamptz, timestamptz) is 'Orders one subscription state against what is known and stores it if it is news.';

-- Gives a community its Stripe customer, if it has none, and applies what came too early for it.
create function billing.link_customer(p_community_id text, p_customer_id text) returns text
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_customer_id text;
  parked record;
  result record;
begin
  perform billing.lock_customer(p_customer_id);

  select stripe_customer_id into v_customer_id from public.communities where id = p_community_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown community', detail = p_community_id;
  end if;
  if v_customer_id is not null then return v_customer_id; end if;

  update public.communities set stripe_customer_id = p_customer_id where id = p_community_id;

  for parked in
    select id, change, created_at from billing.stripe_events
    where customer_id = p_customer_id and outcome = 'parked' order by created_at, id
  loop
    result := billing.apply_subscription(
      p_community_id, parked.change -> 'subscription', parked.id, parked.created_at, null);
    -- An event that cannot be ordered stays parked for the next delivery or the reconciliation to settle.
    if result.outcome <> 'pending' then
      update billing.stripe_events
      set outcome = result.outcome, reason = coalesce(result.reason, 'applied when the customer was linked'), settled_at = now()
      where id = parked.id;
    end if;
  end loop;
  return p_customer_id;
end $$;
comment on function billing.link_customer(text, text) is 'Sets the community''s Stripe customer if it has none, replays parked events, and returns the customer the community has.';

-- The one call behind every webhook. Records the event and applies it, atomically.
--   p_event    {id, type, created (unix seconds), livemode, api_version, customer_id, object_id}
--   p_change   what the event means to us, or null:
--              {kind: "subscription", subscription: {…}}                 a subscription's state
--              {kind: "checkout", community_id}                          a checkout of ours was completed
--              {kind: "unreadable", reason}                              of a type that matters, but not understood
--   p_payload  the event as Stripe sent it
--   p_fetched_at  the subscription in p_change was fetched, at that time of Stripe's clock
-- Returns {outcome, reason}. outcome is a ledger outcome, or "duplicate". "pending" asks the caller to fetch and call
-- again. An event that is pending or failed is tried anew when it comes again; what was settled is not touched.
create function billing.apply_stripe_event(
  p_event jsonb, p_change jsonb, p_payload jsonb, p_fetched_at timestamptz default null) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_event_id constant text := p_event ->> 'id';
  v_customer_id constant text := p_event ->> 'customer_id';
  v_created constant timestamptz := to_timestamp((p_event ->> 'created')::bigint);
  v_recorded text;
  v_community_id text;
  v_outcome text;
  v_reason text;
begin
  if v_customer_id is not null then perform billing.lock_customer(v_customer_id); end if;

  insert into billing.stripe_events as ledger (
    id, type, created_at, livemode, api_version, customer_id, object_id, outcome, change, payload)
  values (
    v_event_id, p_event ->> 'type', v_created, (p_event ->> 'livemode')::boolean, p_event ->> 'api_version',
    v_customer_id, p_event ->> 'object_id', 'pending', p_change, p_payload)
  on conflict (id) do update set
    -- The second call for an event that had to be fetched belongs to the same delivery.
    deliveries = ledger.deliveries + case when p_fetched_at is null then 1 else 0 end,
    change = case when ledger.outcome in ('pending', 'failed') then excluded.change else ledger.change end
  returning outcome into v_recorded;
  if v_recorded not in ('pending', 'failed') then
    return jsonb_build_object('outcome', 'duplicate', 'reason', 'already ' || v_recorded);
  end if;

  if p_change is null then
    v_outcome := 'ignored';
    v_reason := 'nothing in it concerns us';

  elsif p_change ->> 'kind' = 'subscription' then
    select id into v_community_id from public.communities where stripe_customer_id = v_customer_id for update;
    if v_community_id is null then
      v_outcome := 'parked';
      v_reason := 'no community has this customer yet';
    else
      select a.outcome, a.reason into v_outcome, v_reason from billing.apply_subscription(
        v_community_id, p_change -> 'subscription', v_event_id, v_created, p_fetched_at) a;
    end if;

  elsif p_change ->> 'kind' = 'checkout' then
    v_community_id := p_change ->> 'community_id';
    if not exists (select from public.communities where id = v_community_id) then
      v_outcome := 'ignored';
      v_reason := 'unknown community ' || v_community_id;
    elsif exists (select from public.communities where stripe_customer_id = v_customer_id and id <> v_community_id) then
      v_outcome := 'ignored';
      v_reason := 'the customer belongs to another community than ' || v_community_id;
    elsif billing.link_customer(v_community_id, v_customer_id) <> v_customer_id then
      v_outcome := 'ignored';
      v_reason := 'the community already has another customer';
    else
      v_outcome := 'applied';
    end if;

  elsif p_change ->> 'kind' = 'unreadable' then
    v_outcome := 'failed';
    v_reason := p_change ->> 'reason';

  else
    raise sqlstate '22023' using message = 'unknown kind of change', detail = p_change ->> 'kind';
  end if;

  update billing.stripe_events
  set outcome = v_outcome, reason = v_reason, settled_at = case when v_outcome not in ('pending', 'failed') then now() end
  where id = v_event_id;
  return jsonb_build_object('outcome', v_outcome, 'reason', v_reason);
end $$;
comment on function billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz) is 'Records a verified Stripe event in the ledger and applies it, in one transaction. The only way a webhook changes state.';

revoke execute on function
  billing.lock_customer(text), billing.derive_plan(text), billing.store_subscription(text, jsonb, timestamptz),
  billing.compare_subscription(jsonb, timestamptz),
  billing.apply_subscription(text, jsonb, text, timestamptz, timestamptz),
  billing.link_customer(text, text), billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz)
  from public, anon, authenticated;
-- lock_customer is harmless by itself and lets the webhook hold the customer while it asks Stripe.
grant execute on function
  billing.lock_customer(text), billing.link_customer(text, text),
  billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz)
  to billing_service;
