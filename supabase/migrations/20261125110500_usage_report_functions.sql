-- The outbox of metered usage: adding to a report, claiming it, recording its outcome, comparing with Stripe's meters, and
-- sending again what Stripe refused. billing.usage_reports explains the states.

create function billing.usage_report_end(p_community_id text, p_at timestamptz) returns timestamptz
  language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_hour_end constant timestamptz := date_trunc('hour', p_at, 'UTC') + interval '1 hour';
begin
  return coalesce((
    select min(boundary) from public.subscriptions s
    cross join lateral unnest(array[s.current_period_start, s.current_period_end, s.ended_at]) as boundary
    where s.community_id = p_community_id and boundary > p_at and boundary < v_hour_end), v_hour_end);
end $$;
comment on function billing.usage_report_end(text, timestamptz) is 'When a usage report that is open at that time closes: at the end of the hour, or of a billing period before it.';

-- A report that closed at zero or below is never sent. What it owes goes into the next report of the same customer and
-- meter. Returns that quantity, zero or below. The caller holds the usage lock.
create function billing.roll_over_usage_reports(
  p_community_id text, p_feature text, p_stripe_customer_id text, p_meter_event_name text, p_at timestamptz) returns bigint
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_quantity bigint;
begin
  with rolled_over as (
    select r.id, r.quantity from billing.usage_reports r
    where r.community_id = p_community_id and r.feature = p_feature
      and r.stripe_customer_id = p_stripe_customer_id and r.meter_event_name = p_meter_event_name
      and r.state = 'open' and r.closes_at <= p_at and r.quantity <= 0
    for update
  ), emptied as (
    update billing.usage_reports r set quantity = 0, state = 'rolled_over', finished_at = p_at
    from rolled_over where r.id = rolled_over.id
  )
  select coalesce(sum(quantity), 0) into v_quantity from rolled_over;
  return v_quantity;
end $$;
comment on function billing.roll_over_usage_reports(text, text, text, text, timestamptz) is 'Empties the closed reports that have nothing to bill, and returns what they owe.';

-- Adds to the open report of this time and returns its id. The caller holds the usage lock, so no two make the same part. A
-- worker may claim the report at any moment; then the use goes into the next part.
create function billing.add_to_usage_report(
  p_community_id text, p_feature text, p_stripe_customer_id text, p_meter_event_name text,
  p_at timestamptz, p_quantity bigint) returns bigint
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_hour constant timestamptz := date_trunc('hour', p_at, 'UTC');
  v_closes_at constant timestamptz := billing.usage_report_end(p_community_id, p_at);
  v_id bigint;
  v_part integer;
  v_rolled_over bigint;
begin
  update billing.usage_reports r set quantity = r.quantity + p_quantity
  where r.community_id = p_community_id and r.feature = p_feature and r.hour = v_hour
    and r.stripe_customer_id = p_stripe_customer_id and r.meter_event_name = p_meter_event_name
    and r.closes_at = v_closes_at and r.state = 'open'
  returning r.id into v_id;
  if found then return v_id; end if;

  v_rolled_over := billing.roll_over_usage_reports(
    p_community_id, p_feature, p_stripe_customer_id, p_meter_event_name, p_at);
  select coalesce(max(r.part) + 1, 0) into v_part from billing.usage_reports r
  where r.community_id = p_community_id and r.feature = p_feature and r.hour = v_hour;
  insert into billing.usage_reports (
    identifier, community_id, feature, hour, part, stripe_customer_id, meter_event_name, first_used_at, closes_at,
    due_at, quantity)
  values (
    'dues_' || encode(sha256(convert_to(
      jsonb_build_array(p_stripe_customer_id, p_community_id, p_feature, extract(epoch from v_hour)::bigint, v_part)::text,
      'UTF8')), 'hex'),
    p_community_id, p_feature, v_hour, v_part, p_stripe_customer_id, p_meter_event_name, p_at, v_closes_at,
    v_closes_at, p_quantity + v_rolled_over)
  returning id into v_id;
  insert into billing.usage_queues (stripe_customer_id, meter_event_name)
  values (p_stripe_customer_id, p_meter_event_name) on conflict do nothing;
  return v_id;
