-- One call before a feature: may the community use it? If so, the use is recorded in the same transaction.
--
-- Never one unit over a quota: every use of a feature by a community holds the usage lock, so check and count are one step.
-- The sum for a window includes the whole bucket that the window cuts, and everything stamped later than now. So no window
-- ever holds more than its quota, whichever way clocks jump.
--
-- Constant cost: nothing here reads the history of usage events, and no window is the sum of more than 600 counters. The
-- functions on this path are plpgsql, which keeps their query plans; SQL functions with a pinned search_path do not.

-- The only clock of usage and usage reports; no caller's clock is ever used. A function of its own, so that tests can
-- replace it.
create function billing.clock() returns timestamptz
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  return clock_timestamp();
end $$;
comment on function billing.clock() is 'The current time for limits and usage reports.';

create function billing.counting_horizon(p_resolution interval) returns interval
  language sql immutable security invoker set search_path = ''
as $$
  select case p_resolution
    when interval '24:00:00' then interval '8784 hours'
    when interval '12:00:00' then interval '2400 hours'
    when interval '06:00:00' then interval '1200 hours'
    when interval '03:00:00' then interval '600 hours'
    when interval '01:00:00' then interval '300 hours'
    when interval '00:10:00' then interval '100 hours'
    when interval '00:05:00' then interval '1000 minutes'
    when interval '00:01:00' then interval '500 minutes'
    when interval '00:00:10' then interval '100 minutes'
    when interval '00:00:05' then interval '1000 seconds'
    when interval '00:00:01' then interval '500 seconds'
    when interval '00:00:00.5' then interval '100 seconds'
    when interval '00:00:00.1' then interval '50 seconds' end
$$;
comment on function billing.counting_horizon(interval) is 'The longest window that is counted at this resolution (see plan_limits.resolution): how far back its counters are kept.';

create function billing.window_start(p_period text, p_window_seconds bigint, p_resolution interval, p_now timestamptz)
  returns timestamptz
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return case
    when p_window_seconds = 0 then '1970-01-01Z' -- the one counter of a resource
    when p_period = 'calendar_month' then date_trunc('month', p_now, 'UTC')
    -- The bucket that the window cuts counts whole, until its end has left the window.
    else date_bin(p_resolution, p_now - make_interval(secs => p_window_seconds), '1970-01-01Z') end;
end $$;
comment on function billing.window_start(text, bigint, interval, timestamptz) is 'The start of the first counter that counts for a limit.';

create function billing.window_release(p_period text, p_window_seconds bigint, p_resolution interval, p_starts_at timestamptz)
  returns timestamptz
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return case
    when p_window_seconds = 0 then null -- until somebody releases the resource
    when p_period = 'calendar_month' then
      (date_trunc('month', p_starts_at at time zone 'UTC') + interval '1 month') at time zone 'UTC'
    else p_starts_at + p_resolution + make_interval(secs => p_window_seconds) end;
end $$;
comment on function billing.window_release(text, bigint, interval, timestamptz) is 'When the units of a counter that starts at that time are free again; null for a resource.';

-- p_quantity is negative for units that are given back. The caller holds the usage lock.
create function billing.count_usage(
  p_community_id text, p_feature text, p_resolutions interval[], p_occurred_at timestamptz, p_quantity bigint) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_resolution interval;
  v_starts_at timestamptz;
begin
  foreach v_resolution in array p_resolutions loop
    v_starts_at := date_bin(v_resolution, p_occurred_at, '1970-01-01Z');
    update public.usage_counters k set quantity = k.quantity + p_quantity
    where k.community_id = p_community_id and k.feature = p_feature
      and k.resolution = v_resolution and k.starts_at = v_starts_at;
    continue when found or p_quantity < 0;

    insert into public.usage_counters (community_id, feature, resolution, starts_at, quantity)
    values (p_community_id, p_feature, v_resolution, v_starts_at, p_quantity);
    -- With each new bucket, those that no window reaches any more are deleted.
    delete from public.usage_counters k
    where k.community_id = p_community_id and k.feature = p_feature and k.resolution = v_resolution
      and k.starts_at < p_occurred_at - billing.counting_horizon(v_resolution) - v_resolution - interval '1 day';
  end loop;
