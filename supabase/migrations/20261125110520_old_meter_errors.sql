-- Stripe takes a meter event first and may refuse it minutes later. It says so in an event that names what it refused.

-- Records such an event, puts it before the operator, and marks the usage reports it names, in one transaction.
--   p_change  {kind: "meter_errors", detail, refused: [{identifier, reason}]}
-- Returns {outcome, reason} as apply_stripe_event does. Identifiers that are not ours are passed over.
create function billing.apply_meter_errors(p_event jsonb, p_change jsonb, p_payload jsonb, p_replay boolean default false)
  returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_settlement constant jsonb := billing.apply_stripe_event(
    p_event, p_change || '{"kind": "anomaly", "anomaly": "meter_error"}', p_payload, null, p_replay);
begin
  if v_settlement ->> 'outcome' = 'applied' then
    perform billing.settle_usage_report(r.identifier, null, 'refused', r.reason)
    from jsonb_to_recordset(p_change -> 'refused') as r(identifier text, reason text);
  end if;
  return v_settlement;
end $$;
comment on function billing.apply_meter_errors(jsonb, jsonb, jsonb, boolean) is 'Records what Stripe refused of reported usage, and marks the usage reports concerned.';

revoke execute on function billing.apply_meter_errors(jsonb, jsonb, jsonb, boolean)
  from public, anon, authenticated, service_role;
grant execute on function billing.apply_meter_errors(jsonb, jsonb, jsonb, boolean) to billing_service;
