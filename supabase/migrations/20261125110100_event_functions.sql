-- How Stripe's word becomes our state. Each function is one call and therefore one transaction: it happens whole or not at all.
--
-- Order of locks, the same everywhere so that nothing can wait in a circle: customer, ledger row, community, the rest.

-- One at a time for a customer. Besides keeping two events of one object apart, it closes the gap between "no community
-- has this customer, park the event" and "link this customer, replay what was parked".
create function billing.lock_customer(p_customer_id text) returns void
  language sql volatile set search_path = ''
as $$ select pg_advisory_xact_lock(hashtextextended('stripe_customer:' || p_customer_id, 0)) $$;
comment on function billing.lock_customer(text) is 'Holds this customer until the transaction ends.';

create function billing.report_anomaly(p_kind text, p_object_id text, p_community_id text, p_detail text) returns void
  language sql volatile set search_path = ''
as $$
  insert into billing.anomalies as known (kind, object_id, community_id, detail)
  values (p_kind, p_object_id, p_community_id, p_detail)
  on conflict (kind, object_id) where resolved_at is null
  do update set detail = excluded.detail, last_seen_at = now(), seen = known.seen + 1
$$;
comment on function billing.report_anomaly(text, text, text, text) is 'Puts something odd before the operator, once for as long as it lasts.';

create function billing.resolve_anomaly(p_kind text, p_object_id text) returns void
  language sql volatile set search_path = ''
as $$
  update billing.anomalies set resolved_at = now()
  where kind = p_kind and object_id = p_object_id and resolved_at is null
$$;
comment on function billing.resolve_anomaly(text, text) is 'Notes that something odd is gone.';

-- Which plan is in force, from the subscriptions as they now stand.
create function billing.derived_plan(p_community_id text) returns bigint
  language sql stable set search_path = ''
as $$
  with entitling as (
    select s.plan_id, p.rank
    from public.subscriptions s left join public.plans p on p.id = s.plan_id
    where s.community_id = p_community_id
      and (s.status in ('active', 'trialing')
        or (s.status = 'past_due' and now() < s.past_due_since + coalesce(p.grace_period, interval '7 days')))
  )
  select coalesce(
    (select plan_id from entitling where plan_id is not null order by rank desc limit 1),
    -- Paid for, but at a price no plan knows: an operator's mistake must not cost the community its access.
    (select c.current_plan_id from public.communities c
      where c.id = p_community_id and exists (select from entitling)),
    (select id from public.plans where is_default))
$$;
comment on function billing.derived_plan(text) is 'The plan that a community''s subscriptions entitle it to: active, trialing, and past_due within the grace period count; of several the one of highest rank.';

-- The caller has locked the community.
create function billing.derive_plan(p_community_id text) returns void
  language sql volatile set search_path = ''
as $$
  update public.communities c set current_plan_id = derived.plan_id
  from (select billing.derived_plan(p_community_id) as plan_id) derived
  where c.id = p_community_id and c.current_plan_id <> derived.plan_id
$$;
comment on function billing.derive_plan(text) is 'Sets the community''s current plan to the one its subscriptions entitle it to.';

-- The statuses under which a community is, or may again become, a paying one. It gets no second checkout then.
create function billing.is_live(p_status text) returns boolean
  language sql immutable set search_path = ''
as $$ select p_status in ('trialing', 'active', 'past_due', 'unpaid', 'paused') $$;
comment on function billing.is_live(text) is 'Whether a subscription of this status still goes on.';

-- Since when a subscription that is past_due has been so: the first time that Stripe said so after the last time that it
-- said otherwise. Read from the ledger, because events come in any order; what was known counts where the ledger has been
-- reduced.
create function billing.past_due_since(p_subscription_id text, p_known timestamptz, p_as_of timestamptz) returns timestamptz
  language sql stable set search_path = ''
