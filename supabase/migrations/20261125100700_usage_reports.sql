-- The outbox of metered usage: what Stripe is still to be told, or was told.
--
-- A use of a metered feature by a paying community adds to the open report of its hour, in the same transaction. When the
-- hour is over (or the billing period, if that ends sooner) the report is due: a worker claims it, which freezes its
-- quantity for good, sends it as one meter event, and settles it. Whatever happens in between, it is sent again under the
-- same identifier, which Stripe counts once.

create table billing.usage_reports (
  id                 bigint generated always as identity primary key,
  identifier         text not null constraint usage_reports_identifier_key unique,
  community_id       text not null,
  feature            text not null,
  hour               timestamptz not null,
  part               integer not null,
  stripe_customer_id text not null,
  meter_event_name   text not null,
  first_used_at      timestamptz not null,
  closes_at          timestamptz not null,
  quantity           bigint not null,
  state              text not null default 'open' constraint usage_reports_state_known
                     check (state in ('open', 'waiting', 'sent', 'refused', 'given_up', 'carried')),
  due_at             timestamptz not null,
  attempts           integer not null default 0,
  error              text,
  settled_at         timestamptz,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  constraint usage_reports_part_key unique (community_id, feature, hour, part)
) with (fillfactor = 70);
alter table billing.usage_reports enable row level security;
revoke all on billing.usage_reports from public, anon, authenticated, service_role;
revoke all on sequence billing.usage_reports_id_seq from public, anon, authenticated, service_role;
-- The operator's views read it with the rights of whoever looks.
grant select on billing.usage_reports to service_role;

-- What is still to be sent, the longest due first. Sent reports are not in it, so it stays small.
create index usage_reports_due on billing.usage_reports (due_at) where state in ('open', 'waiting');
-- What a worker sends next for one customer and meter.
create index usage_reports_lane on billing.usage_reports (stripe_customer_id, meter_event_name, due_at)
  where state in ('open', 'waiting');

create trigger usage_reports_touch before update on billing.usage_reports
  for each row execute function billing.touch_updated_at();

comment on table billing.usage_reports is 'The outbox: the metered use of a community within an hour, reported to Stripe as one meter event.';
comment on column billing.usage_reports.id is 'Internal key.';
comment on column billing.usage_reports.identifier is 'The meter event''s identifier and idempotency key. Follows from customer, community, feature, hour and part.';
comment on column billing.usage_reports.community_id is 'The community that used the feature.';
comment on column billing.usage_reports.feature is 'The metered feature.';
comment on column billing.usage_reports.hour is 'The beginning of the hour (UTC) it was used in.';
comment on column billing.usage_reports.part is '0, 1, …: an hour has another part when the one before was claimed or its billing period ended.';
comment on column billing.usage_reports.stripe_customer_id is 'The Stripe customer that is billed (cus_…).';
comment on column billing.usage_reports.meter_event_name is 'The meter''s event name.';
comment on column billing.usage_reports.first_used_at is 'When the first unit was used: the timestamp of the meter event, and within its billing period.';
comment on column billing.usage_reports.closes_at is 'From then on nothing is added: the end of the hour, or of the billing period within it.';
comment on column billing.usage_reports.quantity is 'Units used. Below zero when more was given back late than used; then it is carried into a later report.';
comment on column billing.usage_reports.state is 'open: being added to. waiting: claimed at least once, so frozen; to be sent (again). sent: Stripe has it. refused: Stripe will not have it. given_up: not delivered and not tried any more. carried: had nothing to bill and went into a later report.';
comment on column billing.usage_reports.due_at is 'When it may be sent, at the earliest.';
comment on column billing.usage_reports.attempts is 'How often it was claimed.';
comment on column billing.usage_reports.error is 'What went wrong last.';
comment on column billing.usage_reports.settled_at is 'When it was sent, refused, given up or carried.';
comment on column billing.usage_reports.created_at is 'When the row was made.';
comment on column billing.usage_reports.updated_at is 'When the row last changed.';

