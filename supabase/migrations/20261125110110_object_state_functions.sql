-- The stored state of subscriptions and invoices: what is newer, how it is stored, and what follows for the plan.
--
-- Locks are taken in one order everywhere, so that no two calls wait for each other: customers, communities, then rows. The
-- functions here expect the caller to hold the customers and the communities.

-- A later stage is newer whatever its time says: a subscription that has ended stays ended, a finalized invoice does not
-- become a draft again, and what was deleted does not come back.
create function billing.life_stage(p_kind text, p_status text) returns integer
  language sql immutable security invoker
as $$
  select case p_kind
    when 'subscription' then case when p_status in ('canceled', 'incomplete_expired') then 1 else 0 end
    else case p_status when 'open' then 1 when 'uncollectible' then 2 when 'paid' then 3 when 'void' then 3
      when 'deleted' then 4 else 0 end
  end
$$;
comment on function billing.life_stage(text, text) is 'A number that never decreases during the life of a Stripe object.';

-- Stripe's times have a resolution of one second, and its events come in any order.
--   newer    store it
--   same     it is stored already
--   older    leave it
--   unclear  two different states in one second, or a state from around the time of the last answer of Stripe: only Stripe
--            knows which is current
-- p_known_as_of null: nothing is known.
create function billing.compare_states(
  p_stage integer, p_hash text, p_created timestamptz,
  p_known_stage integer, p_known_hash text, p_known_as_of timestamptz, p_known_fetched_at timestamptz) returns text
  language sql immutable security invoker
as $$
  select case
    when p_known_as_of is null then 'newer'
    when p_hash = p_known_hash then 'same'
    when p_stage < p_known_stage then 'older'
    when p_stage > p_known_stage then 'newer'
    when p_created < p_known_as_of then 'older'
    when p_created = p_known_as_of then 'unclear'
    -- More than two of Stripe's clocks can differ.
    when p_created <= p_known_fetched_at + interval '60 seconds' then 'unclear'
    else 'newer'
  end
$$;
comment on function billing.compare_states(integer, text, timestamptz, integer, text, timestamptz, timestamptz) is 'Whether a state of a Stripe object is newer, same, older or unclear, compared with the stored one.';

-- The first time that Stripe reported past_due after the last time that it reported another status. Read from the event log,
-- because events come in any order.
--   p_known            what was known counts where the log does not reach
--   p_not_past_due_at  Stripe has answered that it is not past_due then
--   p_as_of            where neither says anything
create function billing.past_due_since(
  p_subscription_id text, p_known timestamptz, p_not_past_due_at timestamptz, p_as_of timestamptz) returns timestamptz
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return (
    with reported as (
      select l.created_at, l.object_status as status from billing.stripe_events l
      where l.object_id = p_subscription_id and l.object_status is not null
        and l.outcome not in ('refused', 'parked')
    ), otherwise as (
      select greatest(max(created_at) filter (where status <> 'past_due'), p_not_past_due_at, '-infinity') as last_at
      from reported
    )
    select coalesce(
      least(
        min(reported.created_at) filter (where reported.status = 'past_due' and reported.created_at >= last_at),
        case when p_known >= max(last_at) then p_known end),
      p_as_of)
    from otherwise left join reported on true);
end $$;
comment on function billing.past_due_since(text, timestamptz, timestamptz, timestamptz) is 'When the payment of a past_due subscription first failed.';

-- Returns no row when no plan has one of the prices.
create function billing.plan_of_prices(p_price_ids text[]) returns table (plan_id bigint, stripe_price_id text)
  language sql stable security invoker rows 1
as $$
  select p.id, pp.stripe_price_id
  from billing.plan_prices pp join public.plans p on p.id = pp.plan_id
  where pp.stripe_price_id = any (p_price_ids)
  order by p.rank desc, pp.stripe_price_id limit 1
$$;
comment on function billing.plan_of_prices(text[]) is 'The plan of highest rank among those that these prices buy, and its price.';

