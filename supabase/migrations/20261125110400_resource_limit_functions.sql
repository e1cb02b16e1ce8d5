-- Resource limits: so many at once. What is held is counted in a counter of resolution 0, under the same gate as use.

create table billing.held_resources (
  community_id text not null,
  feature      text not null,
  resource_id  text not null constraint held_resources_resource_id_length check (length(resource_id) between 1 and 255),
  user_id      text not null,
  acquired_at  timestamptz not null,
  expires_at   timestamptz,
  constraint held_resources_pkey primary key (community_id, feature, resource_id)
);
alter table billing.held_resources enable row level security;
revoke all on billing.held_resources from public, anon, authenticated, service_role;

-- Taking one looks for those whose lease has run out.
create index held_resources_expires_at on billing.held_resources (community_id, feature, expires_at)
  where expires_at is not null;

comment on table billing.held_resources is 'What communities hold right now of features limited to so many at once.';
comment on column billing.held_resources.community_id is 'The community.';
comment on column billing.held_resources.feature is 'The feature.';
comment on column billing.held_resources.resource_id is 'The caller''s name for the one thing that is held.';
comment on column billing.held_resources.user_id is 'The person who took it.';
comment on column billing.held_resources.acquired_at is 'Since when.';
comment on column billing.held_resources.expires_at is 'When it counts as released even if nobody says so; null = never.';

-- Changes how many are held. The caller holds the gate.
create function billing.count_held(p_community_id text, p_feature text, p_change bigint) returns void
  language plpgsql volatile set search_path = ''
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

-- Takes one more of a resource, if the plan has room; taking what is held already is free and renews its lease.
-- Returns {outcome, …}:
--   acquired, held    {plan, used, quota}
--   refused           as consume_quota answers, with window_seconds 0: waiting helps only if somebody releases one
--   unknown_community, unknown_feature, no_limit {plan}
create function billing.acquire_resource(
  p_community_id text, p_feature text, p_resource_id text, p_user_id text, p_lease interval default null) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_plan_id constant bigint := billing.entitled_plan(p_community_id);
  v_now constant timestamptz := billing.clock();
  v_plan_code constant text := (select code from public.plans where id = v_plan_id);
  v_limit bigint;
  v_used bigint;
  v_expired bigint;
  v_outcome text;
begin
  if v_plan_id is null then return jsonb_build_object('outcome', 'unknown_community'); end if;
  if not exists (select from public.features where code = p_feature) then
    return jsonb_build_object('outcome', 'unknown_feature');
  end if;
  select l.quota into v_limit from public.plan_limits l
  where l.plan_id = v_plan_id and l.feature = p_feature and l.quota_window = interval '0';
  if not found then return jsonb_build_object('outcome', 'no_limit', 'plan', v_plan_code); end if;
  perform billing.pass_gate(p_community_id, p_feature, v_plan_id);

  delete from billing.held_resources h
  where h.community_id = p_community_id and h.feature = p_feature and h.expires_at <= v_now;
  get diagnostics v_expired = row_count;
  perform billing.count_held(p_community_id, p_feature, -v_expired);

  select coalesce(sum(k.quantity), 0) into v_used from public.usage_counters k
  where k.community_id = p_community_id and k.feature = p_feature and k.resolution = interval '0';
  update billing.held_resources h set expires_at = v_now + p_lease
  where h.community_id = p_community_id and h.feature = p_feature and h.resource_id = p_resource_id;
  if found then
    v_outcome := 'held';
  elsif v_used >= v_limit then
    return jsonb_build_object(
      'outcome', 'refused', 'plan', v_plan_code, 'window_seconds', 0, 'period', 'rolling',
      'quota', v_limit, 'used', v_used, 'resets_at', null, 'retry_after_seconds', null,
      'upgrade_plan', billing.lifting_plan(p_feature, v_plan_id, interval '0', 'rolling', 1, v_used + 1));
  else
    insert into billing.held_resources (community_id, feature, resource_id, user_id, acquired_at, expires_at)
    values (p_community_id, p_feature, p_resource_id, p_user_id, v_now, v_now + p_lease);
    perform billing.count_held(p_community_id, p_feature, 1);
    v_outcome := 'acquired';
    v_used := v_used + 1;
  end if;
  return jsonb_build_object('outcome', v_outcome, 'plan', v_plan_code, 'used', v_used, 'quota', v_limit);
end $$;
comment on function billing.acquire_resource(text, text, text, text, interval) is 'Takes one more of a feature that is limited to so many at once.';

-- Gives a resource back. False when it is not held: released before, or its lease has run out.
create function billing.release_resource(p_community_id text, p_feature text, p_resource_id text) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform from billing.usage_gates g where g.community_id = p_community_id and g.feature = p_feature for update;
  delete from billing.held_resources h
  where h.community_id = p_community_id and h.feature = p_feature and h.resource_id = p_resource_id;
  if not found then return false; end if;
  perform billing.count_held(p_community_id, p_feature, -1);
  return true;
end $$;
comment on function billing.release_resource(text, text, text) is 'Gives back what acquire_resource took.';

-- What stands in the way of guarding these features on every plan: [{feature, plan, fault}], empty when all is well.
--   unknown_feature    there is no such feature (plan is null)
--   no_limit           the plan has no limit for it within a time window
--   no_resource_limit  the plan has no limit of so many at once
create function billing.quota_faults(p_features text[], p_resources text[]) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  with guarded as (
    select feature, false as is_resource from unnest(p_features) as feature
    union all
    select feature, true from unnest(p_resources) as feature
  ), faults as (
    select g.feature, null as plan, -1 as rank, 'unknown_feature' as fault from guarded g
    where not exists (select from public.features f where f.code = g.feature)
    union
    select g.feature, p.code, p.rank, case when g.is_resource then 'no_resource_limit' else 'no_limit' end
    from guarded g join public.features f on f.code = g.feature cross join public.plans p
    where not exists (
      select from public.plan_limits l
      where l.plan_id = p.id and l.feature = g.feature and (l.quota_window = interval '0') = g.is_resource)
  )
  select coalesce(jsonb_agg(jsonb_build_object('feature', feature, 'plan', plan, 'fault', fault)
    order by feature, rank, fault), '[]') from faults
$$;
comment on function billing.quota_faults(text[], text[]) is 'Features and limits that are missing for what the plugin guards: used features, and resources. Asked when the server starts.';

revoke execute on function
  billing.count_held(text, text, bigint), billing.acquire_resource(text, text, text, text, interval),
  billing.release_resource(text, text, text), billing.quota_faults(text[], text[])
  from public, anon, authenticated, service_role;
grant execute on function
  billing.acquire_resource(text, text, text, text, interval), billing.release_resource(text, text, text),
  billing.quota_faults(text[], text[])
  to billing_service;
