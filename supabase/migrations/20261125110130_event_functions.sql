-- Stripe's events. Each call is one transaction: an event is recorded and applied, or neither. Stripe itself is never asked
-- inside one: an event that only Stripe can settle is recorded as pending, the caller asks, and billing.apply_answer stores
-- the answer if nothing has changed the object meanwhile.

-- One event as the caller read it.
--   kind  subscription, invoice   with state: what the object now is (a deleted draft has the status deleted); without: only
--                                 Stripe knows
--         checkout                a checkout of this plugin was completed, for community_id
--         customer_deleted        the customer was deleted
--         price, product          it was changed; object_status: active, archived or deleted
--         meter_errors            Stripe refused reported usage; state: {detail, refused: [{identifier, reason}]}
--         ask                     of another object; only Stripe knows what it means
--         record                  changes nothing here
--         refused                 not for this deployment; reason says why
--         unreadable              of a handled type, but not understood; reason says what
create type billing.incoming_event as (
  id text, type text, created bigint, livemode boolean, api_version text, account_id text, customer_id text,
  object_id text, object_status text, kind text, state json, state_hash text, community_id text, reason text,
  payload json);

-- The same with what becomes of it.
--   recorded_as  the outcome that it had before; null for a new event
--   is_newer     its state has to be stored
--   version      of the stored object before this event; 0 when none was stored
create type billing.judged_event as (
  e billing.incoming_event, community_id text, recorded_as text, outcome text, reason text, is_newer boolean,
  version bigint);

-- At first a minute, then longer, a week in all.
create function billing.retry_delay(p_attempts integer) returns interval
  language sql immutable security invoker
as $$
  select (array['1 minute', '1 minute', '5 minutes', '15 minutes', '1 hour', '3 hours', '6 hours', '12 hours', '1 day',
    '1 day', '2 days', '2 days']::interval[])[p_attempts + 1]
$$;
comment on function billing.retry_delay(integer) is 'How long to wait after so many failed attempts; null after the last.';

create function billing.judge_events(p_events billing.incoming_event[], p_replay boolean)
  returns billing.judged_event[]
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return (
    select array_agg(row(
      e, k.community_id, l.outcome,
      case
        when l.outcome not in ('pending', 'failed', 'given_up') and not p_replay then 'duplicate'
        when e.kind = 'record' then 'ignored'
        when e.kind = 'refused' then 'refused'
        when e.kind not in ('subscription', 'invoice') then 'special'
        -- Without a customer, Stripe has to be asked whose it is.
        when k.community_id is null and (e.customer_id is not null or e.state is not null) then 'parked'
        when e.state is null then case
          -- Stripe has been asked since.
          when to_timestamp(e.created) + interval '60 seconds' < known.fetched_at then 'applied' else 'pending' end
        else case comparison when 'older' then 'stale' when 'unclear' then 'pending' else 'applied' end
      end,
      case
        when l.outcome not in ('pending', 'failed', 'given_up') and not p_replay then 'already ' || l.outcome
        when e.kind in ('record', 'refused') then coalesce(e.reason, 'it changes nothing here')
        when e.kind not in ('subscription', 'invoice') then e.reason
        when k.community_id is null and (e.customer_id is not null or e.state is not null)
          then 'no community has this customer yet'
        when e.state is null then coalesce(e.reason, 'only Stripe knows the current state')
        when comparison = 'older' then 'a newer state is stored'
        when comparison = 'unclear' then 'cannot be ordered: only Stripe knows which state is current'
        when comparison = 'same' then coalesce(e.reason, 'this state was stored already')
        else e.reason
      end,
      comparison = 'newer', coalesce(known.version, 0))::billing.judged_event)
    from unnest(p_events) e
    left join billing.stripe_events l on l.id = e.id
    left join billing.customers k on k.id = e.customer_id
    left join lateral (
      select s.state_hash, s.as_of, s.fetched_at, s.version, billing.life_stage('subscription', s.status) as stage
      from public.subscriptions s where e.kind = 'subscription' and s.id = e.object_id
      union all
      select i.state_hash, i.as_of, i.fetched_at, i.version, billing.life_stage('invoice', i.status)
      from public.invoices i where e.kind = 'invoice' and i.id = e.object_id) known on true
    left join lateral (
      select billing.compare_states(
        billing.life_stage(e.kind, e.object_status), e.state_hash, to_timestamp(e.created),
        known.stage, known.state_hash, known.as_of, known.fetched_at) as comparison
      where e.state is not null) compared on true);
