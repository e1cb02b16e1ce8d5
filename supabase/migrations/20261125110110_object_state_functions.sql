-- The stored state of subscriptions and invoices: what is newer, and what follows when it is stored.
--
-- Locks are taken in the same order everywhere, so that no two calls wait for each other: customer, event, community, the
-- rest. The functions here expect the caller to hold the customer and the community.

-- Each comparison ignores these keys: Stripe writes new addresses each time it is asked.
create function billing.without_volatile_keys(p_state jsonb) returns jsonb
  language sql immutable security invoker set search_path = ''
as $$ select p_state - array['hosted_invoice_url', 'invoice_pdf'] $$;
comment on function billing.without_volatile_keys(jsonb) is 'The part of an object''s state that says whether it has changed.';

-- A later stage is newer whatever its time says: a subscription that has ended stays ended, and a finalized invoice does not
-- become a draft again.
create function billing.life_stage(p_kind text, p_status text) returns integer
  language sql immutable security invoker set search_path = ''
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

-- Stripe's times have a resolution of one second, and its events come in any order.
--   newer    store it
--   same     it is stored already
--   older    leave it
--   unclear  two different states in one second, or a state from around the time of the last fetch: only Stripe knows which
--            is current, so the caller fetches it (and holds the customer's lock meanwhile)
create function billing.compare_state(p_kind text, p_state jsonb, p_created timestamptz) returns text
  language plpgsql stable security invoker set search_path = ''
as $$
declare
  -- More than two of Stripe's clocks can differ.
  clock_margin constant interval := interval '60 seconds';
  known billing.object_sync;
  v_step integer;
begin
  select * into known from billing.object_sync where object_id = p_state ->> 'id';
  if known.object_id is null then return 'newer'; end if;
  if billing.without_volatile_keys(known.state) = billing.without_volatile_keys(p_state) then return 'same'; end if;
  v_step := billing.life_stage(p_kind, p_state ->> 'status') - billing.life_stage(p_kind, known.state ->> 'status');
  if v_step < 0 then return 'older'; end if;
  if v_step > 0 then return 'newer'; end if;
  if p_created < known.state_as_of then return 'older'; end if;
  if p_created = known.state_as_of then return 'unclear'; end if;
  if p_created <= known.fetched_at + clock_margin then return 'unclear'; end if;
  return 'newer';
end $$;
comment on function billing.compare_state(text, jsonb, timestamptz) is 'Whether a state of a Stripe object is newer, same, older or unclear, compared with the stored one.';

-- The first time that Stripe reported past_due after the last time that it reported another status. Read from the event log,
-- because events come in any order. Where the log has been reduced, the known time counts.
create function billing.past_due_since(p_subscription_id text, p_known timestamptz, p_as_of timestamptz) returns timestamptz
  language sql stable security invoker set search_path = ''
as $$
  with reported as (
    select created_at, payload #>> '{data,object,status}' as status from billing.stripe_events
    where object_id = p_subscription_id and type like 'customer.subscription.%'
  ), otherwise as (
    select coalesce(max(created_at) filter (where status <> 'past_due'), '-infinity') as last_at from reported
  )
  select coalesce(
    least(
      min(reported.created_at) filter (where reported.status = 'past_due' and reported.created_at >= last_at),
      case when p_known >= max(last_at) then p_known end),
    p_as_of)
  from otherwise left join reported on true
$$;
comment on function billing.past_due_since(text, timestamptz, timestamptz) is 'When the payment of a past_due subscription first failed.';

-- An old or repeated event of a subscription changes no state, but may show that the grace period began earlier.
create function billing.update_past_due_since(p_community_id text, p_subscription_id text) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  update public.subscriptions s set past_due_since = billing.past_due_since(s.id, s.past_due_since, s.past_due_since)
  where s.id = p_subscription_id and s.status = 'past_due';
  if found then perform billing.update_current_plan(p_community_id); end if;
end $$;
comment on function billing.update_past_due_since(text, text) is 'Takes a late event of a past_due subscription into account.';

create function billing.check_subscription(p_subscription_id text, p_community_id text) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_subscription public.subscriptions;
  v_live integer;
begin
  select * into v_subscription from public.subscriptions s where s.id = p_subscription_id;
  if v_subscription.plan_id is null and billing.is_live(v_subscription.status) then
    perform billing.report_anomaly('unknown_price', p_subscription_id, p_community_id,
      'No plan has the price ' || v_subscription.stripe_price_id || '. The community keeps the plan it had.');
  else
    perform billing.resolve_anomaly('unknown_price', p_subscription_id);
  end if;

  select count(*) into v_live from public.subscriptions where community_id = p_community_id and billing.is_live(status);
  if v_live > 1 then
    perform billing.report_anomaly('several_subscriptions', p_community_id, p_community_id,
      v_live || ' subscriptions go on at once. The plan of highest rank counts; cancel the others in Stripe.');
  else
    perform billing.resolve_anomaly('several_subscriptions', p_community_id);
  end if;
end $$;
comment on function billing.check_subscription(text, text) is 'Reports or resolves the anomalies unknown_price and several_subscriptions.';

-- The caller has decided that this state is the newest.
create function billing.store_subscription(p_community_id text, p_state jsonb, p_as_of timestamptz) returns void
  language plpgsql volatile security invoker set search_path = ''
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
    s.id, p_community_id,
    (select p.plan_id from billing.plan_prices p where p.stripe_price_id = s.stripe_price_id),
    s.stripe_price_id, s.status, s.current_period_start, s.current_period_end, s.trial_end,
    s.cancel_at, s.canceled_at, s.ended_at,
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
    -- The grace period starts at the first failure, not at the latest event about it.
    past_due_since = case when excluded.status = 'past_due'
      then billing.past_due_since(excluded.id, known.past_due_since, p_as_of) end,
    payment_issue = excluded.payment_issue,
    metered_item_id = excluded.metered_item_id,
    started_at = excluded.started_at;

  perform billing.check_subscription(s.id, p_community_id);
  perform billing.update_current_plan(p_community_id);
end $$;
comment on function billing.store_subscription(text, jsonb, timestamptz) is 'Stores a subscription''s state, its anomalies, and the plan in force that follows.';

create function billing.store_invoice(p_community_id text, p_state jsonb) returns void
  language sql volatile security invoker set search_path = ''
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
comment on function billing.store_invoice(text, jsonb) is 'Stores an invoice''s state.';

-- Webhook, replay and reconciliation all end here.
--   p_created     when the event that brought the state was created; null when it was fetched without an event
--   p_fetched_at  when the state was fetched, by Stripe's clock: it is current by definition; null when an event brought it
create function billing.apply_state(
  p_community_id text, p_kind text, p_state jsonb, p_event_id text, p_created timestamptz, p_fetched_at timestamptz,
  out outcome text, out reason text)
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_comparison text;
begin
  -- A fetched state is stored even when it is known: somebody may have changed the row by hand.
  v_comparison := case when p_fetched_at is null then billing.compare_state(p_kind, p_state, p_created) else 'newer' end;

  if v_comparison = 'unclear' then
    outcome := 'pending'; reason := 'cannot be ordered: the current state has to be fetched'; return;
  elsif v_comparison in ('older', 'same') and p_kind = 'subscription' then
    perform billing.update_past_due_since(p_community_id, p_state ->> 'id');
  end if;

  if v_comparison = 'older' then
    outcome := 'stale'; reason := 'a newer state is stored'; return;
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
    -- An event with the fetched state does not bring the events that the fetch was ahead of.
    fetched_at = case when v_comparison = 'same' then greatest(known.fetched_at, excluded.fetched_at) else excluded.fetched_at end,
    confirmed_at = now(),
    event_id = coalesce(excluded.event_id, known.event_id);

  outcome := 'applied';
  reason := case
    when v_comparison = 'same' then 'this state was stored already'
    when p_fetched_at is not null then 'the current state was fetched'
  end;
end $$;
comment on function billing.apply_state(text, text, jsonb, text, timestamptz, timestamptz) is 'Compares a state of a subscription or invoice with the stored one, and stores it when it is newer.';

revoke execute on function
  billing.without_volatile_keys(jsonb), billing.life_stage(text, text), billing.compare_state(text, jsonb, timestamptz),
  billing.past_due_since(text, timestamptz, timestamptz), billing.update_past_due_since(text, text),
  billing.check_subscription(text, text), billing.store_subscription(text, jsonb, timestamptz),
  billing.store_invoice(text, jsonb), billing.apply_state(text, text, jsonb, text, timestamptz, timestamptz)
  from public, anon, authenticated, service_role;
