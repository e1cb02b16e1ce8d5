-- Stripe's events: each call is one transaction, so that an event is recorded and applied, or neither.

create function billing.set_event_outcome(p_event_id text, p_outcome text, p_reason text) returns void
  language sql volatile security invoker set search_path = ''
as $$
  update billing.stripe_events
  set outcome = p_outcome, reason = p_reason,
    processed_at = case when p_outcome not in ('pending', 'failed') then now() end
  where id = p_event_id
$$;
comment on function billing.set_event_outcome(text, text, text) is 'Notes in the event log how an event was processed.';

-- An event that is pending or failed is read anew each time it is delivered; of a processed one only the delivery is
-- counted, unless it is a replay.
--   p_is_delivery  false for a replay, or the second call for an event whose state had to be fetched
create function billing.record_stripe_event(
  p_event jsonb, p_change jsonb, p_payload jsonb, p_is_delivery boolean, p_replay boolean) returns text
  language sql volatile security invoker set search_path = ''
as $$
  insert into billing.stripe_events as known (
    id, type, created_at, livemode, api_version, customer_id, object_id, outcome, change, payload)
  values (
    p_event ->> 'id', p_event ->> 'type', to_timestamp((p_event ->> 'created')::bigint),
    (p_event ->> 'livemode')::boolean, p_event ->> 'api_version', p_event ->> 'customer_id', p_event ->> 'object_id',
    'pending', p_change, p_payload)
  on conflict (id) do update set
    deliveries = known.deliveries + case when p_is_delivery then 1 else 0 end,
    change = case when known.outcome in ('pending', 'failed') or p_replay then excluded.change else known.change end
  returning outcome
$$;
comment on function billing.record_stripe_event(jsonb, jsonb, jsonb, boolean, boolean) is 'Writes an event into the event log and returns the outcome it has so far; pending for a new one.';

-- The caller holds the customer.
create function billing.apply_object_change(
  p_event jsonb, p_change jsonb, p_fetched_at timestamptz, out outcome text, out reason text)
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_community_id text;
begin
  select community_id into v_community_id from billing.customers where id = p_event ->> 'customer_id';
  if v_community_id is null then
    outcome := 'parked'; reason := 'no community has this customer yet'; return;
  end if;
  perform from public.communities where id = v_community_id for update;
  select a.outcome, a.reason into outcome, reason from billing.apply_state(
    v_community_id, p_change ->> 'kind', p_change -> 'state', p_event ->> 'id',
    to_timestamp((p_event ->> 'created')::bigint), p_fetched_at) a;
end $$;
comment on function billing.apply_object_change(jsonb, jsonb, timestamptz) is 'Applies the state of a subscription or invoice that an event brought, or parks the event.';

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

-- The caller holds the customer. Raises 22023 for an unknown kind of change. p_change is as in apply_stripe_event.
create function billing.apply_change(
  p_event jsonb, p_change jsonb, p_fetched_at timestamptz, out outcome text, out reason text)
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_customer_id constant text := p_event ->> 'customer_id';
  v_kind constant text := p_change ->> 'kind';
begin
  if v_kind is null then
    outcome := 'ignored'; reason := 'it changes nothing here';
  elsif v_kind in ('subscription', 'invoice') then
    select a.outcome, a.reason into outcome, reason from billing.apply_object_change(p_event, p_change, p_fetched_at) a;
  elsif v_kind = 'checkout' then
    select a.outcome, a.reason into outcome, reason
    from billing.apply_checkout(p_change ->> 'community_id', v_customer_id) a;
  elsif v_kind = 'customer_deleted' then
    if billing.forget_customer(v_customer_id) then
      outcome := 'applied';
    else
      outcome := 'ignored'; reason := 'no community has this customer';
    end if;
  elsif v_kind = 'anomaly' then
    perform billing.report_anomaly(
      p_change ->> 'anomaly', coalesce(p_event ->> 'object_id', p_event ->> 'id'), null, p_change ->> 'detail');
    outcome := 'applied'; reason := 'reported as an anomaly';
  elsif v_kind = 'unreadable' then
    outcome := 'failed'; reason := p_change ->> 'reason';
  else
    raise sqlstate '22023' using message = 'unknown kind of change', detail = v_kind;
  end if;
end $$;
comment on function billing.apply_change(jsonb, jsonb, timestamptz) is 'Does what an event means, and returns the event''s outcome.';

create function billing.has_open_events(p_customer_id text) returns boolean
  language sql stable security invoker set search_path = ''