end $$;
comment on function billing.count_usage(text, text, interval[], timestamptz, bigint) is 'Adds units to the counters of every resolution.';

-- The caller holds the usage lock.
create function billing.recount_usage(p_community_id text, p_feature text, p_resolution interval) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  -- Counters of dropped usage events cannot be rebuilt, so they are kept.
  v_since constant timestamptz := date_bin(p_resolution, greatest(
    (select r.kept_since + p_resolution from billing.usage_retention r),
    billing.clock() - billing.counting_horizon(p_resolution) - p_resolution), '1970-01-01Z');
begin
  delete from public.usage_counters k
  where k.community_id = p_community_id and k.feature = p_feature and k.resolution = p_resolution
    and k.starts_at >= v_since;
  insert into public.usage_counters (community_id, feature, resolution, starts_at, quantity)
  select p_community_id, p_feature, p_resolution, date_bin(p_resolution, e.occurred_at, '1970-01-01Z') as starts_at,
    sum(e.quantity - e.released_quantity)
  from public.usage_events e
  where e.community_id = p_community_id and e.feature = p_feature and e.occurred_at >= v_since
  group by starts_at;
end $$;
comment on function billing.recount_usage(text, text, interval) is 'Rebuilds the counters of one resolution from the usage events.';

create function billing.lock_usage(p_community_id text, p_feature text, p_plan_id bigint) returns interval[]
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_resolutions interval[];
  v_missing interval;
begin
  loop
    select l.resolutions into v_resolutions from billing.usage_locks l
    where l.community_id = p_community_id and l.feature = p_feature for update;
    exit when found;
    insert into billing.usage_locks (community_id, feature) values (p_community_id, p_feature) on conflict do nothing;
  end loop;

  for v_missing in
    select distinct l.resolution from public.plan_limits l
    where l.plan_id = p_plan_id and l.feature = p_feature
      and l.resolution > interval '0' and l.resolution <> all (v_resolutions)
  loop
    perform billing.recount_usage(p_community_id, p_feature, v_missing);
    v_resolutions := v_resolutions || v_missing;
    update billing.usage_locks l set resolutions = v_resolutions
    where l.community_id = p_community_id and l.feature = p_feature;
  end loop;
  return v_resolutions;
end $$;
comment on function billing.lock_usage(text, text, bigint) is 'Takes the usage lock of a community and feature until the transaction ends, and counts in every resolution the plan needs. Returns the resolutions that are counted.';

-- p_needed: what is used and the quantity together. The plan must have room for that in the window that refused, and no
-- smaller quota than the quantity in its other windows.
create function billing.find_upgrade_plan(
  p_feature text, p_plan_id bigint, p_quota_window interval, p_period text, p_quantity bigint, p_needed numeric) returns text
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return (
    select higher.code from public.plans higher, public.plans mine
    where mine.id = p_plan_id and higher.is_active and higher.rank > mine.rank
      and exists (
        select from public.plan_limits l
        where l.plan_id = higher.id and l.feature = p_feature
          and (l.quota_window = interval '0') = (p_quota_window = interval '0'))
      and not exists (
        select from public.plan_limits l
        where l.plan_id = higher.id and l.feature = p_feature
          and (l.quota_window = interval '0') = (p_quota_window = interval '0')
          and l.quota < case
            when l.quota_window = p_quota_window and l.period = p_period then p_needed else p_quantity end)
    order by higher.rank limit 1);
end $$;
comment on function billing.find_upgrade_plan(text, bigint, interval, text, bigint, numeric) is 'The lowest active plan above this one that would have allowed the use; null when there is none.';

-- Of the windows without room for the quantity, the one that takes longest to have it.
create function billing.quota_refusal(
  p_community_id text, p_feature text, p_plan_id bigint, p_quantity bigint, p_now timestamptz) returns jsonb
  language plpgsql stable security invoker set search_path = ''