end $$;
comment on function billing.judge_events(billing.incoming_event[], boolean) is 'What each event would do to what is stored.';

-- The caller holds the customer.
create function billing.apply_checkout(p_community_id text, p_customer_id text, out outcome text, out reason text)
  language plpgsql volatile security invoker set search_path = ''
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

-- While the price of a plan, or the product of that price, is archived, nobody can buy the plan. The set-up gives each plan's
-- product the id dues_ and the plan's code.
create function billing.apply_catalog_change(
  p_kind text, p_object_id text, p_status text, out outcome text, out reason text)
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_code text;
begin
  select p.code into v_code from public.plans p
  where p.is_active and p.stripe_price_id is not null
    and case p_kind when 'price' then p.stripe_price_id = p_object_id else 'dues_' || p.code = p_object_id end;
  if p_status = 'active' or v_code is null then
    perform billing.resolve_anomaly('price_archived', p_object_id);
    outcome := 'ignored'; reason := 'it changes nothing here'; return;
  end if;
  perform billing.report_anomaly('price_archived', p_object_id, null,
    format('The %s of the plan %s is %s in Stripe, so nobody can buy that plan. Run deno task stripe:setup.',
      p_kind, v_code, p_status));
  outcome := 'applied'; reason := 'reported as an anomaly';
end $$;
comment on function billing.apply_catalog_change(text, text, text) is 'Reports or resolves the anomaly price_archived.';

-- A plan that is sold at another price, or not sold any more, does not need the old price. Security definer: the operator may
-- edit plans, but not anomalies.
create function billing.forget_old_price() returns trigger
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  perform billing.resolve_anomaly('price_archived', old.stripe_price_id);
  return null;
end $$;
comment on function billing.forget_old_price() is 'Closes the anomaly price_archived of a price that a plan is not sold at any more.';
create trigger plans_forget_old_price after update of stripe_price_id, is_active on public.plans
  for each row when (old.stripe_price_id is distinct from new.stripe_price_id or old.is_active and not new.is_active)
  execute function billing.forget_old_price();

-- Events that are no state of a subscription or invoice. The caller holds the customer and the communities. Raises 22023 for
-- an unknown kind.
create function billing.apply_special_event(p_event billing.incoming_event, out outcome text, out reason text)
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  case p_event.kind
    when 'checkout' then
      select a.outcome, a.reason into outcome, reason
      from billing.apply_checkout(p_event.community_id, p_event.customer_id) a;
    when 'customer_deleted' then
      if billing.forget_customer(p_event.customer_id) then
        outcome := 'applied';
      else
        outcome := 'ignored'; reason := 'no community has this customer';
      end if;
    when 'price', 'product' then
      select a.outcome, a.reason into outcome, reason
      from billing.apply_catalog_change(p_event.kind, p_event.object_id, p_event.object_status) a;
    when 'meter_errors' then
      perform billing.apply_meter_errors(coalesce(p_event.object_id, p_event.id), p_event.state);
      outcome := 'applied'; reason := 'reported as an anomaly';
    when 'ask' then
      outcome := 'pending'; reason := coalesce(p_event.reason, 'only Stripe knows what it means');
    when 'unreadable' then
      outcome := 'failed'; reason := p_event.reason;
    else
      raise sqlstate '22023' using message = 'unknown kind of event', detail = p_event.kind;
  end case;
end $$;
comment on function billing.apply_special_event(billing.incoming_event) is 'Does what an event means that is no state of a subscription or invoice, and returns the event''s outcome.';

-- Of customers that are nobody's, and of what is refused, only ids, type and time are kept. An event of no customer is kept
-- when it is about the price list, or has to be looked at.
--   p_community_id  the community of its customer, or null
create function billing.keeps_payload(p_kind text, p_outcome text, p_community_id text) returns boolean
  language sql immutable security invoker
