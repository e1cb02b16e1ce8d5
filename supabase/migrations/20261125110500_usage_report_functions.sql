-- Does Stripe count what we reported? It takes a meter event first and may refuse it later, so each customer and meter is
-- compared once a day.

alter table billing.usage_lanes add column checked_at timestamptz;
comment on column billing.usage_lanes.checked_at is 'When its reports were last compared with what Stripe counts; null = never.';

-- What was reported for a customer and meter in a stretch of time.
create index usage_reports_first_used_at on billing.usage_reports (stripe_customer_id, meter_event_name, first_used_at);

alter table billing.anomalies
  drop constraint anomalies_kind_known,
  add constraint anomalies_kind_known check (kind in (
    'several_subscriptions', 'unknown_price', 'customer_conflict', 'unreadable_event',
    'missing_in_stripe', 'meter_error', 'usage_difference'));
comment on column billing.anomalies.kind is 'several_subscriptions: a community pays more than once. unknown_price: no plan sells the price of a subscription. customer_conflict: a checkout names a customer or community that belongs elsewhere. unreadable_event: not understood. missing_in_stripe: Stripe does not know an object we have. meter_error: Stripe refused reported usage. usage_difference: Stripe does not count what was reported.';

-- How much was delivered for a customer and meter, by the time it is stamped with.
create function billing.delivered_usage(
  p_stripe_customer_id text, p_meter_event_name text, p_from timestamptz, p_to timestamptz) returns bigint
  language sql stable security definer set search_path = ''
as $$
  select coalesce(sum(r.quantity), 0)::bigint from billing.usage_reports r
  where r.stripe_customer_id = p_stripe_customer_id and r.meter_event_name = p_meter_event_name
    and r.first_used_at >= p_from and r.first_used_at < p_to and r.state = 'sent'
$$;
comment on function billing.delivered_usage(text, text, timestamptz, timestamptz) is 'Units in the sent usage reports of a customer and meter, stamped within that time.';

-- Customers and meters whose reports were not compared since p_checked_before, the longest waiting first, with what was
-- delivered on each of the whole days (UTC) from p_from until p_to.
--
-- Returns [{stripe_customer_id, meter_event_name, days: [{starts_at (unix seconds), quantity, is_settled}]}]. A day is
-- settled when nothing of it is under way or was within the last hour: Stripe counts with some delay.
create function billing.usage_to_check(
  p_from timestamptz, p_to timestamptz, p_checked_before timestamptz, p_most integer) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  with due as (
    select l.stripe_customer_id, l.meter_event_name, l.checked_at from billing.usage_lanes l
    where (l.checked_at is null or l.checked_at < p_checked_before)
      and exists (
        select from billing.usage_reports r
        where r.stripe_customer_id = l.stripe_customer_id and r.meter_event_name = l.meter_event_name
          and r.first_used_at >= p_from and r.first_used_at < p_to and r.state in ('sent', 'refused', 'given_up'))
    order by l.checked_at nulls first, l.stripe_customer_id, l.meter_event_name
    limit p_most
  ), days as (
    select r.stripe_customer_id, r.meter_event_name, date_trunc('day', r.first_used_at, 'UTC') as starts_at,
      coalesce(sum(r.quantity) filter (where r.state = 'sent'), 0) as quantity,
      bool_and(r.state <> 'waiting' and coalesce(r.settled_at < billing.clock() - interval '1 hour', true)) as is_settled
    from due join billing.usage_reports r using (stripe_customer_id, meter_event_name)
    where r.first_used_at >= p_from and r.first_used_at < p_to
    group by 1, 2, 3
  ), lists as (
    select d.stripe_customer_id, d.meter_event_name, jsonb_agg(jsonb_build_object(
      'starts_at', extract(epoch from d.starts_at)::bigint, 'quantity', d.quantity, 'is_settled', d.is_settled)
      order by d.starts_at) as days
    from days d group by 1, 2
  )
  select coalesce(jsonb_agg(to_jsonb(l) order by due.checked_at nulls first, l.stripe_customer_id, l.meter_event_name), '[]')
  from lists l join due using (stripe_customer_id, meter_event_name)
$$;
comment on function billing.usage_to_check(timestamptz, timestamptz, timestamptz, integer) is 'What was delivered by customer, meter and day, for those that were not compared with Stripe lately.';

-- Notes that a customer and meter were compared. p_difference says in words what differs; null when nothing does.
create function billing.finish_usage_check(
  p_stripe_customer_id text, p_meter_event_name text, p_difference text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_object_id constant text := p_stripe_customer_id || ' ' || p_meter_event_name;
begin
  update billing.usage_lanes l set checked_at = billing.clock()
  where l.stripe_customer_id = p_stripe_customer_id and l.meter_event_name = p_meter_event_name;
  if p_difference is null then
    perform billing.resolve_anomaly('usage_difference', v_object_id);
  else
    perform billing.report_anomaly('usage_difference', v_object_id,
      (select c.community_id from billing.customers c where c.id = p_stripe_customer_id), p_difference);
  end if;
end $$;
comment on function billing.finish_usage_check(text, text, text) is 'Notes a comparison with Stripe''s meters, and puts a difference before the operator.';

revoke execute on function
  billing.delivered_usage(text, text, timestamptz, timestamptz),
  billing.usage_to_check(timestamptz, timestamptz, timestamptz, integer),
  billing.finish_usage_check(text, text, text)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.delivered_usage(text, text, timestamptz, timestamptz),
  billing.usage_to_check(timestamptz, timestamptz, timestamptz, integer),
  billing.finish_usage_check(text, text, text)
  to billing_service;