end $$;
comment on function billing.add_to_usage_report(text, text, text, text, timestamptz, bigint) is 'Adds metered use to the outbox; returns the report it went into.';

-- Units given back reduce their report while it is open. A report that is claimed or sent stays as it is; then the units are
-- taken from the next report.
create function billing.take_from_usage_report(p_report_id bigint, p_at timestamptz, p_quantity bigint) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_report billing.usage_reports;
begin
  update billing.usage_reports r set quantity = r.quantity - p_quantity where r.id = p_report_id and r.state = 'open';
  if found then return; end if;
  select * into strict v_report from billing.usage_reports r where r.id = p_report_id;
  perform billing.add_to_usage_report(
    v_report.community_id, v_report.feature, v_report.stripe_customer_id, v_report.meter_event_name, p_at, -p_quantity);
end $$;
comment on function billing.take_from_usage_report(bigint, timestamptz, bigint) is 'Takes metered use that was given back out of the outbox.';

-- Hands out due reports: at most p_max, at most one for each queue, and none of queues that another worker has claimed. The
-- claim lasts for the lease; after that another worker may claim the same report and send it again.
--
-- Returns [{identifier, claim_id, stripe_customer_id, meter_event_name, quantity, used_at (unix seconds), attempts,
-- community_id, feature}]. The outcome of each is recorded with its claim_id.
create function billing.claim_usage_reports(p_max integer, p_lease interval default '2 minutes') returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_queue billing.usage_queues;
  v_report billing.usage_reports;
  v_claim_id uuid;
  v_claims jsonb := '[]';
begin
  for v_queue in
    select q.* from billing.usage_queues q
    where (q.claimed_until is null or q.claimed_until <= v_now)
      and (q.stripe_customer_id, q.meter_event_name) in (
        select r.stripe_customer_id, r.meter_event_name from billing.usage_reports r
        where r.state in ('open', 'claimed') and r.due_at <= v_now and r.quantity > 0)
    limit p_max for update of q skip locked
  loop
    select r.* into v_report from billing.usage_reports r
    where r.stripe_customer_id = v_queue.stripe_customer_id and r.meter_event_name = v_queue.meter_event_name
      and r.state in ('open', 'claimed') and r.due_at <= v_now and r.quantity > 0
    order by r.due_at limit 1 for update skip locked; -- a use may be adding to it right now; then a later call gets it
    continue when not found;

    v_claim_id := gen_random_uuid();
    update billing.usage_queues q set claim_id = v_claim_id, claimed_until = v_now + p_lease
    where q.stripe_customer_id = v_queue.stripe_customer_id and q.meter_event_name = v_queue.meter_event_name;
    update billing.usage_reports r set state = 'claimed', attempts = r.attempts + 1 where r.id = v_report.id;
    v_claims := v_claims || jsonb_build_object(
      'identifier', v_report.identifier, 'claim_id', v_claim_id, 'stripe_customer_id', v_report.stripe_customer_id,
      'meter_event_name', v_report.meter_event_name, 'quantity', v_report.quantity,
      'used_at', floor(extract(epoch from v_report.first_used_at))::bigint, 'attempts', v_report.attempts + 1,
      'community_id', v_report.community_id, 'feature', v_report.feature);
  end loop;
  return v_claims;
end $$;
comment on function billing.claim_usage_reports(integer, interval) is 'Claims due usage reports, one for each customer and meter, for the time of the lease.';

-- Records the outcome of sending a report, and frees its queue if the claim still holds it.
--   sent       Stripe has it, also when it says "already exists". Any worker may say so, also after its lease has ended
--   retry      not now; again after p_retry_in
--   refused    Stripe rejected it. Stripe may do so later, too, for a report that is recorded as sent
--   given_up   not delivered, and not worth another try
-- Returns the state it is in now; null when there is no such report. Raises 22023 for another outcome.
create function billing.record_usage_report_outcome(
  p_identifier text, p_claim_id uuid, p_outcome text, p_error text default null, p_retry_in interval default '1 minute')
  returns text
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_state text;
begin
  if p_outcome not in ('sent', 'retry', 'refused', 'given_up') then
    raise sqlstate '22023' using message = 'unknown outcome of a usage report', detail = p_outcome;
  end if;
  update billing.usage_queues q set claimed_until = null where q.claim_id = p_claim_id;

  update billing.usage_reports r set
    state = case p_outcome when 'retry' then 'claimed' else p_outcome end,
    due_at = case p_outcome when 'retry' then v_now + p_retry_in else r.due_at end,
    finished_at = case p_outcome when 'retry' then null else v_now end,
    error = case p_outcome when 'sent' then null else p_error end
  where r.identifier = p_identifier
    and (r.state = 'claimed' or p_outcome = 'refused' and r.state = 'sent' or p_outcome = 'sent' and r.state = 'given_up');
  select r.state into v_state from billing.usage_reports r where r.identifier = p_identifier;
  return v_state;
