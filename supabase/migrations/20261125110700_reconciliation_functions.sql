-- The reconciliation compares what Stripe has with what is stored, and repairs each difference through the same function as
-- the webhook (billing.apply_state). Each step may be repeated or interrupted. Two runs at the same time do the work twice,
-- with the same result.

-- Missed events are looked for since the start of the last run that caught up, whether or not that run finished, minus one
-- hour. The first run looks back as far as Stripe keeps events (30 days, https://docs.stripe.com/api/events).
-- Returns {id, events_from (unix seconds)}.
create function billing.begin_reconciliation() returns jsonb
  language sql volatile security definer set search_path = ''
as $$
  insert into billing.reconciliations (events_from)
  select coalesce(
    (select max(started_at) - interval '1 hour' from billing.reconciliations where caught_up_at is not null),
    now() - interval '30 days')
  returning jsonb_build_object('id', id, 'events_from', extract(epoch from events_from)::bigint)
$$;
comment on function billing.begin_reconciliation() is 'Begins a run of the reconciliation and returns from when on to look for events.';

create function billing.note_caught_up(p_id bigint) returns void
  language sql volatile security definer set search_path = ''
as $$ update billing.reconciliations set caught_up_at = now() where id = p_id $$;
comment on function billing.note_caught_up(bigint) is 'Notes that a run has looked at every event since events_from.';

create function billing.finish_reconciliation(p_id bigint, p_report jsonb) returns void
  language sql volatile security definer set search_path = ''
as $$ update billing.reconciliations set finished_at = now(), report = p_report where id = p_id $$;
comment on function billing.finish_reconciliation(bigint, jsonb) is 'Notes that a run is complete, with its report.';

create function billing.missed_events(p_ids text[]) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(offered.id), '[]') from unnest(p_ids) as offered(id)
  where not exists (select from billing.stripe_events e where e.id = offered.id)
$$;
comment on function billing.missed_events(text[]) is 'Which of these event ids are not in the event log, as a JSON array.';

-- One event links a customer and one deletes it, and Stripe keeps events for 30 days only. So the customers themselves are
-- compared, too.
--   p_customers  [{id, community_id}], as Stripe lists them
-- Returns, in the same shape, those that may belong to a community which does not have them. The community may have another
-- customer: billing.link_customer decides.
create function billing.compare_customers(p_customers jsonb) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_unlinked jsonb;
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
  into v_unlinked
  from offered o
  join public.communities c on c.id = o.community_id
  left join billing.customers k on k.id = o.id
  where c.stripe_customer_id is distinct from o.id
    and (k.id is null or k.community_id = c.id and k.deleted_at is null);
  return v_unlinked;
end $$;
comment on function billing.compare_customers(jsonb) is 'Confirms the customers that are linked, and returns those that may have to be linked.';

create function billing.unconfirmed_customers(p_since timestamptz) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'community_id', c.id)), '[]')
  from public.communities c join billing.customers k on k.id = c.stripe_customer_id
  where k.confirmed_at < p_since
$$;
comment on function billing.unconfirmed_customers(timestamptz) is 'Linked customers that Stripe has not listed since then: [{id, community_id}].';

-- False for a row that was changed or deleted by hand, and for a subscription whose price was given to a plan only after it
-- was stored.
create function billing.is_stored(p_kind text, p_community_id text, p_state jsonb) returns boolean
  language sql stable security invoker set search_path = ''
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
comment on function billing.is_stored(text, text, jsonb) is 'Whether the row of a subscription or invoice agrees with this state.';

