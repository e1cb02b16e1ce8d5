-- What the reconciliation asks and tells the database. It compares what Stripe has with what we know, has differences
-- settled one by one through the same apply function as the webhook, and tidies up. Every step may be repeated and
-- interrupted; two runs at once do the work twice and nothing worse.

-- Begins a run. Missed events are looked for since the start of the last run that had caught up with them, whatever became
-- of it then, with an hour to spare; the first run looks back as far as Stripe keeps events (30 days,
-- https://docs.stripe.com/api/events).
create function billing.begin_reconciliation() returns jsonb
  language sql volatile security definer set search_path = ''
as $$
  insert into billing.reconciliations (events_from)
  select coalesce(
    (select max(started_at) - interval '1 hour' from billing.reconciliations where caught_up_at is not null),
    now() - interval '30 days')
  returning jsonb_build_object('id', id, 'events_from', extract(epoch from events_from)::bigint)
$$;
comment on function billing.begin_reconciliation() is 'Begins a reconciliation and says from when on to look for events.';

create function billing.note_caught_up(p_id bigint) returns void
  language sql volatile security definer set search_path = ''
as $$ update billing.reconciliations set caught_up_at = now() where id = p_id $$;
comment on function billing.note_caught_up(bigint) is 'Notes that a reconciliation has looked at every event.';

create function billing.finish_reconciliation(p_id bigint, p_report jsonb) returns void
  language sql volatile security definer set search_path = ''
as $$ update billing.reconciliations set finished_at = now(), report = p_report where id = p_id $$;
comment on function billing.finish_reconciliation(bigint, jsonb) is 'Notes that a reconciliation is complete, and what it found.';

create function billing.missed_events(p_ids text[]) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(offered.id), '[]') from unnest(p_ids) as offered(id)
  where not exists (select from billing.stripe_events e where e.id = offered.id)
$$;
comment on function billing.missed_events(text[]) is 'Which of these events are not in the ledger.';

-- Whose a customer is, and that one is gone, Stripe says in one event each, and keeps events for thirty days. So the
-- customers themselves are compared, too.
-- p_customers: [{id, community_id}], as Stripe lists them. Those we have count as confirmed. Returned are those that may be
-- a community's and that it does not have: it may have another one, which billing.link_customer then tells.
create function billing.compare_customers(p_customers jsonb) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_strangers jsonb;
begin
  with offered as (
    select o ->> 'id' as id, o ->> 'community_id' as community_id, place
    from jsonb_array_elements(p_customers) with ordinality as given(o, place)
  ), confirmed as (
    update billing.customers k set confirmed_at = now() from offered o where k.id = o.id
  ), found_again as (
    update billing.anomalies a set resolved_at = now() from offered o
    where a.kind = 'missing_in_stripe' and a.object_id = o.id and a.resolved_at is null
  )
  select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'community_id', o.community_id) order by o.place), '[]')
  into v_strangers
  from offered o
  join public.communities c on c.id = o.community_id
  left join billing.customers k on k.id = o.id
  where c.stripe_customer_id is distinct from o.id
    and (k.id is null or k.community_id = c.id and k.deleted_at is null);
  return v_strangers;
end $$;
comment on function billing.compare_customers(jsonb) is 'Compares customers as Stripe lists them with those that are linked: confirms these, and returns those that may have to be.';

create function billing.unconfirmed_customers(p_since timestamptz) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'community_id', c.id)), '[]')
  from public.communities c join billing.customers k on k.id = c.stripe_customer_id
  where k.confirmed_at < p_since
$$;
comment on function billing.unconfirmed_customers(timestamptz) is 'Linked customers that Stripe has not listed since then.';

-- Whether the row of an object says what its state says, and what follows from that. A row that was changed or deleted by
-- hand does not; neither does a subscription whose price became known to a plan only later.
create function billing.is_stored(p_kind text, p_community_id text, p_state jsonb) returns boolean
  language sql stable set search_path = ''
as $$
  select case p_kind
    when 'subscription' then exists (
      select from public.subscriptions s
      where s.id = p_state ->> 'id' and s.community_id = p_community_id
        and to_jsonb(jsonb_populate_record(s, p_state)) = to_jsonb(s)
        and s.plan_id is not distinct from
          (select p.plan_id from billing.plan_prices p where p.stripe_price_id = s.stripe_price_id))
    when 'invoice' then exists (
      select from public.invoices i
      where i.id = p_state ->> 'id' and i.community_id = p_community_id
        and to_jsonb(jsonb_populate_record(i, p_state)) = to_jsonb(i))
  end
$$;
comment on function billing.is_stored(text, text, jsonb) is 'Whether the row of a subscription or invoice agrees with this state of it.';

-- Which of these objects, as Stripe has them now, are not as we have them? Those that are the same count as confirmed.
-- p_objects: [{kind, customer_id, state}]. Objects of customers that are not ours are left out.
create function billing.find_drift(p_objects jsonb) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  -- Stripe words these anew each time it is asked; another wording is no drift.
  volatile_keys constant text[] := array['hosted_invoice_url', 'invoice_pdf'];
  v_drift jsonb;
