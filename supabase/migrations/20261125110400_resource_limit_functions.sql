-- Resource limits: so many at once. How many are held is a counter of resolution 0, under the same usage lock as use.

-- The caller holds the usage lock.
create function billing.count_held(p_community_id text, p_feature text, p_change bigint) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  if p_change = 0 then return; end if;
  update public.usage_counters k set quantity = k.quantity + p_change
  where k.community_id = p_community_id and k.feature = p_feature
    and k.resolution = interval '0' and k.starts_at = '1970-01-01Z';
  if found then return; end if;
  insert into public.usage_counters (community_id, feature, resolution, starts_at, quantity)
  values (p_community_id, p_feature, interval '0', '1970-01-01Z', p_change);
end $$;
comment on function billing.count_held(text, text, bigint) is 'Changes the number of resources held.';

-- The caller holds the usage lock.
create function billing.release_expired_resources(p_community_id text, p_feature text, p_now timestamptz) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_expired bigint;
begin
  delete from billing.held_resources h
  where h.community_id = p_community_id and h.feature = p_feature and h.expires_at <= p_now;
  get diagnostics v_expired = row_count;
  perform billing.count_held(p_community_id, p_feature, -v_expired);
end $$;
comment on function billing.release_expired_resources(text, text, timestamptz) is 'Releases the resources whose lease has ended.';

-- Acquires one more resource if the plan has room. Acquiring one that is held already is free and renews its lease.
-- Returns {outcome, …}:
--   acquired, held    {plan, used, quota}
--   refused           as consume_quota answers, with window_seconds 0 and no time: only a release makes room
--   unknown_community, unknown_feature, no_limit {plan}
create function billing.acquire_resource(
  p_community_id text, p_feature text, p_resource_id text, p_user_id text, p_lease interval default null) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_plan_id constant bigint := billing.entitled_plan(p_community_id);
  v_now constant timestamptz := billing.clock();
  v_plan_code constant text := (select code from public.plans where id = v_plan_id);
  v_quota bigint;
  v_used bigint;
  v_outcome text;
begin
  if v_plan_id is null then return jsonb_build_object('outcome', 'unknown_community'); end if;
  if not exists (select from public.features where code = p_feature) then
    return jsonb_build_object('outcome', 'unknown_feature');
  end if;
  select l.quota into v_quota from public.plan_limits l
  where l.plan_id = v_plan_id and l.feature = p_feature and l.quota_window = interval '0';
  if not found then return jsonb_build_object('outcome', 'no_limit', 'plan', v_plan_code); end if;

  perform billing.lock_usage(p_community_id, p_feature, v_plan_id);
  perform billing.release_expired_resources(p_community_id, p_feature, v_now);
  select coalesce(sum(k.quantity), 0) into v_used from public.usage_counters k
  where k.community_id = p_community_id and k.feature = p_feature and k.resolution = interval '0';
  update billing.held_resources h set expires_at = v_now + p_lease
  where h.community_id = p_community_id and h.feature = p_feature and h.resource_id = p_resource_id;
  if found then
    v_outcome := 'held';
  elsif v_used >= v_quota then
    return jsonb_build_object(
      'outcome', 'refused', 'plan', v_plan_code, 'window_seconds', 0, 'period', 'rolling',
      'quota', v_quota, 'used', v_used, 'resets_at', null, 'retry_after_seconds', null,
      'upgrade_plan', billing.find_upgrade_plan(p_feature, v_plan_id, interval '0', 'rolling', 1, v_used + 1));
  else
    insert into billing.held_resources (community_id, feature, resource_id, user_id, acquired_at, expires_at)
    values (p_community_id, p_feature, p_resource_id, p_user_id, v_now, v_now + p_lease);
    perform billing.count_held(p_community_id, p_feature, 1);
    v_outcome := 'acquired';
    v_used := v_used + 1;
  end if;
  return jsonb_build_object('outcome', v_outcome, 'plan', v_plan_code, 'used', v_used, 'quota', v_quota);
end $$;
comment on function billing.acquire_resource(text, text, text, text, interval) is 'Acquires one more of a feature that is limited to so many at once.';

create function billing.release_resource(p_community_id text, p_feature text, p_resource_id text) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform from billing.usage_locks l where l.community_id = p_community_id and l.feature = p_feature for update;
  delete from billing.held_resources h
  where h.community_id = p_community_id and h.feature = p_feature and h.resource_id = p_resource_id;
  if not found then return false; end if;
  perform billing.count_held(p_community_id, p_feature, -1);
  return true;
end $$;
comment on function billing.release_resource(text, text, text) is 'Releases what acquire_resource acquired. False when it is not held: released before, or its lease has ended.';

-- Grants.
revoke execute on function
  billing.count_held(text, text, bigint), billing.release_expired_resources(text, text, timestamptz),
  billing.acquire_resource(text, text, text, text, interval), billing.release_resource(text, text, text)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.acquire_resource(text, text, text, text, interval), billing.release_resource(text, text, text)
  to billing_service;
