-- Anomalies are reported and resolved by whoever finds them.

-- p_community_id: null when none is known; one that does not exist counts as null.
create function billing.report_anomaly(p_kind text, p_object_id text, p_community_id text, p_detail text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  insert into billing.anomalies as known (kind, object_id, community_id, detail)
  values (p_kind, p_object_id, (select c.id from public.communities c where c.id = p_community_id), left(p_detail, 4000))
  on conflict (kind, object_id) where resolved_at is null
  do update set detail = excluded.detail, community_id = coalesce(excluded.community_id, known.community_id),
    last_seen_at = now(), seen = known.seen + 1;
end $$;
comment on function billing.report_anomaly(text, text, text, text) is 'Opens an anomaly, or counts it again while it is open.';

create function billing.resolve_anomaly(p_kind text, p_object_id text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  update billing.anomalies set resolved_at = now()
  where kind = p_kind and object_id = p_object_id and resolved_at is null;
end $$;
comment on function billing.resolve_anomaly(text, text) is 'Closes an anomaly, if it is open.';

revoke execute on function
  billing.report_anomaly(text, text, text, text), billing.resolve_anomaly(text, text)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.report_anomaly(text, text, text, text), billing.resolve_anomaly(text, text)
  to billing_service;