-- p_objects: [{kind, customer_id, state}], as Stripe has them. Objects of customers that belong to no community are left out.
-- Returns [{kind, id, customer_id, community_id, was}] of those that differ; was is the stored status or null.
create function billing.find_drift(p_objects jsonb) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_drift jsonb;
begin
  with offered as (
    select o ->> 'kind' as kind, o ->> 'customer_id' as customer_id, 
      billing.without_volatile_keys(o -> 'state') as state
    from jsonb_array_elements(p_objects) o
  ), compared as (
    select o.*, c.community_id, coalesce(s.status, i.status) as known_status,
      billing.without_volatile_keys(known.state) is not distinct from o.state
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
comment on function billing.find_drift(jsonb) is 'Confirms the objects that are stored as Stripe has them, and returns those that differ.';

-- The caller has fetched the state while it held the customer.
create function billing.apply_fetched(p_kind text, p_customer_id text, p_state jsonb, p_fetched_at timestamptz) returns void
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_community_id text;
begin
  perform billing.lock_customer(p_customer_id);
  select community_id into v_community_id from billing.customers where id = p_customer_id;
  if v_community_id is null then return; end if;
  perform from public.communities where id = v_community_id for update;
  perform billing.apply_state(v_community_id, p_kind, p_state, null, null, p_fetched_at);
  perform billing.resolve_anomaly('missing_in_stripe', p_state ->> 'id');
end $$;
comment on function billing.apply_fetched(text, text, jsonb, timestamptz) is 'Stores the fetched state of a subscription or invoice. Does nothing for a customer of no community.';

-- Returns [{kind, id, community_id, customer_id, was}]: these were not in Stripe's lists.
create function billing.unconfirmed_objects(p_since timestamptz) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  with changeable as (
    select 'subscription' as kind, s.id, s.community_id, s.status from public.subscriptions s
    where s.ended_at is null and billing.is_live(s.status)
    union all
    select 'invoice', i.id, i.community_id, i.status from public.invoices i where i.status in ('draft', 'open')
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'kind', o.kind, 'id', o.id, 'community_id', o.community_id, 'was', o.status,
    'customer_id', (select c.id from billing.customers c where c.community_id = o.community_id
      order by c.deleted_at nulls first, c.linked_at desc limit 1))), '[]')
  from changeable o
  left join billing.object_sync known on known.object_id = o.id
  where known.confirmed_at is null or known.confirmed_at < p_since
$$;
comment on function billing.unconfirmed_objects(timestamptz) is 'Live subscriptions and open invoices that Stripe has not confirmed since then.';

create function billing.report_missing(p_object_id text, p_community_id text) returns void
  language sql volatile security definer set search_path = ''
as $$
  select billing.report_anomaly('missing_in_stripe', p_object_id, p_community_id,
    'Stripe does not have ' || p_object_id || ', which is stored here. It is kept as it is. Is this the right Stripe account?')
$$;
comment on function billing.report_missing(text, text) is 'Reports an object that Stripe does not have as an anomaly.';

-- No event marks the end of a grace period. Also corrects plans that were changed by hand.
create function billing.end_grace_periods() returns integer
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_community_id text;
  v_changed integer := 0;
begin
  for v_community_id in
    select c.id from public.communities c where c.current_plan_id <> billing.plan_in_force(c.id) order by c.id
  loop
    perform from public.communities where id = v_community_id for update;
    perform billing.update_current_plan(v_community_id);
    v_changed := v_changed + 1;
  end loop;
  return v_changed;
end $$;
comment on function billing.end_grace_periods() is 'Updates each current plan that is not the plan in force. Returns how many.';

revoke execute on function
  billing.begin_reconciliation(), billing.note_caught_up(bigint), billing.finish_reconciliation(bigint, jsonb),
  billing.missed_events(text[]), billing.compare_customers(jsonb), billing.unconfirmed_customers(timestamptz),
  billing.is_stored(text, text, jsonb), billing.find_drift(jsonb), billing.apply_fetched(text, text, jsonb, timestamptz),
  billing.unconfirmed_objects(timestamptz), billing.report_missing(text, text), billing.end_grace_periods()
  from public, anon, authenticated, service_role;
grant execute on function
  billing.begin_reconciliation(), billing.note_caught_up(bigint), billing.finish_reconciliation(bigint, jsonb),
  billing.missed_events(text[]), billing.compare_customers(jsonb), billing.unconfirmed_customers(timestamptz),
  billing.find_drift(jsonb), billing.apply_fetched(text, text, jsonb, timestamptz), billing.unconfirmed_objects(timestamptz),
  billing.report_missing(text, text), billing.end_grace_periods()
  to billing_service;