as $$ select exists (select from billing.stripe_events where customer_id = p_customer_id and outcome = 'pending') $$;
comment on function billing.has_open_events(text) is 'Whether events of this customer wait for a state to be fetched from Stripe.';

-- The one call behind every webhook.
--   p_event       {id, type, created (unix seconds), livemode, api_version, customer_id, object_id}
--   p_change      what the event means here, or null when it changes nothing:
--                 {kind: "subscription" or "invoice", state: {…}}  the object's state now
--                 {kind: "checkout", community_id}                 a checkout of this plugin was completed
--                 {kind: "customer_deleted"}                       the customer was deleted in Stripe
--                 {kind: "anomaly", anomaly, detail}               something for the operator
--                 {kind: "unreadable", reason}                     of a handled type, but not understood
--   p_payload     the event as Stripe sent it
--   p_fetched_at  set when the state in p_change was fetched: Stripe's clock at that moment
--   p_replay      an operator or the reconciliation applies the event again, whatever its outcome
--
-- Returns {outcome, reason, leaves_open}. outcome is one of the event log, or "duplicate". With "pending" the caller has to
-- fetch the state and call again. leaves_open: earlier events of the customer can be processed now, once their state is
-- fetched. An event that is pending or failed is tried again when it is delivered again. Raises 22023.
create function billing.apply_stripe_event(
  p_event jsonb, p_change jsonb, p_payload jsonb, p_fetched_at timestamptz default null, p_replay boolean default false)
  returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_event_id constant text := p_event ->> 'id';
  v_customer_id constant text := p_event ->> 'customer_id';
  v_is_delivery constant boolean := not p_replay and p_fetched_at is null;
  v_before text;
  v_outcome text;
  v_reason text;
begin
  if v_customer_id is not null then perform billing.lock_customer(v_customer_id); end if;

  v_before := billing.record_stripe_event(p_event, p_change, p_payload, v_is_delivery, p_replay);
  if v_before not in ('pending', 'failed') and not p_replay then
    v_outcome := 'duplicate';
    v_reason := 'already ' || v_before;
  else
    select a.outcome, a.reason into v_outcome, v_reason from billing.apply_change(p_event, p_change, p_fetched_at) a;
    if v_outcome = 'failed' then
      perform billing.report_anomaly('unreadable_event', v_event_id, null, v_reason);
    elsif v_before = 'failed' then
      perform billing.resolve_anomaly('unreadable_event', v_event_id);
    end if;
    perform billing.set_event_outcome(v_event_id, v_outcome, v_reason);
  end if;
  return jsonb_build_object('outcome', v_outcome, 'reason', v_reason,
    'leaves_open', p_change ->> 'kind' = 'checkout' and billing.has_open_events(v_customer_id));
end $$;
comment on function billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz, boolean) is 'Records a verified Stripe event in the event log and applies it, in one transaction. The only way a webhook changes state.';

-- Oldest first. p_customer_id null: of all customers.
create function billing.open_events(p_customer_id text default null, p_limit integer default 500) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(payload order by created_at, id), '[]')
  from (
    select payload, created_at, id from billing.stripe_events e
    where (p_customer_id is null or customer_id = p_customer_id)
      and (outcome in ('pending', 'failed')
        or (outcome = 'parked' and exists (select from billing.customers c where c.id = e.customer_id)))
    order by created_at, id limit p_limit) open
$$;
comment on function billing.open_events(text, integer) is 'The payloads of events that are recorded but not processed, and could be now.';

create function billing.reduce_payloads(p_keep interval default '90 days') returns integer
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_reduced integer;
begin
  update billing.stripe_events
  set payload = jsonb_build_object('id', id, 'type', type, 'object_id', object_id, 'customer_id', customer_id), change = null
  where outcome not in ('pending', 'failed', 'parked') and received_at < now() - p_keep and payload ? 'data';
  get diagnostics v_reduced = row_count;
  return v_reduced;
end $$;
comment on function billing.reduce_payloads(interval) is 'Reduces the payloads of processed events that are older than p_keep to their ids. Returns how many.';

revoke execute on function
  billing.set_event_outcome(text, text, text), billing.record_stripe_event(jsonb, jsonb, jsonb, boolean, boolean),
  billing.apply_object_change(jsonb, jsonb, timestamptz), billing.apply_checkout(text, text),
  billing.apply_change(jsonb, jsonb, timestamptz), billing.has_open_events(text),
  billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz, boolean), billing.open_events(text, integer),
  billing.reduce_payloads(interval)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.apply_stripe_event(jsonb, jsonb, jsonb, timestamptz, boolean), billing.open_events(text, integer),
  billing.reduce_payloads(interval)
  to billing_service;