as $$
  select p_outcome not in ('parked', 'refused')
    and (p_community_id is not null or p_kind in ('price', 'product', 'meter_errors') or p_outcome in ('pending', 'failed'))
$$;
comment on function billing.keeps_payload(text, text, text) is 'Whether an event''s payload is stored.';

-- Writes the rows of the event log, each once with its outcome, and counts repetitions. A replay is no delivery.
create function billing.log_events(p_judged billing.judged_event[], p_replay boolean) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  insert into billing.stripe_events as known (
    id, type, created_at, livemode, api_version, account_id, customer_id, object_id, object_status, outcome, reason,
    payload, next_attempt_at, processed_at)
  select (j.e).id, (j.e).type, to_timestamp((j.e).created), (j.e).livemode, (j.e).api_version, (j.e).account_id,
    (j.e).customer_id, (j.e).object_id, case when j.outcome not in ('parked', 'refused') then (j.e).object_status end,
    j.outcome, j.reason,
    case when billing.keeps_payload((j.e).kind, j.outcome, j.community_id) then (j.e).payload end,
    case when j.outcome in ('pending', 'failed') then now() + billing.retry_delay(0) end,
    case when j.outcome not in ('pending', 'failed') then now() end
  from unnest(p_judged) j where j.recorded_as is null;

  -- What had been recorded before is rare: one statement finds out that there is none.
  update billing.stripe_events l set
    deliveries = l.deliveries + case when p_replay then 0 else 1 end,
    outcome = case when j.outcome = 'duplicate' then l.outcome else j.outcome end,
    reason = case when j.outcome = 'duplicate' then l.reason else j.reason end,
    object_id = coalesce((j.e).object_id, l.object_id),
    object_status = coalesce(case when j.outcome not in ('parked', 'refused') then (j.e).object_status end, l.object_status),
    payload = case
      when j.outcome = 'duplicate' then l.payload
      when billing.keeps_payload((j.e).kind, j.outcome, j.community_id) then coalesce((j.e).payload, l.payload) end,
    next_attempt_at = case
      when j.outcome = 'duplicate' then l.next_attempt_at
      when j.outcome in ('pending', 'failed') then coalesce(l.next_attempt_at, now() + billing.retry_delay(0)) end,
    processed_at = case
      when j.outcome = 'duplicate' then l.processed_at
      when j.outcome not in ('pending', 'failed') then now() end
  from unnest(p_judged) j where j.recorded_as is not null and l.id = (j.e).id;

  if exists (select from unnest(p_judged) j where j.outcome = 'failed' or j.recorded_as in ('failed', 'given_up')) then
    perform case when j.outcome = 'failed'
      then billing.report_anomaly('unreadable_event', (j.e).id, j.community_id, j.reason)
      else billing.resolve_anomaly('unreadable_event', (j.e).id) end
    from unnest(p_judged) j
    where j.outcome = 'failed' or j.recorded_as in ('failed', 'given_up') and j.outcome not in ('duplicate', 'pending');
  end if;
end $$;
comment on function billing.log_events(billing.judged_event[], boolean) is 'Writes events into the event log with their outcomes.';