as $$
  with told as (
    select created_at, payload #>> '{data,object,status}' as status from billing.stripe_events
    where object_id = p_subscription_id and type like 'customer.subscription.%'
  ), otherwise as (
    select coalesce(max(created_at) filter (where status <> 'past_due'), '-infinity') as last_at from told
  )
  select coalesce(
    least(
      min(told.created_at) filter (where told.status = 'past_due' and told.created_at >= last_at),
      case when p_known >= max(last_at) then p_known end),
    p_as_of)
  from otherwise left join told on true
$$;
comment on function billing.past_due_since(text, timestamptz, timestamptz) is 'When the payment of a past_due subscription first failed.';

-- Stores a subscription's state and what follows from it. The caller has decided that it is the newest, and locked.
create function billing.store_subscription(p_community_id text, p_state jsonb, p_as_of timestamptz) returns void
  language plpgsql volatile set search_path = ''
as $$
declare
  s record;
  v_plan_id bigint;
  v_live integer;
begin
  select * into s from jsonb_to_record(p_state) as s(
    id text, stripe_price_id text, status text, current_period_start timestamptz, current_period_end timestamptz,
    trial_end timestamptz, cancel_at timestamptz, canceled_at timestamptz, ended_at timestamptz,
    payment_issue text, metered_item_id text, started_at timestamptz);
  select p.plan_id into v_plan_id from billing.plan_prices p where p.stripe_price_id = s.stripe_price_id;

  insert into public.subscriptions as known (
    id, community_id, plan_id, stripe_price_id, status, current_period_start, current_period_end, trial_end, cancel_at,
    canceled_at, ended_at, past_due_since, payment_issue, metered_item_id, started_at)
  values (
    s.id, p_community_id, v_plan_id, s.stripe_price_id, s.status, s.current_period_start, s.current_period_end,
    s.trial_end, s.cancel_at, s.canceled_at, s.ended_at,
    case when s.status = 'past_due' then billing.past_due_since(s.id, null, p_as_of) end,
    s.payment_issue, s.metered_item_id, s.started_at)
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
    past_due_since = case when excluded.status = 'past_due'
      then billing.past_due_since(excluded.id, known.past_due_since, p_as_of) end,
    payment_issue = excluded.payment_issue,
    metered_item_id = excluded.metered_item_id,
    started_at = excluded.started_at;

  if v_plan_id is null and billing.is_live(s.status) then
    perform billing.report_anomaly('unknown_price', s.id, p_community_id,
      'No plan has the price ' || s.stripe_price_id || '. The community keeps the plan it had.');
  else
    perform billing.resolve_anomaly('unknown_price', s.id);
  end if;

  select count(*) into v_live from public.subscriptions where community_id = p_community_id and billing.is_live(status);
  if v_live > 1 then
    perform billing.report_anomaly('several_subscriptions', p_community_id, p_community_id,
      v_live || ' subscriptions go on at once. The plan of highest rank counts; cancel the others in Stripe.');
  else
    perform billing.resolve_anomaly('several_subscriptions', p_community_id);
  end if;

  perform billing.derive_plan(p_community_id);
end $$;
comment on function billing.store_subscription(text, jsonb, timestamptz) is 'Writes a subscription''s state and derives the community''s plan from it.';

-- News of a subscription that is old, or that says what is known already, may still tell since when it is past_due, and so
-- how long its grace lasts.
create function billing.learn_past_due_since(p_community_id text, p_subscription_id text) returns void
  language plpgsql volatile set search_path = ''
as $$ begin
  update public.subscriptions s set past_due_since = billing.past_due_since(s.id, s.past_due_since, s.past_due_since)
  where s.id = p_subscription_id and s.status = 'past_due';
  if found then perform billing.derive_plan(p_community_id); end if;
end $$;
comment on function billing.learn_past_due_since(text, text) is 'Takes a late event of a past_due subscription into account.';