-- Stripe takes one call at a time for a customer and meter.
create table billing.usage_lanes (
  stripe_customer_id text not null,
  meter_event_name   text not null,
  claim_id           uuid,
  claimed_until      timestamptz,
  constraint usage_lanes_pkey primary key (stripe_customer_id, meter_event_name)
);
alter table billing.usage_lanes enable row level security;
revoke all on billing.usage_lanes from public, anon, authenticated, service_role;

comment on table billing.usage_lanes is 'Customer and meter: one worker at a time sends for them.';
comment on column billing.usage_lanes.stripe_customer_id is 'The Stripe customer.';
comment on column billing.usage_lanes.meter_event_name is 'The meter''s event name.';
comment on column billing.usage_lanes.claim_id is 'The claim that is, or was last, at work here.';
comment on column billing.usage_lanes.claimed_until is 'Until then it is taken; null = free. A worker that died is replaced after that.';

-- Where the report that this moment belongs to ends: with the hour, or sooner with a billing period.
create function billing.usage_report_end(p_community_id text, p_at timestamptz) returns timestamptz
  language plpgsql stable set search_path = ''
as $$
declare
  v_hour_end constant timestamptz := date_bin('1 hour', p_at, '1970-01-01Z') + interval '1 hour';
begin
  return coalesce((
    select min(boundary) from public.subscriptions s
    cross join lateral unnest(array[s.current_period_start, s.current_period_end, s.ended_at]) as boundary
    where s.community_id = p_community_id and boundary > p_at and boundary < v_hour_end), v_hour_end);
end $$;
comment on function billing.usage_report_end(text, timestamptz) is 'When a usage report that is open at that moment closes.';

-- Adds to the open report of this moment and returns its id. The caller holds the gate of community and feature, so no
-- two make the same part; a worker may claim the report at any moment, and then the use goes into the next part.
create function billing.add_to_usage_report(
  p_community_id text, p_feature text, p_stripe_customer_id text, p_meter_event_name text,
  p_at timestamptz, p_quantity bigint) returns bigint
  language plpgsql volatile set search_path = ''
as $$
declare
  v_hour constant timestamptz := date_bin('1 hour', p_at, '1970-01-01Z');
  v_closes_at constant timestamptz := billing.usage_report_end(p_community_id, p_at);
  v_id bigint;
  v_part integer;
  v_carried bigint;
begin
  update billing.usage_reports r set quantity = r.quantity + p_quantity
  where r.community_id = p_community_id and r.feature = p_feature and r.hour = v_hour
    and r.stripe_customer_id = p_stripe_customer_id and r.meter_event_name = p_meter_event_name
    and r.closes_at = v_closes_at and r.state = 'open'
  returning r.id into v_id;
  if found then return v_id; end if;

  -- A report that ended at zero or below is never sent: what it owes goes into this one.
  with carried as (
    select r.id, r.quantity from billing.usage_reports r
    where r.community_id = p_community_id and r.feature = p_feature
      and r.stripe_customer_id = p_stripe_customer_id and r.meter_event_name = p_meter_event_name
      and r.state = 'open' and r.closes_at <= p_at and r.quantity <= 0
    for update
  ), emptied as (
    update billing.usage_reports r set quantity = 0, state = 'carried', settled_at = p_at
    from carried where r.id = carried.id
  )
  select coalesce(sum(quantity), 0) into v_carried from carried;

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
    v_closes_at, p_quantity + v_carried)
  returning id into v_id;
  insert into billing.usage_lanes (stripe_customer_id, meter_event_name)
  values (p_stripe_customer_id, p_meter_event_name) on conflict do nothing;
  return v_id;
end $$;
comment on function billing.add_to_usage_report(text, text, text, text, timestamptz, bigint) is 'Adds metered use to the outbox; returns the report it went into.';

-- Takes back what was released. A report that is still open just shrinks; what is frozen or sent stays as it is, and the
-- units come off the next report instead.
create function billing.take_from_usage_report(p_report_id bigint, p_at timestamptz, p_quantity bigint) returns void
  language plpgsql volatile set search_path = ''
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
comment on function billing.take_from_usage_report(bigint, timestamptz, bigint) is 'Takes metered use back out of the outbox.';