create function billing.paid_plan(p_subscription_id text) returns bigint
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return (
    select i.plan_id from public.invoices i
    where i.subscription_id = p_subscription_id and i.status = 'paid' and i.plan_id is not null
    order by i.issued_at desc, i.id desc limit 1);
end $$;
comment on function billing.paid_plan(text) is 'The plan that was paid for last with a subscription; null when no paid invoice with a plan is known.';

-- Which plan a subscription gives, and until when. The one rule:
--   active, trialing  the plan that it sells. At prices that no plan knows, the plan that it sold before, for that plan's
--                     grace period
--   past_due          the plan that was paid for last, and no more than it sells now, for that plan's grace period. Where no
--                     paid invoice is known, the plan it sells
--   otherwise         none
-- One that Stripe does not know any more gives what it gave, for the grace period. Where several of these end it, the first
-- does.
create function billing.subscription_gives(
  p_id text, p_status text, p_plan_id bigint, p_former_plan_id bigint, p_plan_unknown_since timestamptz,
  p_past_due_since timestamptz, p_missing_since timestamptz, out plan_id bigint, out until timestamptz)
  language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_sold_plan_id constant bigint := coalesce(p_plan_id, p_former_plan_id);
begin
  if v_sold_plan_id is null or p_status not in ('active', 'trialing', 'past_due') then return; end if;
  -- Each of these times is null where it does not end anything; least() leaves nulls out.
  select p.id, least('infinity',
    case when p_plan_id is null then p_plan_unknown_since + p.grace_period end,
    case when p_status = 'past_due' then p_past_due_since + p.grace_period end,
    p_missing_since + p.grace_period)
  into plan_id, until
  from public.plans p
  where p.id in (v_sold_plan_id, case when p_status = 'past_due' then billing.paid_plan(p_id) end)
  order by p.rank limit 1;
end $$;
comment on function billing.subscription_gives(text, text, bigint, bigint, timestamptz, timestamptz, timestamptz) is 'Which plan a subscription in this state gives its community, and until when.';

-- Whether more has to be known than the subscription's own state, to say which plan it gives: its history, or its invoices.
create function billing.depends_on_history(p_status text, p_plan_id bigint) returns boolean
  language sql immutable security invoker
as $$ select p_status = 'past_due' or p_plan_id is null and p_status in ('active', 'trialing', 'unpaid', 'paused') $$;
comment on function billing.depends_on_history(text, bigint) is 'Whether what a subscription gives depends on its history and invoices.';

-- News of one object: its state as it is read from Stripe, and how it came.
--   created     of the event that brought it, or that led to the question; null without one
--   fetched_at  Stripe's clock when it was fetched; null when an event brought it
create type billing.object_news as (
  community_id text, customer_id text, state json, state_hash text, created timestamptz, fetched_at timestamptz);