end $$;
comment on function billing.record_usage_report_outcome(text, uuid, text, text, interval) is 'Records what became of a claimed usage report: sent, retry, refused or given_up.';

-- Stripe accepts a meter event first and may refuse it minutes later, in an event that names samples of what it refused.
--   p_object_id  the meter, or the event when it names none
--   p_errors     {detail, refused: [{identifier, reason}]}. Unknown identifiers are skipped
create function billing.apply_meter_errors(p_object_id text, p_errors json) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  perform billing.report_anomaly('meter_error', p_object_id, null, p_errors ->> 'detail');
  perform billing.record_usage_report_outcome(r.identifier, null, 'refused', r.reason)
  from json_to_recordset(p_errors -> 'refused') as r(identifier text, reason text);
end $$;
comment on function billing.apply_meter_errors(text, json) is 'Reports a meter error as an anomaly, and marks the usage reports it names as refused.';

create function billing.delivered_usage(
  p_stripe_customer_id text, p_meter_event_name text, p_from timestamptz, p_to timestamptz) returns bigint
  language sql stable security definer set search_path = ''
as $$
  select coalesce(sum(r.quantity), 0)::bigint from billing.usage_reports r
  where r.stripe_customer_id = p_stripe_customer_id and r.meter_event_name = p_meter_event_name
    and r.first_used_at >= p_from and r.first_used_at < p_to and r.state = 'sent'
$$;
comment on function billing.delivered_usage(text, text, timestamptz, timestamptz) is 'Units in the sent usage reports of a customer and meter with a timestamp in that time.';

-- At most p_max queues that were not compared with Stripe since p_checked_before, those that wait longest first, with what
-- was delivered on each whole day (UTC) from p_from until p_to.
--
-- Returns [{stripe_customer_id, meter_event_name, days: [{starts_at (unix seconds), quantity, is_final}]}]. A day is final
-- when none of its reports is claimed or finished less than an hour ago: Stripe counts with some delay.
create function billing.usage_to_check(
  p_from timestamptz, p_to timestamptz, p_checked_before timestamptz, p_max integer) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  with due as (
    select q.stripe_customer_id, q.meter_event_name, q.checked_at from billing.usage_queues q
    where (q.checked_at is null or q.checked_at < p_checked_before)
      and exists (
        select from billing.usage_reports r
        where r.stripe_customer_id = q.stripe_customer_id and r.meter_event_name = q.meter_event_name
          and r.first_used_at >= p_from and r.first_used_at < p_to and r.state in ('sent', 'refused', 'given_up'))
    order by q.checked_at nulls first, q.stripe_customer_id, q.meter_event_name
    limit p_max
  ), days as (
    select r.stripe_customer_id, r.meter_event_name, date_trunc('day', r.first_used_at, 'UTC') as starts_at,
      coalesce(sum(r.quantity) filter (where r.state = 'sent'), 0) as quantity,
      bool_and(r.state <> 'claimed' and coalesce(r.finished_at < billing.clock() - interval '1 hour', true)) as is_final
    from due join billing.usage_reports r using (stripe_customer_id, meter_event_name)
    where r.first_used_at >= p_from and r.first_used_at < p_to
    group by 1, 2, 3
  ), lists as (
    select d.stripe_customer_id, d.meter_event_name, jsonb_agg(jsonb_build_object(
      'starts_at', extract(epoch from d.starts_at)::bigint, 'quantity', d.quantity, 'is_final', d.is_final)
      order by d.starts_at) as days
    from days d group by 1, 2
  )
  select coalesce(jsonb_agg(to_jsonb(l) order by due.checked_at nulls first, l.stripe_customer_id, l.meter_event_name), '[]')
  from lists l join due using (stripe_customer_id, meter_event_name)
