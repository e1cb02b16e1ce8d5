-- One call before a feature: may the community use it, and if so, it has.
--
-- Never one unit over: whoever uses a feature for a community holds its gate, so the check and the count are one. Every
-- limit is compared with the sum of the stretches its window touches, the first of them whole, and with whatever is
-- stamped later than now: however clocks jump, no window ever holds more than its limit.
--
-- Flat cost: nothing here reads usage events, and no window is the sum of more than 600 counters.

-- The plan that counts at this moment. A past_due subscription loses its plan when its grace runs out, and no event says
-- so: whoever uses a feature first after that derives the plan anew. Null when there is no such community.
create function billing.entitled_plan(p_community_id text) returns bigint
  language plpgsql volatile set search_path = ''
as $$
declare
  v_plan_id bigint;
  v_is_default boolean;
begin
  select c.current_plan_id, p.is_default into v_plan_id, v_is_default
  from public.communities c join public.plans p on p.id = c.current_plan_id where c.id = p_community_id;
  if v_is_default or not exists (
    select from public.subscriptions s left join public.plans p on p.id = s.plan_id
    where s.community_id = p_community_id and s.status = 'past_due'
      and now() >= s.past_due_since + coalesce(p.grace_period, interval '7 days'))
  then
    return v_plan_id;
  end if;

  perform from public.communities c where c.id = p_community_id for no key update;
  perform billing.derive_plan(p_community_id);
  select c.current_plan_id into v_plan_id from public.communities c where c.id = p_community_id;
  return v_plan_id;
end $$;
comment on function billing.entitled_plan(text) is 'The plan a community is entitled to right now, also when its grace has just run out.';

-- From when on a counter belongs to a window, at a moment.
create function billing.window_start(p_period text, p_window_seconds bigint, p_resolution interval, p_now timestamptz)
  returns timestamptz
  language plpgsql stable set search_path = ''
as $$ begin
  return case p_period
    when 'calendar_month' then date_trunc('month', p_now, 'UTC')
    -- The stretch that is partly inside the window counts whole. It is inside until its end has left.
    else date_bin(p_resolution, p_now - make_interval(secs => p_window_seconds), '1970-01-01Z') end;
end $$;
comment on function billing.window_start(text, bigint, interval, timestamptz) is 'The start of the first counter that counts for a limit.';

-- When a counter that starts then stops counting.
create function billing.window_release(p_period text, p_window_seconds bigint, p_resolution interval, p_starts_at timestamptz)
  returns timestamptz
  language plpgsql immutable set search_path = ''
as $$ begin
  return case p_period
    when 'calendar_month' then
      (date_trunc('month', p_starts_at at time zone 'UTC') + interval '1 month') at time zone 'UTC'
    else p_starts_at + p_resolution + make_interval(secs => p_window_seconds) end;
end $$;
comment on function billing.window_release(text, bigint, interval, timestamptz) is 'When what a counter holds is free again.';

-- Why not, and until when: of the windows without room for the quantity, the one that takes longest to have it.
create function billing.quota_refusal(
  p_community_id text, p_feature text, p_plan_id bigint, p_quantity bigint, p_now timestamptz) returns jsonb
  language plpgsql stable set search_path = ''
as $$
declare
  v_refusal jsonb;
begin
  with limits as (
    select l.quota_window, l.period, l.window_seconds, l.resolution, l.quota from public.plan_limits l
    where l.plan_id = p_plan_id and l.feature = p_feature and l.resolution > interval '0'
  ), counted as (
    select l.quota_window, l.period, k.starts_at,
      -- Used, were this counter and all before it gone.
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
    'upgrade_plan', billing.lifting_plan(p_feature, p_plan_id, j.quota_window, j.period, p_quantity, j.used + p_quantity))
  into v_refusal
  from judged j where j.used + p_quantity > j.quota
  order by j.resets_at desc nulls first limit 1;
  return v_refusal;
end $$;
comment on function billing.quota_refusal(text, text, bigint, bigint, timestamptz) is 'The limit that stands in the way of a use, how far it is used, and when there is room again.';

-- The next plan up, on offer, whose limits the quantity does not exceed, and which has room for what is used and the
-- quantity together where the plan in force has not. Null when no plan has.
create function billing.lifting_plan(
  p_feature text, p_plan_id bigint, p_quota_window interval, p_period text, p_quantity bigint, p_needed numeric) returns text
  language plpgsql stable set search_path = ''
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
comment on function billing.lifting_plan(text, bigint, interval, text, bigint, numeric) is 'The lowest plan above this one that would have allowed it.';