as $$
declare
  v_refusal jsonb;
begin
  with limits as (
    select l.quota_window, l.period, l.window_seconds, l.resolution, l.quota from public.plan_limits l
    where l.plan_id = p_plan_id and l.feature = p_feature and l.resolution > interval '0'
  ), counted as (
    select l.quota_window, l.period, k.starts_at,
      -- What is used once this counter and all before it have left the window.
      coalesce(sum(k.quantity) over (
        partition by l.quota_window, l.period order by k.starts_at desc
        rows between unbounded preceding and 1 preceding), 0) as left_over,
      sum(k.quantity) over (partition by l.quota_window, l.period) as used
    from limits l join public.usage_counters k
      on k.community_id = p_community_id and k.feature = p_feature and k.resolution = l.resolution
      and k.starts_at >= billing.window_start(l.period, l.window_seconds, l.resolution, p_now)
  ), judged as (
    select l.*, coalesce(max(k.used), 0) as used,
      case when p_quantity <= l.quota then
        min(billing.window_release(l.period, l.window_seconds, l.resolution, k.starts_at))
          filter (where k.left_over + p_quantity <= l.quota) end as resets_at
    from limits l left join counted k using (quota_window, period)
    group by l.quota_window, l.period, l.window_seconds, l.resolution, l.quota
  )
  select jsonb_build_object(
    'outcome', 'refused', 'plan', (select code from public.plans where id = p_plan_id),
    'window_seconds', j.window_seconds, 'period', j.period,
    'quota', j.quota, 'used', j.used, 'resets_at', j.resets_at,
    'retry_after_seconds', ceil(extract(epoch from j.resets_at - p_now))::bigint,
    'upgrade_plan', billing.find_upgrade_plan(
      p_feature, p_plan_id, j.quota_window, j.period, p_quantity, j.used + p_quantity))
  into v_refusal
  from judged j where j.used + p_quantity > j.quota
  order by j.resets_at desc nulls first limit 1;
  return v_refusal;
end $$;
comment on function billing.quota_refusal(text, text, bigint, bigint, timestamptz) is 'The refusal that consume_quota answers with; null when every limit has room.';

-- Every limit of a feature on a plan, with p_added units more than are used now. The caller holds the usage lock.
--   limits  as in the answer of consume_quota; null when the plan has no limit for the feature
--   fits    whether no quota is exceeded
create function billing.limit_standings(
  p_community_id text, p_feature text, p_plan_id bigint, p_added bigint, p_now timestamptz,
  out limits jsonb, out fits boolean)
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  select
    jsonb_agg(jsonb_build_object(
      'window_seconds', l.window_seconds, 'period', l.period, 'quota', l.quota,
      'used', coalesce(k.used, 0) + p_added,
      'seconds_to_reset', ceil(extract(epoch from billing.window_release(
        l.period, l.window_seconds, l.resolution,
        coalesce(k.first_at, date_bin(l.resolution, p_now, '1970-01-01Z'))) - p_now))::bigint)
      order by l.quota_window, l.period),
    bool_and(coalesce(k.used, 0) + p_added <= l.quota)
  into limits, fits
  from public.plan_limits l left join lateral (
    select sum(c.quantity) as used, min(c.starts_at) filter (where c.quantity > 0) as first_at from public.usage_counters c
    where c.community_id = p_community_id and c.feature = p_feature and c.resolution = l.resolution
      and c.starts_at >= billing.window_start(l.period, l.window_seconds, l.resolution, p_now)) k on true
  where l.plan_id = p_plan_id and l.feature = p_feature and l.resolution > interval '0';
end $$;
comment on function billing.limit_standings(text, text, bigint, bigint, timestamptz) is 'Where each limit of a feature stands.';