-- What was not judged newer is left out. The caller holds the customers and the communities.
create function billing.store_newer(p_judged billing.judged_event[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_news billing.object_news[];
  v_community_ids text[];
begin
  select array_agg(row(j.community_id, (j.e).customer_id, (j.e).state, (j.e).state_hash, to_timestamp((j.e).created), null)
      ::billing.object_news),
    array_agg(j.community_id)
  into v_news, v_community_ids
  from unnest(p_judged) j where j.is_newer and j.outcome = 'applied' and (j.e).kind = 'subscription';
  if v_news is not null then perform billing.store_news('subscription', v_news, v_community_ids); end if;

  select array_agg(row(j.community_id, (j.e).customer_id, (j.e).state, (j.e).state_hash, to_timestamp((j.e).created), null)
      ::billing.object_news),
    array_agg(j.community_id)
  into v_news, v_community_ids
  from unnest(p_judged) j where j.is_newer and j.outcome = 'applied' and (j.e).kind = 'invoice';
  if v_news is not null then perform billing.store_news('invoice', v_news, v_community_ids); end if;
end $$;
comment on function billing.store_newer(billing.judged_event[]) is 'Stores the states that events brought, and what follows.';

create function billing.store_news(p_kind text, p_news billing.object_news[], p_community_ids text[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  if p_kind = 'subscription' then
    perform billing.store_subscriptions(p_news);
  elsif not billing.store_invoices(p_news) then
    return;
  end if;
  perform billing.update_current_plans(p_community_ids);
  perform billing.check_subscriptions(p_community_ids);
end $$;
comment on function billing.store_news(text, billing.object_news[], text[]) is 'Stores the newest states of subscriptions or invoices of these communities, and the plans and anomalies that follow.';

-- An event that brings nothing new may still say how recent what is stored is, and since when a payment is overdue.
create function billing.note_confirmations(p_judged billing.judged_event[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_overdue text[];
begin
  update public.subscriptions s set as_of = to_timestamp((j.e).created), confirmed_at = now(), version = s.version + 1
  from unnest(p_judged) j
  where s.id = (j.e).object_id and s.state_hash = (j.e).state_hash and j.outcome = 'applied' and not j.is_newer
    and s.as_of < to_timestamp((j.e).created);
  update public.invoices i set as_of = to_timestamp((j.e).created), confirmed_at = now(), version = i.version + 1
  from unnest(p_judged) j
  where i.id = (j.e).object_id and i.state_hash = (j.e).state_hash and j.outcome = 'applied' and not j.is_newer
    and i.as_of < to_timestamp((j.e).created);

  select array_agg(s.id) into v_overdue
  from unnest(p_judged) j join public.subscriptions s on s.id = (j.e).object_id
  where s.status = 'past_due' and j.is_newer is not true and j.outcome in ('applied', 'stale', 'pending');
  if v_overdue is not null then perform billing.refresh_subscriptions_of(v_overdue); end if;
end $$;
comment on function billing.note_confirmations(billing.judged_event[]) is 'Takes events into account that brought no newer state.';

-- Most events by far: a subscription that went on, goes on, and sells a plan before and after. What could need more (an anomaly,
-- a grace period, a schedule, an earlier record of the event) is left to the general way. With a handful of statements for
-- one row each, this costs a fraction of that. The caller holds the customer.
-- Returns the version of the subscription before the event; null when nothing was done.
create function billing.apply_plain_event(e billing.incoming_event) returns bigint
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_created constant timestamptz := to_timestamp(e.created);
  known record;
  n public.subscriptions;
  sold record;
  v_decides_plan boolean;
begin
  if e.kind <> 'subscription' or e.state is null or e.object_status not in ('active', 'trialing') then return null; end if;
  select k.community_id, s.version, s.gives_plan_id, s.gives_plan_until into known
  from billing.customers k join public.subscriptions s on s.community_id = k.community_id
  where k.id = e.customer_id and s.id = e.object_id and s.customer_id = e.customer_id
    and s.status in ('active', 'trialing') and s.plan_id is not null and s.missing_since is null
    and s.state_hash <> e.state_hash and s.as_of < v_created
    and (s.fetched_at is null or s.fetched_at + interval '60 seconds' < v_created);
  if not found then return null; end if;
  n := json_populate_record(null::public.subscriptions, e.state);
  select p.plan_id, p.stripe_price_id into sold from billing.plan_of_prices(n.price_ids) p;
  if not found or n.schedule is not null then return null; end if;

  insert into billing.stripe_events (
    id, type, created_at, livemode, api_version, account_id, customer_id, object_id, object_status, outcome, reason,
    payload, processed_at)
  values (
    e.id, e.type, v_created, e.livemode, e.api_version, e.account_id, e.customer_id, e.object_id, e.object_status,
    'applied', e.reason, e.payload, now())
  on conflict (id) do nothing;
  if not found then return null; end if;

  v_decides_plan := known.gives_plan_id <> sold.plan_id or known.gives_plan_until < 'infinity';
  if v_decides_plan then
    perform from public.communities c where c.id = known.community_id for no key update;
  end if;
  update public.subscriptions s set
    status = n.status, items = n.items, price_ids = n.price_ids, currency = n.currency,
    current_period_start = n.current_period_start, current_period_end = n.current_period_end,
    trial_start = n.trial_start, trial_end = n.trial_end, cancel_at = n.cancel_at, canceled_at = n.canceled_at,
    ended_at = n.ended_at, cancellation_reason = n.cancellation_reason,
    cancellation_feedback = n.cancellation_feedback, cancellation_comment = n.cancellation_comment,
    collection_method = n.collection_method, pause_collection = n.pause_collection, schedule = null,
    pending_update = n.pending_update, discounts = n.discounts, latest_invoice_id = n.latest_invoice_id,
    started_at = n.started_at, plan_id = sold.plan_id, stripe_price_id = sold.stripe_price_id,
    quantity = item.quantity, unit_amount = item.unit_amount, billing_interval = item.interval,
    interval_count = item.interval_count, next_plan_id = null, next_change_at = null, not_past_due_at = v_created,
    gives_plan_id = sold.plan_id, gives_plan_until = 'infinity', state_hash = e.state_hash, as_of = v_created,
    fetched_at = null, confirmed_at = now(), version = s.version + 1
  from billing.main_item(n.items, sold.stripe_price_id) item
  where s.id = e.object_id;

  if v_decides_plan then
    update public.communities c set current_plan_id = sold.plan_id, plan_until = 'infinity'
    where c.id = known.community_id and not exists (
      select from public.subscriptions other
      where other.community_id = c.id and other.id <> e.object_id and other.gives_plan_until > now());
    if not found then perform billing.update_current_plans(array[known.community_id]); end if;
  end if;
  return known.version;
end $$;
comment on function billing.apply_plain_event(billing.incoming_event) is 'Records and applies an event of a subscription that goes on with a plan; null when it is not such an event.';

-- The one call behind every webhook, for one event or for as many as wait: of each customer, and of each object, at most one.
-- A call that fails changes nothing for any of them; the caller then makes one call for each.
--   p_events   [billing.incoming_event]
--   p_replay   not a delivery: an operator applies the events anew, whatever their outcome, or Stripe has been asked
-- Returns [{id, outcome, reason, version, asked_at, opens}]. outcome is one of the event log, or "duplicate". With "pending"
-- the caller asks Stripe, and hands the answer to billing.apply_answer with version and asked_at. opens: a customer was
-- linked, and its earlier events can be settled now (billing.claim_events_of). Raises 22023.
create function billing.process_events(p_events json, p_replay boolean default false) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_events billing.incoming_event[];
  v_event billing.incoming_event;
  v_others billing.incoming_event[];
  v_version bigint;
  v_answers jsonb := '[]';
  v_judged billing.judged_event[];
  v_special record;
begin
  select array_agg(e) into v_events from json_populate_recordset(null::billing.incoming_event, p_events) e;
  -- An event of no customer is locked itself, so that two deliveries of it do not both insert it.
  perform billing.lock_customers(array(select coalesce(e.customer_id, e.id) from unnest(v_events) e));
  if not p_replay then
    if array_length(v_events, 1) > 1 then
      perform billing.lock_communities(array(
        select k.community_id from unnest(v_events) e join billing.customers k on k.id = e.customer_id
        union select e.community_id from unnest(v_events) e where e.community_id is not null));
    end if;
    foreach v_event in array v_events loop
      v_version := billing.apply_plain_event(v_event);
      if v_version is null then
        v_others := v_others || v_event;
      else
        v_answers := v_answers || jsonb_build_object(
          'id', v_event.id, 'outcome', 'applied', 'reason', v_event.reason, 'version', v_version, 'asked_at', null,
          'opens', false);
      end if;
    end loop;
    if v_others is null then return v_answers; end if;
    v_events := v_others;
  end if;
  v_judged := billing.judge_events(v_events, p_replay);
  perform billing.lock_communities(array(
    select id from unnest(v_judged) j cross join lateral (values (j.community_id), ((j.e).community_id)) touched(id)
    where j.outcome in ('applied', 'stale', 'pending', 'special') and id is not null));

  if exists (select from unnest(v_judged) j where j.outcome = 'special') then
    for v_special in
      select j.place, (j.e).customer_id, a.outcome, a.reason
      from unnest(v_judged) with ordinality j(e, community_id, recorded_as, outcome, reason, is_newer, version, place)
      cross join lateral billing.apply_special_event(j.e) a where j.outcome = 'special'
    loop
      v_judged[v_special.place].outcome := v_special.outcome;
      v_judged[v_special.place].reason := v_special.reason;
      -- It may have been linked just now.
      v_judged[v_special.place].community_id := (
        select k.community_id from billing.customers k where k.id = v_special.customer_id);
    end loop;
  end if;
  perform billing.log_events(v_judged, p_replay);
  perform billing.store_newer(v_judged);
  if exists (
    select from unnest(v_judged) j
    where j.is_newer is not true and j.outcome in ('applied', 'stale', 'pending')
      and (j.e).kind in ('subscription', 'invoice'))
  then
    perform billing.note_confirmations(v_judged);
  end if;

  return v_answers || (
    select jsonb_agg(jsonb_build_object(
      'id', (j.e).id, 'outcome', j.outcome, 'reason', j.reason, 'version', j.version,
      'asked_at', case when j.outcome = 'pending' then clock_timestamp() end,
      'opens', case when (j.e).kind = 'checkout' and j.outcome = 'applied' then exists (
        select from billing.stripe_events l where l.customer_id = (j.e).customer_id and l.outcome = 'pending')
        else false end))
    from unnest(v_judged) j);
end $$;
comment on function billing.process_events(json, boolean) is 'Records verified Stripe events in the event log and applies them, in one transaction. The only way a webhook changes state.';

-- What the answer about an object settles: every open event of it that was recorded before Stripe was asked, and those that
-- had been given up.
create function billing.close_events(
  p_object_id text, p_customer_id text, p_asked_at timestamptz, p_outcome text, p_reason text) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_closed text[];
begin
  with closed as (
    update billing.stripe_events l set
      outcome = p_outcome, reason = p_reason, next_attempt_at = null, processed_at = now(),
      customer_id = coalesce(l.customer_id, p_customer_id),
      payload = case when p_outcome <> 'parked' then l.payload end,
      object_status = case when p_outcome <> 'parked' then l.object_status end
    where l.object_id = p_object_id and l.outcome in ('pending', 'failed', 'given_up') and l.received_at <= p_asked_at
    returning l.id
  )
  select array_agg(id) into v_closed from closed;
  if v_closed is not null then
    update billing.anomalies a set resolved_at = now()
    where a.kind = 'unreadable_event' and a.object_id = any (v_closed) and a.resolved_at is null;
  end if;
end $$;
comment on function billing.close_events(text, text, timestamptz, text, text) is 'Closes the open events of an object that an answer of Stripe''s covers.';

-- Stores what Stripe answered about one object, if nothing has changed it since Stripe was asked. Every event of it that was
-- recorded before Stripe was asked is closed by the answer.
--   p_customer_id  of the object; null when it is not known
--   p_state        null: Stripe does not know the object
--   p_fetched_at   Stripe's clock at the answer
--   p_asked_at     the database's clock before the question
--   p_version      the version before the question
-- Returns {outcome, was, is_new, is_open}. outcome: applied; changed (the answer was not stored); parked (its customer is nobody's); missing (it is stored, and
-- Stripe does not know it); gone (Stripe does not know it, and nothing is left to do). was: the status before, or null. is_new: what is stored was not
-- what Stripe answered. is_open: an event that the answer would cover is still open; Stripe has to be asked again.
create function billing.apply_answer(
  p_kind text, p_object_id text, p_customer_id text, p_state json, p_state_hash text, p_fetched_at timestamptz,
  p_asked_at timestamptz, p_version bigint) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_known record;
  v_community_id text;
  v_customer_id text := p_customer_id;
  v_outcome text := 'applied';
  v_created timestamptz;
begin
  if v_customer_id is null then
    select coalesce(
      (select s.customer_id from public.subscriptions s where s.id = p_object_id),
      (select i.customer_id from public.invoices i where i.id = p_object_id)) into v_customer_id;
  end if;
  perform billing.lock_customers(array[coalesce(v_customer_id, p_object_id)]);
  select coalesce(k.community_id, v.community_id) as community_id, coalesce(v.version, 0) as version, v.status, v.state_hash into v_known
  from (select) always
  left join billing.customers k on k.id = v_customer_id
  left join lateral (
    select s.community_id, s.version, s.status, s.state_hash from public.subscriptions s
    where p_kind = 'subscription' and s.id = p_object_id
    union all
    select i.community_id, i.version, i.status, i.state_hash from public.invoices i
    where p_kind = 'invoice' and i.id = p_object_id) v on true;
  -- What is stored may be the same by now: somebody else asked, or an event brought it.
  if v_known.version <> p_version and v_known.state_hash is distinct from p_state_hash then
    return jsonb_build_object('outcome', 'changed', 'was', v_known.status, 'is_new', false, 'is_open', exists (
      select from billing.stripe_events l
      where l.object_id = p_object_id and l.outcome in ('pending', 'failed') and l.received_at <= p_asked_at));
  end if;
  v_community_id := v_known.community_id;

  if p_state is null then
    perform billing.lock_communities(array[v_community_id]);
    v_outcome := case when billing.note_missing(
      p_kind, p_object_id, v_community_id, v_customer_id) then 'missing' else 'gone' end;
  elsif v_community_id is null then
    v_outcome := 'parked';
  else
    perform billing.lock_communities(array[v_community_id]);
    select max(l.created_at) into v_created from billing.stripe_events l
    where l.object_id = p_object_id and l.outcome in ('pending', 'failed', 'given_up') and l.received_at <= p_asked_at;
    perform billing.store_news(p_kind, array[row(
      v_community_id, v_customer_id, p_state, p_state_hash, v_created, p_fetched_at)::billing.object_news],
      array[v_community_id]);
    perform billing.resolve_anomaly('missing_in_stripe', p_object_id);
    perform billing.resolve_anomaly('unreadable_object', p_object_id);
  end if;
  perform billing.close_events(p_object_id, v_customer_id, p_asked_at,
    case v_outcome when 'parked' then 'parked' when 'gone' then 'ignored' else 'applied' end,
    case v_outcome when 'parked' then 'no community has this customer yet' when 'applied' then 'settled by asking Stripe'
      else 'Stripe does not know the object any more' end);
  delete from billing.object_failures f where f.object_id = p_object_id;
  return jsonb_build_object('outcome', v_outcome, 'was', v_known.status,
    'is_new', p_state_hash is null or p_state_hash is distinct from v_known.state_hash, 'is_open', false);
end $$;
comment on function billing.apply_answer(text, text, text, json, text, timestamptz, timestamptz, bigint) is 'Stores what Stripe answered about a subscription or invoice, unless it was changed since Stripe was asked.';

-- What has to be known before Stripe is asked about an object: {version, asked_at}.
create function billing.before_asking(p_kind text, p_object_id text) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  return jsonb_build_object('asked_at', clock_timestamp(), 'version', coalesce(
    (select s.version from public.subscriptions s where p_kind = 'subscription' and s.id = p_object_id),
    (select i.version from public.invoices i where p_kind = 'invoice' and i.id = p_object_id), 0));
end $$;
comment on function billing.before_asking(text, text) is 'The version of a stored object, 0 when it is not stored, and the time.';

-- Claimed events are not due for two minutes, so that two runs do not do the same. Whoever claims them settles each, or
-- reports its failure. A run that dies has used up the attempt.
create function billing.claim_events(p_limit integer default 20) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  return billing.claimed_events(array(
    select l.id from billing.stripe_events l
    where l.outcome in ('pending', 'failed') and l.next_attempt_at <= now()
    order by l.next_attempt_at, l.created_at, l.id limit p_limit for update skip locked));
end $$;
comment on function billing.claim_events(integer) is 'Claims open events of the event log that are due, the longest waiting first.';

-- A function of its own: one query for both would use no index.
create function billing.claim_events_of(p_customer_id text) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  return billing.claimed_events(array(
    select l.id from billing.stripe_events l
    where l.customer_id = p_customer_id and l.outcome in ('pending', 'failed')
    order by l.created_at, l.id limit 100 for update skip locked));
end $$;
comment on function billing.claim_events_of(text) is 'Claims the open events of one customer.';

create function billing.claimed_events(p_ids text[]) returns jsonb
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_claimed jsonb;
begin
  with claimed as (
    update billing.stripe_events l set attempts = l.attempts + 1, next_attempt_at = now() + interval '2 minutes'
    where l.id = any (p_ids) returning l.*
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', c.id, 'type', c.type, 'created', extract(epoch from c.created_at)::bigint, 'livemode', c.livemode,
    'api_version', c.api_version, 'customer_id', c.customer_id, 'object_id', c.object_id, 'payload', c.payload::text)
    order by c.created_at, c.id), '[]')
  into v_claimed from claimed c;
  return v_claimed;
end $$;
comment on function billing.claimed_events(text[]) is 'Claims events of the event log and returns what is needed to settle them.';

-- They go to the back of the queue; after the last attempt a person has to look.
--   p_outcome  pending: Stripe could not be asked; failed: it was asked, and is not understood
create function billing.note_failed_attempt(p_event_ids text[], p_outcome text, p_error text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  update billing.stripe_events l set
    outcome = case when billing.retry_delay(l.attempts) is null then 'given_up' else p_outcome end,
    reason = left(p_error, 2000),
    next_attempt_at = now() + billing.retry_delay(l.attempts),
    processed_at = case when billing.retry_delay(l.attempts) is null then now() end
  where l.id = any (p_event_ids) and l.outcome in ('pending', 'failed');
  perform billing.report_anomaly('unreadable_event', l.id,
    (select k.community_id from billing.customers k where k.id = l.customer_id), l.reason)
  from billing.stripe_events l where l.id = any (p_event_ids) and l.outcome in ('failed', 'given_up');
end $$;
comment on function billing.note_failed_attempt(text[], text, text) is 'Says when events whose attempt failed are tried again, or gives them up.';

-- For an operator, who does not want to wait, nor for what was given up.
create function billing.make_all_due() returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  update billing.stripe_events l set next_attempt_at = now()
  where l.outcome in ('pending', 'failed') and l.next_attempt_at > now();
  update billing.stripe_events l set outcome = 'failed', attempts = 0, next_attempt_at = now(), processed_at = null
  where l.outcome = 'given_up';
  update billing.object_failures f set next_attempt_at = now()
  where f.next_attempt_at is null or f.next_attempt_at > now();
end $$;
comment on function billing.make_all_due() is 'Makes every open event and failed object due for an attempt now.';

-- In batches, so that no call holds many rows: it is called until it returns less than p_limit.
create function billing.reduce_payloads(p_keep interval default '90 days', p_limit integer default 1000) returns integer
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_reduced integer;
begin
  update billing.stripe_events l set payload = null
  where l.id in (
    select r.id from billing.stripe_events r
    where r.payload is not null and r.received_at < now() - p_keep
    order by r.received_at limit p_limit for update skip locked);
  get diagnostics v_reduced = row_count;
  return v_reduced;
end $$;
comment on function billing.reduce_payloads(interval, integer) is 'Removes payloads that are older than p_keep, whatever the outcome of their events. Returns how many.';

revoke execute on function
  billing.retry_delay(integer), billing.apply_plain_event(billing.incoming_event), billing.judge_events(billing.incoming_event[], boolean), billing.apply_checkout(text, text),
  billing.apply_catalog_change(text, text, text), billing.forget_old_price(),
  billing.apply_special_event(billing.incoming_event),
  billing.keeps_payload(text, text, text), billing.log_events(billing.judged_event[], boolean),
  billing.store_newer(billing.judged_event[]), billing.store_news(text, billing.object_news[], text[]),
  billing.note_confirmations(billing.judged_event[]), billing.process_events(json, boolean),
  billing.close_events(text, text, timestamptz, text, text),
  billing.apply_answer(text, text, text, json, text, timestamptz, timestamptz, bigint), billing.before_asking(text, text),
  billing.claim_events(integer), billing.claim_events_of(text), billing.claimed_events(text[]),
  billing.note_failed_attempt(text[], text, text), billing.make_all_due(), billing.reduce_payloads(interval, integer)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.process_events(json, boolean), billing.apply_answer(text, text, text, json, text, timestamptz, timestamptz, bigint),
  billing.before_asking(text, text), billing.claim_events(integer), billing.claim_events_of(text),
  billing.note_failed_attempt(text[], text, text), billing.make_all_due(), billing.reduce_payloads(interval, integer)
  to billing_service;