-- Checks every window of the plan and records the use, for a community whose plan is known. See consume_quota.
create function billing.consume_within_plan(
  p_community_id text, p_plan_id bigint, p_feature text, p_quantity bigint, p_user_id text, p_idempotency_key text)
  returns jsonb
  language plpgsql volatile set search_path = ''
as $$
declare
  v_now constant timestamptz := billing.clock();
  v_billed record;
  v_resolutions interval[];
  v_limits jsonb;
  v_fits boolean;
  v_repeated billing.usage_keys;
  v_report_id bigint;
  v_event_id bigint;
begin
  if p_quantity is null or p_quantity < 1 then
    raise sqlstate '22023' using message = 'a quantity is at least 1', detail = coalesce(p_quantity::text, 'null');
  end if;
  -- A feature is billed by use when it has a meter and the plan is paid for.
  select f.meter_event_name, case when p.price_cents > 0 then c.stripe_customer_id end as customer_id, p.code as plan_code
  into v_billed
  from public.features f, public.plans p, public.communities c
  where f.code = p_feature and p.id = p_plan_id and c.id = p_community_id;
  if not found then return jsonb_build_object('outcome', 'unknown_feature'); end if;

  v_resolutions := billing.pass_gate(p_community_id, p_feature, p_plan_id);
  if p_idempotency_key is not null then
    select * into v_repeated from billing.usage_keys k
    where k.community_id = p_community_id and k.feature = p_feature and k.idempotency_key = p_idempotency_key;
    if found and v_repeated.quantity <> p_quantity then return jsonb_build_object('outcome', 'key_reused'); end if;
  end if;

  -- A repeat is free, so it adds nothing.
  select
    jsonb_agg(jsonb_build_object(
      'window_seconds', l.window_seconds, 'period', l.period, 'quota', l.quota,
      'used', coalesce(k.used, 0) + added.quantity,
      'seconds_to_reset', ceil(extract(epoch from billing.window_release(
        l.period, l.window_seconds, l.resolution,
        coalesce(k.first_at, date_bin(l.resolution, v_now, '1970-01-01Z'))) - v_now))::bigint)
      order by l.quota_window, l.period),
    bool_and(coalesce(k.used, 0) + added.quantity <= l.quota)
  into v_limits, v_fits
  from (select case when v_repeated.quantity is null then p_quantity else 0 end as quantity) added,
  public.plan_limits l left join lateral (
    select sum(c.quantity) as used, min(c.starts_at) filter (where c.quantity > 0) as first_at from public.usage_counters c
    where c.community_id = p_community_id and c.feature = p_feature and c.resolution = l.resolution
      and c.starts_at >= billing.window_start(l.period, l.window_seconds, l.resolution, v_now)) k on true
  where l.plan_id = p_plan_id and l.feature = p_feature and l.resolution > interval '0';

  if v_limits is null then
    return jsonb_build_object('outcome', 'no_limit', 'plan', v_billed.plan_code);
  end if;
  if v_repeated.quantity is not null then
    return jsonb_build_object(
      'outcome', 'repeated', 'plan', v_billed.plan_code, 'limits', v_limits,
      'usage_event', jsonb_build_object('id', v_repeated.usage_event_id, 'occurred_at', v_repeated.occurred_at));
  end if;
  if not v_fits then
    return coalesce(
      billing.quota_refusal(p_community_id, p_feature, p_plan_id, p_quantity, v_now),
      -- Between the two looks at the limits somebody has raised them.
      billing.consume_within_plan(p_community_id, p_plan_id, p_feature, p_quantity, p_user_id, p_idempotency_key));
  end if;

  if v_billed.meter_event_name is not null and v_billed.customer_id is not null then
    v_report_id := billing.add_to_usage_report(
      p_community_id, p_feature, v_billed.customer_id, v_billed.meter_event_name, v_now, p_quantity);
  end if;
  insert into public.usage_events (
    community_id, feature, user_id, quantity, occurred_at, idempotency_key, usage_report_id)
  values (p_community_id, p_feature, p_user_id, p_quantity, v_now, p_idempotency_key, v_report_id)
  returning id into v_event_id;
  perform billing.count_usage(p_community_id, p_feature, v_resolutions, v_now, p_quantity);
  if p_idempotency_key is not null then
    insert into billing.usage_keys (community_id, feature, idempotency_key, usage_event_id, occurred_at, quantity)
    values (p_community_id, p_feature, p_idempotency_key, v_event_id, v_now, p_quantity);
  end if;
  return jsonb_build_object(
    'outcome', 'consumed', 'plan', v_billed.plan_code, 'limits', v_limits,
    'usage_event', jsonb_build_object('id', v_event_id, 'occurred_at', v_now));
end $$;
comment on function billing.consume_within_plan(text, bigint, text, bigint, text, text) is 'consume_quota for a community whose plan is known.';