create function billing.store_invoice(p_community_id text, p_state jsonb) returns void
  language sql volatile set search_path = ''
as $$
  insert into public.invoices (
    id, community_id, subscription_id, number, status, amount_due_cents, amount_paid_cents, currency,
    hosted_invoice_url, invoice_pdf, issued_at, paid_at)
  select i.id, p_community_id, i.subscription_id, i.number, i.status, i.amount_due_cents, i.amount_paid_cents, i.currency,
    i.hosted_invoice_url, i.invoice_pdf, i.issued_at, i.paid_at
  from jsonb_to_record(p_state) as i(
    id text, subscription_id text, number text, status text, amount_due_cents bigint, amount_paid_cents bigint,
    currency text, hosted_invoice_url text, invoice_pdf text, issued_at timestamptz, paid_at timestamptz)
  on conflict (id) do update set
    community_id = excluded.community_id,
    subscription_id = excluded.subscription_id,
    number = excluded.number,
    status = excluded.status,
    amount_due_cents = excluded.amount_due_cents,
    amount_paid_cents = excluded.amount_paid_cents,
    currency = excluded.currency,
    hosted_invoice_url = excluded.hosted_invoice_url,
    invoice_pdf = excluded.invoice_pdf,
    issued_at = excluded.issued_at,
    paid_at = excluded.paid_at
$$;
comment on function billing.store_invoice(text, jsonb) is 'Writes an invoice''s state.';

-- How far along its life an object of this status is. It never goes back: what has ended stays ended, a finalized invoice
-- is no draft again. So a later stage is newer news whatever the clock says.
create function billing.life_stage(p_kind text, p_status text) returns integer
  language sql immutable set search_path = ''
as $$
  select case p_kind || ' ' || p_status
    when 'subscription canceled' then 1
    when 'subscription incomplete_expired' then 1
    when 'invoice open' then 1
    when 'invoice uncollectible' then 2
    when 'invoice paid' then 3
    when 'invoice void' then 3
    else 0
  end
$$;
comment on function billing.life_stage(text, text) is 'A number that never decreases during the life of a Stripe object.';

