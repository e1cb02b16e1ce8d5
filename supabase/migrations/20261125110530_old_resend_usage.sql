-- What Stripe refused can be billed after all, once its cause is mended. Stripe never counts the old identifier, so the units
-- go into the report of now, which has one of its own.

-- For an operator (role postgres). Returns what became of it:
--   resent       its units are in the report of now, for the customer and meter that the community has now
--   not_refused  it was not refused or given up, or was resent already
--   no_customer  the community has no Stripe customer to bill
--   unknown      there is no such report
create function billing.resend_usage_report(p_identifier text) returns text
  language plpgsql volatile set search_path = ''
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

  -- Held as by whoever uses the feature: nobody else makes the same part of a report.
  perform from billing.usage_gates g
  where g.community_id = v_report.community_id and g.feature = v_report.feature for update;
  select * into v_report from billing.usage_reports r where r.identifier = p_identifier for update;
  if v_report.state not in ('refused', 'given_up') then return 'not_refused'; end if;

  perform billing.add_to_usage_report(
    v_report.community_id, v_report.feature, v_customer_id, v_meter_event_name, v_now, v_report.quantity);
  update billing.usage_reports r
  set state = 'carried', quantity = 0, settled_at = v_now,
    error = v_report.quantity || ' units were resent. Before that: ' || coalesce(v_report.error, v_report.state)
  where r.id = v_report.id;
  return 'resent';
end $$;
comment on function billing.resend_usage_report(text) is 'Puts the units of a refused or given up usage report into the report of now: resent, not_refused, no_customer or unknown.';
revoke execute on function billing.resend_usage_report(text) from public, anon, authenticated, service_role;

comment on column billing.usage_reports.state is 'open: being added to. waiting: claimed at least once, so frozen; to be sent (again). sent: Stripe has it. refused: Stripe will not have it. given_up: not delivered and not tried any more. carried: its units went into a later report, because there was nothing to bill or because an operator resent what was refused.';