begin
  with offered as (
    select o ->> 'kind' as kind, o ->> 'customer_id' as customer_id, (o -> 'state') - volatile_keys as state
    from jsonb_array_elements(p_objects) o
  ), compared as (
    select o.*, c.community_id, coalesce(s.status, i.status) as known_status,
      known.state - volatile_keys is not distinct from o.state
        and billing.is_stored(o.kind, c.community_id, o.state) as is_same
    from offered o
    join billing.customers c on c.id = o.customer_id
    left join billing.object_sync known on known.object_id = o.state ->> 'id'
    left join public.subscriptions s on s.id = o.state ->> 'id'
    left join public.invoices i on i.id = o.state ->> 'id'
  ), confirmed as (
    update billing.object_sync s set confirmed_at = now()
    from compared where compared.is_same and s.object_id = compared.state ->> 'id'
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'kind', kind, 'id', state ->> 'id', 'customer_id', customer_id, 'community_id', community_id,
    'was', known_status)), '[]')
  into v_drift from compared where not is_same;
  return v_drift;
end $$;
comment on function billing.find_drift(jsonb) is 'Compares objects as Stripe has them with what is stored: confirms those that agree and returns the others.';

-- Stores what was fetched from Stripe while the customer was held.
create function billing.apply_fetched(p_kind text, p_customer_id text, p_state jsonb, p_fetched_at timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_community_id text;
  v_outcome text;
begin
  perform billing.lock_customer(p_customer_id);
  select community_id into v_community_id from billing.customers where id = p_customer_id;
  if v_community_id is null then
    return jsonb_build_object('outcome', 'ignored', 'reason', 'no community has this customer');
  end if;
  perform from public.communities where id = v_community_id for update;
  select a.outcome into v_outcome from billing.apply_state(v_community_id, p_kind, p_state, null, null, p_fetched_at) a;
  perform billing.resolve_anomaly('missing_in_stripe', p_state ->> 'id');
  return jsonb_build_object('outcome', v_outcome, 'reason', null);
end $$;
comment on function billing.apply_fetched(text, text, jsonb, timestamptz) is 'Stores the state of an object as it was just fetched from Stripe.';

-- Subscriptions that go on and invoices that are not settled, which Stripe has not confirmed in any way since then: it did
-- not list them either.
create function billing.unconfirmed_objects(p_since timestamptz) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  with unsettled as (
    select 'subscription' as kind, s.id, s.community_id, s.status from public.subscriptions s
    where s.ended_at is null and billing.is_live(s.status)
    union all
    select 'invoice', i.id, i.community_id, i.status from public.invoices i where i.status in ('draft', 'open')
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'kind', u.kind, 'id', u.id, 'community_id', u.community_id, 'was', u.status,
    'customer_id', (select c.id from billing.customers c where c.community_id = u.community_id
      order by c.deleted_at nulls first, c.linked_at desc limit 1))), '[]')
  from unsettled u
  left join billing.object_sync known on known.object_id = u.id
  where known.confirmed_at is null or known.confirmed_at < p_since
$$;
comment on function billing.unconfirmed_objects(timestamptz) is 'Subscriptions and invoices that may still change but that Stripe has not confirmed since then.';

create function billing.report_missing(p_object_id text, p_community_id text) returns void
  language sql volatile security definer set search_path = ''
as $$
  select billing.report_anomaly('missing_in_stripe', p_object_id, p_community_id,
    'We have ' || p_object_id || ', Stripe does not. It is kept as it is; is this the right account?')
$$;
comment on function billing.report_missing(text, text) is 'Puts an object that Stripe does not know before the operator.';

-- Events that were recorded but never settled, to be tried again, oldest first. Of one customer, or of all (null).
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
comment on function billing.open_events(text, integer) is 'The payloads of events that are recorded but not settled and could be now.';

-- What no word of Stripe's brings about: payloads have been kept long enough; grace periods run out, or somebody changed
-- a plan by hand. Returns how many of each. In the order of locks: ledger rows, then communities, each by its id.
create function billing.tidy_up(p_keep_payloads interval default '90 days') returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_community_id text;
  v_plans integer := 0;
  v_reduced integer;
begin
  update billing.stripe_events
  set payload = jsonb_build_object('id', id, 'type', type, 'object_id', object_id, 'customer_id', customer_id), change = null
  where outcome not in ('pending', 'failed', 'parked') and received_at < now() - p_keep_payloads and payload ? 'data';
  get diagnostics v_reduced = row_count;

  for v_community_id in
    select c.id from public.communities c where c.current_plan_id <> billing.derived_plan(c.id) order by c.id
  loop
    perform from public.communities where id = v_community_id for update;
    perform billing.derive_plan(v_community_id);
    v_plans := v_plans + 1;
  end loop;
  return jsonb_build_object('plans_changed', v_plans, 'payloads_reduced', v_reduced);
end $$;
comment on function billing.tidy_up(interval) is 'Sets plans right that no event will, such as after a grace period, and reduces old payloads to their ids.';

revoke execute on function
  billing.begin_reconciliation(), billing.note_caught_up(bigint), billing.finish_reconciliation(bigint, jsonb),
  billing.missed_events(text[]), billing.compare_customers(jsonb), billing.unconfirmed_customers(timestamptz),
  billing.is_stored(text, text, jsonb), billing.find_drift(jsonb), billing.apply_fetched(text, text, jsonb, timestamptz),
  billing.unconfirmed_objects(timestamptz), billing.report_missing(text, text), billing.open_events(text, integer),
  billing.tidy_up(interval)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.begin_reconciliation(), billing.note_caught_up(bigint), billing.finish_reconciliation(bigint, jsonb),
  billing.missed_events(text[]), billing.compare_customers(jsonb), billing.unconfirmed_customers(timestamptz),
  billing.find_drift(jsonb), billing.apply_fetched(text, text, jsonb, timestamptz), billing.unconfirmed_objects(timestamptz),
  billing.report_missing(text, text), billing.open_events(text, integer), billing.tidy_up(interval)
  to billing_service;