-- Is this state newer than what we know? Stripe's times have a resolution of one second and its events come in any order.
--   newer    store it
--   same     we know this already
--   older    leave it
--   unclear  two different states in one second, or a state from around the moment of our last fetch: only Stripe can
--            tell which is current, so ask it (and hold the customer's lock meanwhile)
create function billing.compare_state(p_kind text, p_state jsonb, p_created timestamptz) returns text
  language plpgsql stable set search_path = ''
as $$
declare
  -- How far two of Stripe's clocks may differ, generously.
  clock_margin constant interval := interval '60 seconds';
  -- Stripe words these anew each time it is asked; another wording is no news.
  volatile_keys constant text[] := array['hosted_invoice_url', 'invoice_pdf'];
  known billing.object_sync;
  v_step integer;
begin
  select * into known from billing.object_sync where object_id = p_state ->> 'id';
  if known.object_id is null then return 'newer'; end if;
  if known.state - volatile_keys = p_state - volatile_keys then return 'same'; end if;
  v_step := billing.life_stage(p_kind, p_state ->> 'status') - billing.life_stage(p_kind, known.state ->> 'status');
  if v_step < 0 then return 'older'; end if;
  if v_step > 0 then return 'newer'; end if;
  if p_created < known.state_as_of then return 'older'; end if;
  if p_created = known.state_as_of then return 'unclear'; end if;
  if p_created <= known.fetched_at + clock_margin then return 'unclear'; end if;
  return 'newer';
end $$;
comment on function billing.compare_state(text, jsonb, timestamptz) is 'newer, same, older or unclear: how news of a Stripe object compares with what is stored.';

-- THE apply function: every way in which Stripe's word reaches us ends here. Customer and community are locked.
--   p_created     when the event that brought it was created; null when it was fetched without one
--   p_fetched_at  the state was fetched, at that time of Stripe's clock, so it is current by definition
create function billing.apply_state(
  p_community_id text, p_kind text, p_state jsonb, p_event_id text, p_created timestamptz, p_fetched_at timestamptz,
  out outcome text, out reason text)
  language plpgsql volatile set search_path = ''
as $$
declare
  v_comparison text;
begin
  -- What was fetched is stored even if it is known: somebody may have changed the row by hand.
  v_comparison := case when p_fetched_at is null then billing.compare_state(p_kind, p_state, p_created) else 'newer' end;

  if v_comparison = 'unclear' then
    outcome := 'pending'; reason := 'cannot be ordered: ask Stripe which state is current'; return;
  elsif v_comparison in ('older', 'same') and p_kind = 'subscription' then
    perform billing.learn_past_due_since(p_community_id, p_state ->> 'id');
  end if;

  if v_comparison = 'older' then
    outcome := 'stale'; reason := 'a newer state is known'; return;
  elsif v_comparison = 'newer' then
    if p_kind = 'subscription' then
      perform billing.store_subscription(p_community_id, p_state, coalesce(p_created, p_fetched_at));
    else
      perform billing.store_invoice(p_community_id, p_state);
    end if;
  end if;

  insert into billing.object_sync as known (object_id, kind, state, state_as_of, fetched_at, event_id)
  values (p_state ->> 'id', p_kind, p_state, coalesce(p_created, '-infinity'), p_fetched_at, p_event_id)
  on conflict (object_id) do update set
    state = excluded.state,
    state_as_of = greatest(known.state_as_of, excluded.state_as_of),
    -- An event that says the same as what was fetched says nothing about what the fetch may have run ahead of.
    fetched_at = case when v_comparison = 'same' then greatest(known.fetched_at, excluded.fetched_at) else excluded.fetched_at end,
    confirmed_at = now(),
    event_id = coalesce(excluded.event_id, known.event_id);

  outcome := 'applied';
  reason := case
    when v_comparison = 'same' then 'this state was known already'
    when p_fetched_at is not null then 'settled by asking Stripe'
  end;
end $$;
comment on function billing.apply_state(text, text, jsonb, text, timestamptz, timestamptz) is 'Orders one state of a subscription or invoice against what is known and stores it if it is news.';

-- Gives a community its Stripe customer, if it has none, and applies what came too early for it.
-- Returns the customer the community has; null when the offered one was deleted or belongs to another community.
create function billing.link_customer(p_community_id text, p_customer_id text) returns text
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_current text;
  parked record;
  result record;
begin
  perform billing.lock_customer(p_customer_id);

  select stripe_customer_id into v_current from public.communities where id = p_community_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown community', detail = p_community_id;
  end if;
  if v_current is not null then return v_current; end if;
  if exists (
    select from billing.customers
    where id = p_customer_id and (deleted_at is not null or community_id <> p_community_id)) then
    return null;
  end if;

  insert into billing.customers (id, community_id) values (p_customer_id, p_community_id) on conflict do nothing;
  update public.communities set stripe_customer_id = p_customer_id where id = p_community_id;

  for parked in
    select id, change, created_at from billing.stripe_events
    where customer_id = p_customer_id and outcome = 'parked' order by created_at, id for update
  loop
    result := billing.apply_state(
      p_community_id, parked.change ->> 'kind', parked.change -> 'state', parked.id, parked.created_at, null);
    -- One that cannot be ordered stays pending: the caller asks Stripe next (billing.open_events).
    update billing.stripe_events
    set outcome = result.outcome, reason = coalesce(result.reason, 'applied when the customer was linked'),
      settled_at = case when result.outcome <> 'pending' then now() end
    where id = parked.id;
  end loop;
  return p_customer_id;
end $$;
comment on function billing.link_customer(text, text) is 'Sets the community''s Stripe customer if it has none, replays parked events, and returns the customer the community has.';

-- A customer that Stripe no longer has. Its community keeps its subscriptions as Stripe reports them; the next checkout
-- makes a new customer. p_community_id: for one that was deleted before it was ever linked.
create function billing.forget_customer(p_customer_id text, p_community_id text default null) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform billing.lock_customer(p_customer_id);
  insert into billing.customers as known (id, community_id, deleted_at)
  select p_customer_id, p_community_id, now() where p_community_id is not null
  on conflict (id) do nothing;
  update billing.customers set deleted_at = coalesce(deleted_at, now()) where id = p_customer_id;
  if not found then return false; end if;
  update public.communities set stripe_customer_id = null where stripe_customer_id = p_customer_id;
  return true;
end $$;
comment on function billing.forget_customer(text, text) is 'Unlinks a customer that was deleted in Stripe. False when it was nobody''s.';

-- What a checkout of ours says about its customer. The caller holds the customer.
create function billing.apply_checkout(p_community_id text, p_customer_id text, out outcome text, out reason text)
  language plpgsql volatile set search_path = ''
as $$
declare
  v_linked text;
begin
  if not exists (select from public.communities where id = p_community_id) then
    outcome := 'ignored'; reason := 'unknown community ' || p_community_id; return;
  end if;
  if exists (select from billing.customers where id = p_customer_id and community_id = p_community_id) then
    outcome := 'applied'; reason := 'the customer was linked already'; return;
  end if;
  v_linked := billing.link_customer(p_community_id, p_customer_id);
  if v_linked = p_customer_id then outcome := 'applied'; return; end if;
  outcome := 'ignored';
  reason := case when v_linked is null then 'the customer belongs to another community than ' || p_community_id
    else 'the community has another customer' end;
  perform billing.report_anomaly('customer_conflict', p_customer_id, p_community_id,
    'A checkout for this community was paid by a customer that is not its own: ' || reason || '.');
end $$;
comment on function billing.apply_checkout(text, text) is 'Links the customer of a completed checkout to its community.';

create function billing.has_open_events(p_customer_id text) returns boolean
  language sql stable set search_path = ''
as $$ select exists (select from billing.stripe_events where customer_id = p_customer_id and outcome = 'pending') $$;
comment on function billing.has_open_events(text) is 'Whether events of this customer wait for Stripe to be asked.';

-- The one call behind every webhook. Records the event and applies it, atomically.
--   p_event    {id, type, created (unix seconds), livemode, api_version, customer_id, object_id}
--   p_change   what the event means to us, or null:
--              {kind: "subscription" or "invoice", state: {…}}           what an object now is
--              {kind: "checkout", community_id}                          a checkout of ours was completed
--              {kind: "customer_deleted"}                                the customer is gone
--              {kind: "anomaly", anomaly, detail}                        something for the operator
--              {kind: "unreadable", reason}                              of a type that matters, but not understood
--   p_payload  the event as Stripe sent it
--   p_fetched_at  the state in p_change was fetched, at that time of Stripe's clock
--   p_replay   an operator or the reconciliation applies the event anew, whatever came of it before
-- Returns {outcome, reason, leaves_open}. outcome is a ledger outcome, or "duplicate". "pending" asks the caller to fetch
-- and call again. leaves_open: earlier events of the customer can be settled now, but only with Stripe's help. An event that is pending or failed is tried anew when it comes again; what was settled is not touched.
create function billing.apply_stripe_event(
  p_event jsonb, p_change jsonb, p_payload jsonb, p_fetched_at timestamptz default null, p_replay boolean default false)
  returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_event_id constant text := p_event ->> 'id';
  v_customer_id constant text := p_event ->> 'customer_id';
  v_created constant timestamptz := to_timestamp((p_event ->> 'created')::bigint);
  v_kind constant text := p_change ->> 'kind';
  v_again constant boolean := p_replay or p_fetched_at is not null;
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
    -- A second call for an event that had to be fetched, or a replay, is no delivery.
    deliveries = ledger.deliveries + case when v_again then 0 else 1 end,
    change = case when ledger.outcome in ('pending', 'failed') or p_replay then excluded.change else ledger.change end
  returning outcome into v_recorded;
  if v_recorded not in ('pending', 'failed') and not p_replay then
    return jsonb_build_object('outcome', 'duplicate', 'reason', 'already ' || v_recorded,
      'leaves_open', v_kind = 'checkout' and billing.has_open_events(v_customer_id));
  end if;

  if v_kind is null then
    v_outcome := 'ignored';
    v_reason := 'nothing in it concerns us';

  elsif v_kind in ('subscription', 'invoice') then
    select community_id into v_community_id from billing.customers where id = v_customer_id;
    if v_community_id is null then
      v_outcome := 'parked';
      v_reason := 'no community has this customer yet';
    else
      perform from public.communities where id = v_community_id for update;
      select a.outcome, a.reason into v_outcome, v_reason from billing.apply_state(
        v_community_id, v_kind, p_change -> 'state', v_event_id, v_created, p_fetched_at) a;
    end if;

  elsif v_kind = 'checkout' then
    select a.outcome, a.reason into v_outcome, v_reason
    from billing.apply_checkout(p_change ->> 'community_id', v_customer_id) a;

  elsif v_kind = 'customer_deleted' then
    if billing.forget_customer(v_customer_id) then
      v_outcome := 'applied';
    else
      v_outcome := 'ignored';
      v_reason := 'no community has this customer';
    end if;

  elsif v_kind = 'anomaly' then
    perform billing.report_anomaly(
      p_change ->> 'anomaly', coalesce(p_event ->> 'object_id', v_event_id), null, p_change ->> 'detail');
    v_outcome := 'applied';
    v_reason := 'put before the operator';

  elsif v_kind = 'unreadable' then
    v_outcome := 'failed';
    v_reason := p_change ->> 'reason';

  else
    raise sqlstate '22023' using message = 'unknown kind of change', detail = v_kind;
  end if;

  if v_outcome = 'failed' then
    perform billing.report_anomaly('unreadable_event', v_event_id, null, v_reason);
  elsif v_recorded = 'failed' then
    perform billing.resolve_anomaly('unreadable_event', v_event_id);
  end if;
  update billing.stripe_events
  set outcome = v_outcome, reason = v_reason,
    settled_at = case when v_outcome not in ('pending', 'failed') then now() end
  where id = v_event_id;
  return jsonb_build_object('outcome', v_outcome, 'reason', v_reason,
    'leaves_open', v_kind = 'checkout' and billing.has_open_events(v_customer_id));
end $$;
comment on function billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz, boolean) is 'Records a verified Stripe event in the ledger and applies it, in one transaction. The only way a webhook changes state.';

revoke execute on function
  billing.lock_customer(text), billing.report_anomaly(text, text, text, text), billing.resolve_anomaly(text, text),
  billing.derived_plan(text), billing.derive_plan(text), billing.is_live(text), billing.store_subscription(text, jsonb, timestamptz),
  billing.past_due_since(text, timestamptz, timestamptz), billing.learn_past_due_since(text, text),
  billing.store_invoice(text, jsonb), billing.life_stage(text, text), billing.compare_state(text, jsonb, timestamptz),
  billing.apply_state(text, text, jsonb, text, timestamptz, timestamptz), billing.link_customer(text, text),
  billing.forget_customer(text, text), billing.apply_checkout(text, text), billing.has_open_events(text),
  billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz, boolean)
  from public, anon, authenticated, service_role;
-- lock_customer is harmless by itself and lets the webhook hold the customer while it asks Stripe.
grant execute on function
  billing.lock_customer(text), billing.link_customer(text, text), billing.forget_customer(text, text),
  billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz, boolean)
  to billing_service;