-- The usage event, its counters, its idempotency key, and, when p_stripe_customer_id and p_meter_event_name are given, its
-- usage report. The caller holds the usage lock. Returns the id of the usage event.
create function billing.record_usage(
  p_community_id text, p_feature text, p_resolutions interval[], p_quantity bigint, p_user_id text,
  p_idempotency_key text, p_stripe_customer_id text, p_meter_event_name text, p_now timestamptz) returns bigint
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_report_id bigint;
  v_event_id bigint;
begin
  if p_meter_event_name is not null and p_stripe_customer_id is not null then
    v_report_id := billing.add_to_usage_report(
      p_community_id, p_feature, p_stripe_customer_id, p_meter_event_name, p_now, p_quantity);
  end if;
  insert into public.usage_events (
    community_id, feature, user_id, quantity, occurred_at, idempotency_key, usage_report_id)
  values (p_community_id, p_feature, p_user_id, p_quantity, p_now, p_idempotency_key, v_report_id)
  returning id into v_event_id;
  perform billing.count_usage(p_community_id, p_feature, p_resolutions, p_now, p_quantity);
  if p_idempotency_key is not null then
    insert into billing.usage_keys (community_id, feature, idempotency_key, usage_event_id, occurred_at, quantity)
    values (p_community_id, p_feature, p_idempotency_key, v_event_id, p_now, p_quantity);
  end if;
  return v_event_id;
end $$;
comment on function billing.record_usage(text, text, interval[], bigint, text, text, text, text, timestamptz) is 'Records a use that the limits allow.';

create function billing.consume_on_plan(
  p_community_id text, p_plan_id bigint, p_feature text, p_quantity bigint, p_user_id text, p_idempotency_key text)
  returns jsonb
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_billed record;
  v_resolutions interval[];
  v_standings record;
  v_repeated billing.usage_keys;
  v_event_id bigint;
begin
  if p_quantity is null or p_quantity < 1 then
    raise sqlstate '22023' using message = 'a quantity is at least 1', detail = coalesce(p_quantity::text, 'null');
  end if;
  -- A feature is billed by use when it has a meter and the plan has a price.
  select f.meter_event_name, case when p.price_cents > 0 then c.stripe_customer_id end as customer_id, p.code as plan_code
  into v_billed
  from public.features f, public.plans p, public.communities c
  where f.code = p_feature and p.id = p_plan_id and c.id = p_community_id;
  if not found then return jsonb_build_object('outcome', 'unknown_feature'); end if;

  v_resolutions := billing.lock_usage(p_community_id, p_feature, p_plan_id);
  if p_idempotency_key is not null then
    select * into v_repeated from billing.usage_keys k
    where k.community_id = p_community_id and k.feature = p_feature and k.idempotency_key = p_idempotency_key;
    if found and v_repeated.quantity <> p_quantity then return jsonb_build_object('outcome', 'key_reused'); end if;
  end if;

  v_standings := billing.limit_standings(
    p_community_id, p_feature, p_plan_id, case when v_repeated.quantity is null then p_quantity else 0 end, v_now);
  if v_standings.limits is null then
    return jsonb_build_object('outcome', 'no_limit', 'plan', v_billed.plan_code);
  end if;
  if v_repeated.quantity is not null then
    return jsonb_build_object(
      'outcome', 'repeated', 'plan', v_billed.plan_code, 'limits', v_standings.limits,
      'usage_event', jsonb_build_object('id', v_repeated.usage_event_id, 'occurred_at', v_repeated.occurred_at));
  end if;
  if not v_standings.fits then
    return coalesce(
      billing.quota_refusal(p_community_id, p_feature, p_plan_id, p_quantity, v_now),
      -- The limits were raised between the two reads: try again.
      billing.consume_on_plan(p_community_id, p_plan_id, p_feature, p_quantity, p_user_id, p_idempotency_key));
  end if;

  v_event_id := billing.record_usage(
    p_community_id, p_feature, v_resolutions, p_quantity, p_user_id, p_idempotency_key,
    v_billed.customer_id, v_billed.meter_event_name, v_now);
  return jsonb_build_object(
    'outcome', 'consumed', 'plan', v_billed.plan_code, 'limits', v_standings.limits,
    'usage_event', jsonb_build_object('id', v_event_id, 'occurred_at', v_now));
