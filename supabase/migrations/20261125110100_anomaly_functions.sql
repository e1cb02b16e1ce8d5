-- Anomalies are reported and resolved by the functions that find them.

create function billing.report_anomaly(p_kind text, p_object_id text, p_community_id text, p_detail text) returns void
  language sql volatile security invoker set search_path = ''
as $$
  insert into billing.anomalies as known (kind, object_id, community_id, detail)
  values (p_kind, p_object_id, p_community_id, p_detail)
  on conflict (kind, object_id) where resolved_at is null
  do update set detail = excluded.detail, last_seen_at = now(), seen = known.seen + 1
$$;
comment on function billing.report_anomaly(text, text, text, text) is 'Opens an anomaly, or counts it again while it is open.';

create function billing.resolve_anomaly(p_kind text, p_object_id text) returns void
  language sql volatile security invoker set search_path = ''
as $$
  update billing.anomalies set resolved_at = now()
  where kind = p_kind and object_id = p_object_id and resolved_at is null
$$;
comment on function billing.resolve_anomaly(text, text) is 'Closes an anomaly, if it is open.';

revoke execute on function
  billing.report_anomaly(text, text, text, text), billing.resolve_anomaly(text, text)
  from public, anon, authenticated, service_role;