-- Hands out due reports, at most one for each customer and meter, and none for those another worker is busy with. A
-- claim lasts for the lease; after that somebody else may claim the same report and send it again.
--
-- Returns [{identifier, claim_id, stripe_customer_id, meter_event_name, quantity, used_at (unix seconds), attempts,
-- community_id, feature}]. Each is to be settled with its claim_id.
create function billing.claim_usage_reports(p_most integer, p_lease interval default '2 minutes') returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_lane billing.usage_lanes;
  v_report billing.usage_reports;
  v_claim_id uuid;
  v_claims jsonb := '[]';
begin
  for v_lane in
    select l.* from billing.usage_lanes l
    where (l.claimed_until is null or l.claimed_until <= v_now)
      and (l.stripe_customer_id, l.meter_event_name) in (
        select r.stripe_customer_id, r.meter_event_name from billing.usage_reports r
        where r.state in ('open', 'waiting') and r.due_at <= v_now and r.quantity > 0)
    limit p_most for update of l skip locked
  loop
    select r.* into v_report from billing.usage_reports r
    where r.stripe_customer_id = v_lane.stripe_customer_id and r.meter_event_name = v_lane.meter_event_name
      and r.state in ('open', 'waiting') and r.due_at <= v_now and r.quantity > 0
    order by r.due_at limit 1 for update skip locked; -- somebody may just be adding to it: another time, then
    continue when not found;

    v_claim_id := gen_random_uuid();
    update billing.usage_lanes l set claim_id = v_claim_id, claimed_until = v_now + p_lease
    where l.stripe_customer_id = v_lane.stripe_customer_id and l.meter_event_name = v_lane.meter_event_name;
    update billing.usage_reports r set state = 'waiting', attempts = r.attempts + 1 where r.id = v_report.id;
    v_claims := v_claims || jsonb_build_object(
      'identifier', v_report.identifier, 'claim_id', v_claim_id, 'stripe_customer_id', v_report.stripe_customer_id,
      'meter_event_name', v_report.meter_event_name, 'quantity', v_report.quantity,
      'used_at', floor(extract(epoch from v_report.first_used_at))::bigint, 'attempts', v_report.attempts + 1,
      'community_id', v_report.community_id, 'feature', v_report.feature);
  end loop;
  return v_claims;
end $$;
comment on function billing.claim_usage_reports(integer, interval) is 'Hands out usage reports to send, one for each customer and meter, for the time of the lease.';

-- Says what became of a report, and frees its customer and meter if the claim still holds them.
--   sent       Stripe has it ("already exists" too). Holds whoever says so: delivered is delivered
--   retry      not now; again after p_retry_in
--   refused    Stripe will not have it; also when it says so later, of a report that counts as sent
--   given_up   not delivered, and not worth another try
-- Returns the state it is in now; null when there is no such report.
create function billing.settle_usage_report(
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
  update billing.usage_lanes l set claimed_until = null where l.claim_id = p_claim_id;

  update billing.usage_reports r set
    state = case p_outcome when 'retry' then 'waiting' else p_outcome end,
    due_at = case p_outcome when 'retry' then v_now + p_retry_in else r.due_at end,
    settled_at = case p_outcome when 'retry' then null else v_now end,
    error = case p_outcome when 'sent' then null else p_error end
  where r.identifier = p_identifier
    and (r.state = 'waiting' or p_outcome = 'refused' and r.state = 'sent' or p_outcome = 'sent' and r.state = 'given_up');
  select r.state into v_state from billing.usage_reports r where r.identifier = p_identifier;
  return v_state;
end $$;
comment on function billing.settle_usage_report(text, uuid, text, text, interval) is 'Settles a claimed usage report: sent, retry, refused or given_up.';

revoke execute on function
  billing.usage_report_end(text, timestamptz),
  billing.add_to_usage_report(text, text, text, text, timestamptz, bigint),
  billing.take_from_usage_report(bigint, timestamptz, bigint),
  billing.claim_usage_reports(integer, interval), billing.settle_usage_report(text, uuid, text, text, interval)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.claim_usage_reports(integer, interval), billing.settle_usage_report(text, uuid, text, text, interval)
  to billing_service;