end $$;
comment on function billing.consume_on_plan(text, bigint, text, bigint, text, text) is 'consume_quota for a community whose plan is known.';

-- Uses a feature if every limit of the community's plan has room for the quantity: all of it or none.
-- Returns {outcome, …}:
--   consumed     {plan, usage_event: {id, occurred_at}, limits: [{window_seconds, period, quota, used, seconds_to_reset}]}.
--                used includes this use; seconds_to_reset: until the first units come back
--   repeated     the same, with the usage event of the first call: this idempotency key was counted before
--   refused      {plan, window_seconds, period, quota, used, resets_at, retry_after_seconds, upgrade_plan}: the limit
--                without room. resets_at is when the quantity fits; null when waiting does not help
--   key_reused   the key was used for another quantity
--   unknown_community, unknown_feature, no_limit {plan}    not configured: see quota_faults
-- Raises 22023 for a quantity below 1.
create function billing.consume_quota(
  p_community_id text, p_feature text, p_quantity bigint, p_user_id text, p_idempotency_key text default null) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_plan_id constant bigint := billing.entitled_plan(p_community_id);
begin
  if v_plan_id is null then return jsonb_build_object('outcome', 'unknown_community'); end if;
  return billing.consume_on_plan(
    p_community_id, v_plan_id, p_feature, p_quantity, p_user_id, p_idempotency_key);
end $$;
comment on function billing.consume_quota(text, text, bigint, text, text) is 'Checks every limit of the community''s plan and records the use, atomically. Refused, repeated and not configured are answers, not errors.';

-- p_uses: [{feature, quantity, idempotency_key?}]. Returns {outcome: "consumed", uses: [answers of consume_quota, in the
-- order given]}, or the first answer that is neither consumed nor repeated, with index, the position of its use (from 0).
create function billing.consume_quota_batch(p_community_id text, p_user_id text, p_uses jsonb) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_plan_id constant bigint := billing.entitled_plan(p_community_id);
  v_use record;
  v_answer jsonb;
  v_answers jsonb[];
begin
  if v_plan_id is null then return jsonb_build_object('outcome', 'unknown_community'); end if;
  begin
    -- Every batch takes the usage locks in the same order, so that no two batches deadlock.
    for v_use in
      select u.value ->> 'feature' as feature, (u.value ->> 'quantity')::bigint as quantity,
        u.value ->> 'idempotency_key' as idempotency_key, u.ordinality as place
      from jsonb_array_elements(p_uses) with ordinality u order by u.value ->> 'feature', u.ordinality
    loop
      v_answer := billing.consume_on_plan(
        p_community_id, v_plan_id, v_use.feature, v_use.quantity, p_user_id, v_use.idempotency_key);
      if v_answer ->> 'outcome' not in ('consumed', 'repeated') then
        v_answer := v_answer || jsonb_build_object('index', v_use.place - 1);
        raise sqlstate 'BATCH';
      end if;
      v_answers[v_use.place] := v_answer;
    end loop;
  exception when sqlstate 'BATCH' then
    return v_answer; -- what the batch had recorded is rolled back
  end;
  return jsonb_build_object('outcome', 'consumed', 'uses', to_jsonb(coalesce(v_answers, '{}')));
end $$;
comment on function billing.consume_quota_batch(text, text, jsonb) is 'Several uses of one community in one call: all of them or none.';

-- Gives back units because the feature failed: p_quantity of them, or all that are left of the use. They can be used again
-- at once and are not billed. An idempotency key whose use was given back completely can be used again.
-- Returns how many were given back; 0 when none were left. Raises 22023 for a quantity below 1.
create function billing.release_quota(
  p_community_id text, p_feature text, p_usage_event_id bigint, p_occurred_at timestamptz, p_quantity bigint default null)
  returns bigint
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_resolutions interval[];
  v_event public.usage_events;
  v_quantity bigint;