-- Uses a feature, if every window of the community's plan has room for the quantity; all of it or none.
-- Returns {outcome, …}:
--   consumed     {plan, usage_event: {id, occurred_at}, limits: [{window_seconds, period, quota, used,
--                seconds_to_reset}]}. used includes this use; seconds_to_reset: until the first units come back
--   repeated     the same, of the first time: this idempotency key was counted already
--   refused      {plan, window_seconds, period, quota, used, resets_at, retry_after_seconds, upgrade_plan}:
--                the window with no room. resets_at is when the quantity fits; null when waiting does not help
--   key_reused   the key was used for another quantity
--   unknown_community, unknown_feature, no_limit {plan}    not set up: see quota_faults
create function billing.consume_quota(
  p_community_id text, p_feature text, p_quantity bigint, p_user_id text, p_idempotency_key text default null) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_plan_id constant bigint := billing.entitled_plan(p_community_id);
begin
  if v_plan_id is null then return jsonb_build_object('outcome', 'unknown_community'); end if;
  return billing.consume_within_plan(
    p_community_id, v_plan_id, p_feature, p_quantity, p_user_id, p_idempotency_key);
end $$;
comment on function billing.consume_quota(text, text, bigint, text, text) is 'Checks every window of the community''s plan and records the use, atomically. Refused, repeated and misconfigured are answers, not errors.';

-- Several uses at once, each [{feature, quantity, idempotency_key?}], all of them or none. Returns
-- {outcome: "consumed", uses: [answers of consume_quota, in the order given]}, or the first answer that is neither consumed nor
-- repeated, with index, its place (from 0).
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
    -- Gates are passed in one order by everybody, so no two batches can wait for each other.
    for v_use in
      select u.value ->> 'feature' as feature, (u.value ->> 'quantity')::bigint as quantity,
        u.value ->> 'idempotency_key' as idempotency_key, u.ordinality as place
      from jsonb_array_elements(p_uses) with ordinality u order by u.value ->> 'feature', u.ordinality
    loop
      v_answer := billing.consume_within_plan(
        p_community_id, v_plan_id, v_use.feature, v_use.quantity, p_user_id, v_use.idempotency_key);
      if v_answer ->> 'outcome' not in ('consumed', 'repeated') then
        v_answer := v_answer || jsonb_build_object('index', v_use.place - 1);
        raise sqlstate 'BATCH';
      end if;
      v_answers[v_use.place] := v_answer;
    end loop;
  exception when sqlstate 'BATCH' then
    return v_answer; -- and everything the batch had recorded is undone
  end;
  return jsonb_build_object('outcome', 'consumed', 'uses', to_jsonb(coalesce(v_answers, '{}')));
end $$;
comment on function billing.consume_quota_batch(text, text, jsonb) is 'Several uses of one community in one call, all or nothing.';

-- Gives units back because the feature failed: all that are left of the use, or so many. They can be used again at once,
-- are not billed, and an idempotency key whose use was given back whole can be used again.
-- Returns how many were given back; 0 when there were none left.
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
  select g.resolutions into v_resolutions from billing.usage_gates g
  where g.community_id = p_community_id and g.feature = p_feature for update;

  select * into v_event from public.usage_events e
  where e.community_id = p_community_id and e.feature = p_feature
    and e.occurred_at = p_occurred_at and e.id = p_usage_event_id;
  v_quantity := least(v_event.quantity - v_event.released_quantity, p_quantity);
  if v_event.id is null or v_quantity = 0 then return 0; end if;

  update public.usage_events e set released_quantity = e.released_quantity + v_quantity
  where e.community_id = p_community_id and e.feature = p_feature
    and e.occurred_at = p_occurred_at and e.id = p_usage_event_id;
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
comment on function billing.release_quota(text, text, bigint, timestamptz, bigint) is 'Gives back units of a recorded use, because the feature failed.';

revoke execute on function
  billing.entitled_plan(text), billing.window_start(text, bigint, interval, timestamptz),
  billing.window_release(text, bigint, interval, timestamptz),
  billing.quota_refusal(text, text, bigint, bigint, timestamptz),
  billing.lifting_plan(text, bigint, interval, text, bigint, numeric),
  billing.consume_within_plan(text, bigint, text, bigint, text, text),
  billing.consume_quota(text, text, bigint, text, text), billing.consume_quota_batch(text, text, jsonb),
  billing.release_quota(text, text, bigint, timestamptz, bigint)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.consume_quota(text, text, bigint, text, text), billing.consume_quota_batch(text, text, jsonb),
  billing.release_quota(text, text, bigint, timestamptz, bigint)
  to billing_service;