$$;
comment on function billing.usage_to_check(timestamptz, timestamptz, timestamptz, integer) is 'What was delivered by customer, meter and day, for those that are due for a comparison with Stripe.';

-- p_difference: a description of what differs; null when nothing does.
create function billing.finish_usage_check(
  p_stripe_customer_id text, p_meter_event_name text, p_difference text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_object_id constant text := p_stripe_customer_id || ' ' || p_meter_event_name;
begin
  update billing.usage_queues q set checked_at = billing.clock()
  where q.stripe_customer_id = p_stripe_customer_id and q.meter_event_name = p_meter_event_name;
  if p_difference is null then
    perform billing.resolve_anomaly('usage_difference', v_object_id);
  else
    perform billing.report_anomaly('usage_difference', v_object_id,
      (select c.community_id from billing.customers c where c.id = p_stripe_customer_id), p_difference);
  end if;
end $$;
comment on function billing.finish_usage_check(text, text, text) is 'Records that a customer and meter were compared with Stripe, and reports a difference as an anomaly.';

-- For the operator, as role postgres, once the cause of a refusal is fixed. Stripe never counts the old identifier, so the
-- units go into the report of now, which has its own. Returns what happened:
--   resent       its units are in the report of now, for the customer and meter that the community has now
--   not_refused  it was neither refused nor given up, or was resent before
--   no_customer  the community has no Stripe customer to bill
--   unknown      there is no such report
create function billing.resend_usage_report(p_identifier text) returns text
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_report billing.usage_reports;
  v_customer_id text;
  v_meter_event_name text;
begin
  select * into v_report from billing.usage_reports r where r.identifier = p_identifier;
  if not found then return 'unknown'; end if;
  select c.stripe_customer_id, coalesce(f.meter_event_name, v_report.meter_event_name)
  into v_customer_id, v_meter_event_name
  from public.communities c left join public.features f on f.code = v_report.feature
  where c.id = v_report.community_id;
  if v_customer_id is null then return 'no_customer'; end if;

  -- The usage lock, as add_to_usage_report needs it.
  perform from billing.usage_locks l
  where l.community_id = v_report.community_id and l.feature = v_report.feature for update;
  select * into v_report from billing.usage_reports r where r.identifier = p_identifier for update;
  if v_report.state not in ('refused', 'given_up') then return 'not_refused'; end if;

  perform billing.add_to_usage_report(
    v_report.community_id, v_report.feature, v_customer_id, v_meter_event_name, v_now, v_report.quantity);
  update billing.usage_reports r
  set state = 'rolled_over', quantity = 0, finished_at = v_now,
    error = v_report.quantity || ' units were resent. Before that: ' || coalesce(v_report.error, v_report.state)
  where r.id = v_report.id;
  return 'resent';
end $$;
comment on function billing.resend_usage_report(text) is 'Puts the units of a refused or given up usage report into the report of now: resent, not_refused, no_customer or unknown.';

-- Grants.
revoke execute on function
  billing.usage_report_end(text, timestamptz),
  billing.roll_over_usage_reports(text, text, text, text, timestamptz),
  billing.add_to_usage_report(text, text, text, text, timestamptz, bigint),
  billing.take_from_usage_report(bigint, timestamptz, bigint),
  billing.claim_usage_reports(integer, interval),
  billing.record_usage_report_outcome(text, uuid, text, text, interval),
  billing.apply_meter_errors(text, json),
  billing.delivered_usage(text, text, timestamptz, timestamptz),
  billing.usage_to_check(timestamptz, timestamptz, timestamptz, integer),
  billing.finish_usage_check(text, text, text), billing.resend_usage_report(text)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.claim_usage_reports(integer, interval),
  billing.record_usage_report_outcome(text, uuid, text, text, interval),
  billing.delivered_usage(text, text, timestamptz, timestamptz),
  billing.usage_to_check(timestamptz, timestamptz, timestamptz, integer),
  billing.finish_usage_check(text, text, text)
  to billing_service;