begin
  if p_quantity < 1 then
    raise sqlstate '22023' using message = 'a quantity is at least 1', detail = p_quantity::text;
  end if;
  select l.resolutions into v_resolutions from billing.usage_locks l
  where l.community_id = p_community_id and l.feature = p_feature for update;

  select * into v_event from public.usage_events e
  where e.community_id = p_community_id and e.feature = p_feature
    and e.occurred_at = p_occurred_at and e.id = p_usage_event_id;
  v_quantity := least(v_event.quantity - v_event.released_quantity, p_quantity);
  if v_event.id is null or v_quantity = 0 then return 0; end if;

  -- A use that was given back whole and at once never was: requests that fail leave nothing behind, however many there are.
  if v_event.released_quantity + v_quantity = v_event.quantity and v_now - p_occurred_at < interval '1 minute' then
    delete from public.usage_events e
    where e.community_id = p_community_id and e.feature = p_feature
      and e.occurred_at = p_occurred_at and e.id = p_usage_event_id;
  else
    update public.usage_events e set released_quantity = e.released_quantity + v_quantity
    where e.community_id = p_community_id and e.feature = p_feature
      and e.occurred_at = p_occurred_at and e.id = p_usage_event_id;
  end if;
  perform billing.count_usage(p_community_id, p_feature, v_resolutions, p_occurred_at, -v_quantity);
  if v_event.usage_report_id is not null then
    perform billing.take_from_usage_report(v_event.usage_report_id, v_now, v_quantity);
  end if;
  if v_event.released_quantity + v_quantity = v_event.quantity then
    delete from billing.usage_keys k
    where k.community_id = p_community_id and k.feature = p_feature and k.idempotency_key = v_event.idempotency_key
      and k.usage_event_id = p_usage_event_id;
  end if;
  return v_quantity;
end $$;
comment on function billing.release_quota(text, text, bigint, timestamptz, bigint) is 'Gives back units of a recorded use because the feature failed.';

-- p_features are limited within a window, p_resources to so many at once. Returns [{feature, plan, fault}], empty when
-- every plan has the limits it needs:
--   unknown_feature    there is no such feature (plan is null)
--   no_limit           the plan has no limit within a window for it
--   no_resource_limit  the plan has no limit of so many at once for it
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
comment on function billing.quota_faults(text[], text[]) is 'Features and limits that are missing for what the plugin guards. The server asks when it starts.';

-- Grants. window_start and window_release also serve the view usage_overview, which runs with the rights of whoever looks.
revoke execute on function
  billing.clock(), billing.counting_horizon(interval),
  billing.window_start(text, bigint, interval, timestamptz), billing.window_release(text, bigint, interval, timestamptz),
  billing.count_usage(text, text, interval[], timestamptz, bigint), billing.recount_usage(text, text, interval),
  billing.lock_usage(text, text, bigint),
  billing.find_upgrade_plan(text, bigint, interval, text, bigint, numeric),
  billing.quota_refusal(text, text, bigint, bigint, timestamptz),
  billing.limit_standings(text, text, bigint, bigint, timestamptz),
  billing.record_usage(text, text, interval[], bigint, text, text, text, text, timestamptz),
  billing.consume_on_plan(text, bigint, text, bigint, text, text),
  billing.consume_quota(text, text, bigint, text, text), billing.consume_quota_batch(text, text, jsonb),
  billing.release_quota(text, text, bigint, timestamptz, bigint), billing.quota_faults(text[], text[])
  from public, anon, authenticated, service_role;
grant execute on function
  billing.consume_quota(text, text, bigint, text, text), billing.consume_quota_batch(text, text, jsonb),
  billing.release_quota(text, text, bigint, timestamptz, bigint), billing.quota_faults(text[], text[])
  to billing_service;
grant execute on function
  billing.window_start(text, bigint, interval, timestamptz), billing.window_release(text, bigint, interval, timestamptz)
  to authenticated, service_role;