-- What is written first is right for a subscription that does not depend on its history; for the rest
-- billing.refresh_subscriptions follows.
create function billing.store_subscriptions(p_news billing.object_news[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_dependent text[];
begin
  with stored as (
    insert into public.subscriptions as known (
      id, community_id, customer_id, status, items, price_ids, currency, current_period_start, current_period_end,
      trial_start, trial_end, cancel_at, canceled_at, ended_at, cancellation_reason, cancellation_feedback,
      cancellation_comment, collection_method, pause_collection, schedule, pending_update, discounts, latest_invoice_id,
      started_at, plan_id, stripe_price_id, quantity, unit_amount, billing_interval, interval_count, next_plan_id,
      next_change_at, former_plan_id, plan_unknown_since, not_past_due_at, past_due_since, gives_plan_id, gives_plan_until, state_hash,
      as_of, fetched_at)
    select
      s.id, n.community_id, n.customer_id, s.status, s.items, s.price_ids, s.currency, s.current_period_start,
      s.current_period_end, s.trial_start, s.trial_end, s.cancel_at, s.canceled_at, s.ended_at, s.cancellation_reason,
      s.cancellation_feedback, s.cancellation_comment, s.collection_method, s.pause_collection, s.schedule,
      s.pending_update, s.discounts, s.latest_invoice_id, s.started_at, sold.plan_id, sold.stripe_price_id,
      item.quantity, item.unit_amount, item.interval, item.interval_count,
      case when s.schedule is not null then billing.next_plan(s.schedule) end,
      (s.schedule #>> '{next_phase,starts_at}')::timestamptz,
      -- It sold a plan, and sells at prices that no plan knows.
      case when sold.plan_id is null then coalesce(k.plan_id, k.former_plan_id) end,
      case when sold.plan_id is null and coalesce(k.plan_id, k.former_plan_id) is not null
        then coalesce(k.plan_unknown_since, n.fetched_at, n.created, now()) end,
      case when s.status <> 'past_due' then greatest(n.created, n.fetched_at) end,
      case when s.status = 'past_due' then coalesce(k.past_due_since, n.fetched_at, n.created, now()) end,
      case when s.status in ('active', 'trialing') then sold.plan_id end,
      case when s.status in ('active', 'trialing') and sold.plan_id is not null then 'infinity'::timestamptz end,
      n.state_hash, coalesce(n.created, '-infinity'), n.fetched_at
    from unnest(p_news) n
    cross join lateral json_populate_record(null::public.subscriptions, n.state) s
    left join public.subscriptions k on k.id = s.id
    left join lateral billing.plan_of_prices(s.price_ids) sold on true
    left join lateral billing.main_item(s.items, sold.stripe_price_id) item on true
    on conflict (id) do update set
      community_id = excluded.community_id,
      customer_id = excluded.customer_id,
      status = excluded.status,
      items = excluded.items,
      price_ids = excluded.price_ids,
      currency = excluded.currency,
      current_period_start = excluded.current_period_start,
      current_period_end = excluded.current_period_end,
      trial_start = excluded.trial_start,
      trial_end = excluded.trial_end,
      cancel_at = excluded.cancel_at,
      canceled_at = excluded.canceled_at,
      ended_at = excluded.ended_at,
      cancellation_reason = excluded.cancellation_reason,
      cancellation_feedback = excluded.cancellation_feedback,
      cancellation_comment = excluded.cancellation_comment,
      collection_method = excluded.collection_method,
      pause_collection = excluded.pause_collection,
      schedule = excluded.schedule,
      pending_update = excluded.pending_update,
      discounts = excluded.discounts,
      latest_invoice_id = excluded.latest_invoice_id,
      started_at = excluded.started_at,
      plan_id = excluded.plan_id,
      stripe_price_id = excluded.stripe_price_id,
      quantity = excluded.quantity,
      unit_amount = excluded.unit_amount,
      billing_interval = excluded.billing_interval,
      interval_count = excluded.interval_count,
      next_plan_id = excluded.next_plan_id,
      next_change_at = excluded.next_change_at,
      former_plan_id = excluded.former_plan_id,
      plan_unknown_since = excluded.plan_unknown_since,
      not_past_due_at = coalesce(excluded.not_past_due_at, known.not_past_due_at),
      past_due_since = excluded.past_due_since,
      gives_plan_id = excluded.gives_plan_id,
      gives_plan_until = excluded.gives_plan_until,
      state_hash = excluded.state_hash,
      as_of = greatest(known.as_of, excluded.as_of),
      fetched_at = excluded.fetched_at,
      confirmed_at = now(),
      missing_since = null,
      version = known.version + 1,
      updated_at = now()
    returning id, status, plan_id
  )
  select array_agg(s.id) filter (where billing.depends_on_history(s.status, s.plan_id)) into v_dependent from stored s;
  if v_dependent is not null then perform billing.refresh_subscriptions(v_dependent); end if;
end $$;
comment on function billing.store_subscriptions(billing.object_news[]) is 'Stores the states of subscriptions that are known to be the newest, and what they sell and give. At most one of each.';

-- The item that sells the plan; without one the first that is not metered.
create function billing.main_item(p_items jsonb, p_price_id text)
  returns table (quantity bigint, unit_amount numeric, "interval" text, interval_count integer)
  language sql stable security invoker rows 1
as $$
  select i.quantity, i.unit_amount, i.interval, i.interval_count
  from jsonb_to_recordset(p_items) as i(
    price_id text, quantity bigint, unit_amount numeric, "interval" text, interval_count integer, usage_type text)
  order by i.price_id = p_price_id desc nulls last, i.usage_type = 'metered' limit 1
$$;
comment on function billing.main_item(jsonb, text) is 'Of the items of a subscription the one at this price, or the first licensed one.';

create function billing.next_plan(p_schedule jsonb) returns bigint
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return (select sold.plan_id from billing.plan_of_prices(array(
    select i ->> 'price_id' from jsonb_array_elements(p_schedule #> '{next_phase,items}') i)) sold);
end $$;
comment on function billing.next_plan(jsonb) is 'The plan that the next phase of a schedule sells; null when it sells none.';

-- Returns whether the plans of communities may follow.
create function billing.store_invoices(p_news billing.object_news[]) returns boolean
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_dependent text[];
begin
  insert into public.invoices as known (
    id, community_id, customer_id, subscription_id, number, status, billing_reason, currency, subtotal_cents,
    discount_cents, tax_cents, total_cents, amount_due_cents, amount_paid_cents, hosted_invoice_url, invoice_pdf,
    issued_at, paid_at, price_ids, plan_id, state_hash, as_of, fetched_at)
  select
    i.id, n.community_id, n.customer_id, i.subscription_id, i.number, i.status, i.billing_reason, i.currency,
    i.subtotal_cents, i.discount_cents, i.tax_cents, i.total_cents, i.amount_due_cents, i.amount_paid_cents,
    i.hosted_invoice_url, i.invoice_pdf, i.issued_at, i.paid_at, i.price_ids, sold.plan_id,
    n.state_hash, coalesce(n.created, '-infinity'), n.fetched_at
  from unnest(p_news) n
  cross join lateral json_populate_record(null::public.invoices, n.state) i
  left join lateral billing.plan_of_prices(i.price_ids) sold on true
  on conflict (id) do update set
    community_id = excluded.community_id,
    customer_id = excluded.customer_id,
    subscription_id = excluded.subscription_id,
    number = excluded.number,
    status = excluded.status,
    billing_reason = excluded.billing_reason,
    currency = excluded.currency,
    subtotal_cents = excluded.subtotal_cents,
    discount_cents = excluded.discount_cents,
    tax_cents = excluded.tax_cents,
    total_cents = excluded.total_cents,
    amount_due_cents = excluded.amount_due_cents,
    amount_paid_cents = excluded.amount_paid_cents,
    hosted_invoice_url = excluded.hosted_invoice_url,
    invoice_pdf = excluded.invoice_pdf,
    issued_at = excluded.issued_at,
    paid_at = excluded.paid_at,
    price_ids = excluded.price_ids,
    plan_id = excluded.plan_id,
    state_hash = excluded.state_hash,
    as_of = greatest(known.as_of, excluded.as_of),
    fetched_at = excluded.fetched_at,
    confirmed_at = now(),
    missing_since = null,
    version = known.version + 1,
    updated_at = now();

  -- A paid invoice says what a past_due subscription was paid for, and which plan one sold before.
  select array_agg(distinct s.id) into v_dependent
  from unnest(p_news) n join public.subscriptions s on s.id = n.state ->> 'subscription_id'
  where billing.depends_on_history(s.status, s.plan_id);
  if v_dependent is null then return false; end if;
  perform billing.refresh_subscriptions(v_dependent);
  return true;
end $$;
comment on function billing.store_invoices(billing.object_news[]) is 'Stores the states of invoices that are known to be the newest. At most one of each.';

-- What follows from subscriptions that Stripe did not change: a price was given to a plan, a grace period was edited, an
-- invoice was paid, a late event tells since when a payment is overdue.
create function billing.refresh_subscriptions(p_ids text[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  perform from public.subscriptions s where s.id = any (p_ids) order by s.id for no key update;
  update public.subscriptions s set
    plan_id = d.plan_id,
    stripe_price_id = d.stripe_price_id,
    quantity = d.quantity,
    unit_amount = d.unit_amount,
    billing_interval = d.billing_interval,
    interval_count = d.interval_count,
    next_plan_id = d.next_plan_id,
    former_plan_id = d.former_plan_id,
    plan_unknown_since = d.plan_unknown_since,
    past_due_since = d.past_due_since,
    gives_plan_id = g.plan_id,
    gives_plan_until = g.until,
    version = s.version + 1,
    updated_at = now()
  from (
    select k.id, k.status, k.missing_since, sold.plan_id, sold.stripe_price_id, item.quantity, item.unit_amount,
      item.interval as billing_interval, item.interval_count, former.plan_id as former_plan_id,
      case when k.schedule is not null then billing.next_plan(k.schedule) end as next_plan_id,
      case
        when former.plan_id is null then null
        when k.plan_id is not null then now()
        else coalesce(k.plan_unknown_since, k.fetched_at, nullif(k.as_of, '-infinity'), now())
      end as plan_unknown_since,
      case when k.status = 'past_due' then billing.past_due_since(
        k.id, k.past_due_since, k.not_past_due_at, coalesce(k.fetched_at, nullif(k.as_of, '-infinity'), k.past_due_since))
      end as past_due_since
    from public.subscriptions k
    left join lateral billing.plan_of_prices(k.price_ids) sold on true
    left join lateral billing.main_item(k.items, sold.stripe_price_id) item on true
    cross join lateral (
      select case when sold.plan_id is null then coalesce(k.plan_id, k.former_plan_id, billing.paid_plan(k.id))
      end as plan_id) former
    where k.id = any (p_ids)
    -- Keeps each row's expressions from being evaluated more than once.
    offset 0
  ) d
  cross join lateral billing.subscription_gives(
    d.id, d.status, d.plan_id, d.former_plan_id, d.plan_unknown_since, d.past_due_since, d.missing_since) g
  where s.id = d.id
    and (s.plan_id, s.stripe_price_id, s.quantity, s.unit_amount, s.billing_interval, s.interval_count, s.next_plan_id,
        s.former_plan_id, s.plan_unknown_since, s.past_due_since, s.gives_plan_id, s.gives_plan_until)
      is distinct from (d.plan_id, d.stripe_price_id, d.quantity, d.unit_amount, d.billing_interval, d.interval_count,
        d.next_plan_id, d.former_plan_id, d.plan_unknown_since, d.past_due_since, g.plan_id, g.until);
end $$;
comment on function billing.refresh_subscriptions(text[]) is 'Works out anew what subscriptions sell and give. The caller stores the plans of their communities.';

-- The anomalies that subscriptions can have: unknown_price for each, several_subscriptions for each community.
create function billing.check_subscriptions(p_community_ids text[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  -- Nearly always there is nothing to report and nothing to resolve.
  if not exists (
    select from public.subscriptions s
    where s.community_id = any (p_community_ids) and billing.is_live(s.status)
      and (s.plan_id is not null or s.former_plan_id is not null)
    group by s.community_id having count(*) > 1 or bool_or(s.former_plan_id is not null))
    and not exists (
      select from billing.anomalies a
      where a.community_id = any (p_community_ids) and a.resolved_at is null
        and a.kind in ('unknown_price', 'several_subscriptions'))
  then return; end if;
  perform billing.report_subscription_anomalies(p_community_ids);
end $$;
comment on function billing.check_subscriptions(text[]) is 'Reports or resolves the anomalies unknown_price and several_subscriptions of these communities.';

create function billing.report_subscription_anomalies(p_community_ids text[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_odd record;
  v_found text[] := '{}';
begin
  for v_odd in
    with live as (
      select s.* from public.subscriptions s
      where s.community_id = any (p_community_ids) and billing.is_live(s.status)
        and (s.plan_id is not null or s.former_plan_id is not null)
    )
    select 'unknown_price' as kind, s.id as object_id, s.community_id,
      'No plan has one of the prices ' || array_to_string(s.price_ids, ', ') || '. The community keeps the plan that it had'
        || coalesce(' until ' || to_char(s.gives_plan_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), ' no longer')
        || '.' as detail
    from live s where s.former_plan_id is not null
    union all
    select 'several_subscriptions', l.community_id, l.community_id,
      count(*) || ' subscriptions to a plan go on at once. The plan of highest rank counts; cancel the others in Stripe.'
    from live l group by l.community_id having count(*) > 1
  loop
    perform billing.report_anomaly(v_odd.kind, v_odd.object_id, v_odd.community_id, v_odd.detail);
    v_found := v_found || (v_odd.kind || ' ' || v_odd.object_id);
  end loop;
  update billing.anomalies a set resolved_at = now()
  where a.community_id = any (p_community_ids) and a.resolved_at is null
    and a.kind in ('unknown_price', 'several_subscriptions')
    and a.kind || ' ' || a.object_id <> all (v_found);
end $$;
comment on function billing.report_subscription_anomalies(text[]) is 'Reports the anomalies that the subscriptions of these communities have now, and resolves those they had.';

-- Stripe does not know an object. An invoice that was a draft, or was never stored, was deleted: a row of status deleted
-- remains, so that a late event does not bring it back. Anything else is kept as it was, for a person to look at, and Stripe is not asked again: an event or a list that shows the
-- object takes this back.
-- Returns whether something stored is missing.
create function billing.note_missing(p_kind text, p_object_id text, p_community_id text, p_customer_id text) returns boolean
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  if p_kind = 'invoice' then
    update public.invoices i set status = 'deleted', state_hash = null, missing_since = now(), version = i.version + 1,
      updated_at = now()
    where i.id = p_object_id and i.status = 'draft';
    if found then return false; end if;
    -- Nothing is known of it, so its amounts are none and its currency is xxx (ISO 4217: no currency).
    insert into public.invoices (
      id, community_id, customer_id, status, currency, amount_due_cents, amount_paid_cents, issued_at, missing_since)
    select p_object_id, p_community_id, p_customer_id, 'deleted', 'xxx', 0, 0, now(), now()
    where p_community_id is not null and p_customer_id is not null on conflict (id) do nothing;
    if found then return false; end if;
    update public.invoices i set missing_since = coalesce(i.missing_since, now()), version = i.version + 1,
      updated_at = now()
    where i.id = p_object_id and i.status <> 'deleted';
    if not found then return false; end if;
  else
    update public.subscriptions s set missing_since = coalesce(s.missing_since, now()), version = s.version + 1,
      updated_at = now()
    where s.id = p_object_id;
    if not found then return false; end if;
    perform billing.refresh_subscriptions_of(array[p_object_id]);
  end if;
  perform billing.report_anomaly('missing_in_stripe', p_object_id, p_community_id,
    'Stripe does not know ' || p_object_id || '. It is kept as it was; a plan that it gives ends after the grace period. '
      || 'Is this the right Stripe account?');
  return true;
end $$;
comment on function billing.note_missing(text, text, text, text) is 'Notes that Stripe does not know a subscription or invoice any more.';

revoke execute on function
  billing.life_stage(text, text),
  billing.compare_states(integer, text, timestamptz, integer, text, timestamptz, timestamptz),
  billing.past_due_since(text, timestamptz, timestamptz, timestamptz), billing.plan_of_prices(text[]), billing.paid_plan(text),
  billing.subscription_gives(text, text, bigint, bigint, timestamptz, timestamptz, timestamptz),
  billing.depends_on_history(text, bigint), billing.store_subscriptions(billing.object_news[]),
  billing.main_item(jsonb, text), billing.next_plan(jsonb), billing.store_invoices(billing.object_news[]),
  billing.refresh_subscriptions(text[]), billing.check_subscriptions(text[]),
  billing.report_subscription_anomalies(text[]), billing.note_missing(text, text, text, text)
  from public, anon, authenticated, service_role;
