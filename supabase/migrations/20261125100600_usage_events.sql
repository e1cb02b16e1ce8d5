-- Every use of a feature, kept by month; and the counters that answer "how much" without reading it.

create table public.usage_events (
  id                bigint not null generated always as identity,
  community_id      text not null,
  feature           text not null,
  user_id           text not null,
  quantity          bigint not null constraint usage_events_quantity_positive check (quantity > 0),
  released_quantity bigint not null default 0
                    constraint usage_events_released_quantity_in_range check (released_quantity between 0 and quantity),
  occurred_at       timestamptz not null default now(),
  idempotency_key   text,
  usage_report_id   bigint,
  constraint usage_events_pkey primary key (community_id, feature, occurred_at, id)
) partition by range (occurred_at);
alter table public.usage_events enable row level security;
-- No foreign key to communities, here and in the counters: checking it would lock the community's row for every use.

create policy usage_events_select_own on public.usage_events for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid'));

revoke all on public.usage_events from anon, authenticated, service_role;
revoke all on sequence public.usage_events_id_seq from anon, authenticated, service_role;
-- user_id and idempotency_key are not granted: who did what is not every member's business.
grant select (id, community_id, feature, quantity, released_quantity, occurred_at) on public.usage_events to authenticated;
grant select on public.usage_events to service_role;

comment on table public.usage_events is 'The use of limited or metered features, as it happened. Kept by month; old months are dropped, and no limit depends on them.';
comment on column public.usage_events.id is 'Internal key.';
comment on column public.usage_events.community_id is 'The community that used the feature.';
comment on column public.usage_events.feature is 'The feature.';
comment on column public.usage_events.user_id is 'The person who did (the parent app''s id).';
comment on column public.usage_events.quantity is 'How many units.';
comment on column public.usage_events.released_quantity is 'How many of them were given back because the feature failed.';
comment on column public.usage_events.occurred_at is 'When, by the database''s clock.';
comment on column public.usage_events.idempotency_key is 'The caller''s key: the same key is counted once for a community and feature.';
comment on column public.usage_events.usage_report_id is 'The usage report it is billed with; null when it is not billed by use.';

-- Whatever falls into no month: no use is ever refused because nobody made its partition.
create table billing.usage_events_default partition of public.usage_events default;
alter table billing.usage_events_default enable row level security;
revoke all on billing.usage_events_default from public, anon, authenticated, service_role;
comment on table billing.usage_events_default is 'Usage events of months that have no partition yet. Making the partition moves them there.';

create table billing.usage_retention (
  is_only    boolean primary key default true constraint usage_retention_one_row check (is_only),
  kept_since timestamptz not null
);
alter table billing.usage_retention enable row level security;
revoke all on billing.usage_retention from public, anon, authenticated, service_role;
insert into billing.usage_retention (kept_since) values ('-infinity');

comment on table billing.usage_retention is 'One row: how far back usage events go.';
comment on column billing.usage_retention.is_only is 'Always true.';
comment on column billing.usage_retention.kept_since is 'Usage events before this were dropped.';

create table public.usage_counters (
  community_id text not null,
  feature      text not null,
  resolution   interval not null,
  starts_at    timestamptz not null,
  quantity     bigint not null constraint usage_counters_quantity_not_negative check (quantity >= 0),
  constraint usage_counters_pkey primary key (community_id, feature, resolution, starts_at)
) with (fillfactor = 70); -- room on the page for the next version of a row that is counted up again and again
alter table public.usage_counters enable row level security;

create policy usage_counters_select_own on public.usage_counters for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid'));

revoke all on public.usage_counters from anon, authenticated, service_role;
grant select on public.usage_counters to authenticated, service_role;

comment on table public.usage_counters is 'How much of a feature a community used in each stretch of time. The sum over a window is what a limit is compared with.';
comment on column public.usage_counters.community_id is 'The community.';
comment on column public.usage_counters.feature is 'The feature.';
comment on column public.usage_counters.resolution is 'How long the stretch is, as in plan_limits. 0 = a resource: the row says how many are held now.';
comment on column public.usage_counters.starts_at is 'When the stretch begins.';
comment on column public.usage_counters.quantity is 'Units used in it, less those given back.';

create table billing.usage_gates (
  community_id text not null constraint usage_gates_community_fkey references public.communities (id) on delete cascade,
  feature      text not null,
  resolutions  interval[] not null default '{06:00:00}',
  constraint usage_gates_pkey primary key (community_id, feature)
);
alter table billing.usage_gates enable row level security;
revoke all on billing.usage_gates from public, anon, authenticated, service_role;

comment on table billing.usage_gates is 'Whoever uses a feature for a community holds its row meanwhile: one at a time, so no two can take the last unit.';
comment on column billing.usage_gates.community_id is 'The community.';
comment on column billing.usage_gates.feature is 'The feature.';
comment on column billing.usage_gates.resolutions is 'The resolutions this is counted in. Six hours always (months, daily totals); others since a plan first asked for them.';

create table billing.usage_keys (
  community_id    text not null,
  feature         text not null,
  idempotency_key text not null constraint usage_keys_idempotency_key_length check (length(idempotency_key) between 1 and 255),
  usage_event_id  bigint not null,
  occurred_at     timestamptz not null,
  quantity        bigint not null,
  constraint usage_keys_pkey primary key (community_id, feature, idempotency_key)
);
alter table billing.usage_keys enable row level security;
revoke all on billing.usage_keys from public, anon, authenticated, service_role;

comment on table billing.usage_keys is 'Idempotency keys already counted. Remembered as long as their usage event.';
comment on column billing.usage_keys.community_id is 'The community.';
comment on column billing.usage_keys.feature is 'The feature.';
comment on column billing.usage_keys.idempotency_key is 'The caller''s key.';
comment on column billing.usage_keys.usage_event_id is 'The usage event it was first counted with.';
comment on column billing.usage_keys.occurred_at is 'When that was.';
comment on column billing.usage_keys.quantity is 'The quantity asked for then: the same key cannot ask for another.';

-- The only clock of everything about usage: callers' clocks never matter. A function of its own, so that a test can
-- replace it. plpgsql, as everything on the way of a use: its plans are kept, those of SQL functions are not.
create function billing.clock() returns timestamptz
  language plpgsql volatile set search_path = ''
as $$ begin
  return clock_timestamp();
end $$;
comment on function billing.clock() is 'What time it is for limits and usage reports.';

-- The end of what is worth counting at a resolution: the longest window that uses it.
create function billing.counting_horizon(p_resolution interval) returns interval
  language sql immutable set search_path = ''
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
comment on function billing.counting_horizon(interval) is 'How far back counters of that resolution are kept.';

-- Adds to the counters of every resolution; what is given back is negative. The caller holds the gate.
create function billing.count_usage(
  p_community_id text, p_feature text, p_resolutions interval[], p_occurred_at timestamptz, p_quantity bigint) returns void
  language plpgsql volatile set search_path = ''
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
    -- Each new stretch sweeps out those that no window reaches any more.
    delete from public.usage_counters k
    where k.community_id = p_community_id and k.feature = p_feature and k.resolution = v_resolution
      and k.starts_at < p_occurred_at - billing.counting_horizon(v_resolution) - v_resolution - interval '1 day';
  end loop;
end $$;
comment on function billing.count_usage(text, text, interval[], timestamptz, bigint) is 'Counts use of a feature up, or down again.';

-- Counts the past at one resolution, from the events. The caller holds the gate.
create function billing.recount_usage(p_community_id text, p_feature text, p_resolution interval) returns void
  language plpgsql volatile set search_path = ''
as $$
declare
  -- What was dropped cannot be counted again: what is known of it stays.
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
comment on function billing.recount_usage(text, text, interval) is 'Makes the counters of one resolution anew from the usage events.';

-- Waits for its turn with a feature of a community, and makes sure that what a plan limits is counted.
create function billing.pass_gate(p_community_id text, p_feature text, p_plan_id bigint) returns interval[]
  language plpgsql volatile set search_path = ''
as $$
declare
  v_resolutions interval[];
  v_missing interval;
begin
  loop
    select g.resolutions into v_resolutions from billing.usage_gates g
    where g.community_id = p_community_id and g.feature = p_feature for update;
    exit when found;
    insert into billing.usage_gates (community_id, feature) values (p_community_id, p_feature) on conflict do nothing;
  end loop;

  for v_missing in
    select distinct l.resolution from public.plan_limits l
    where l.plan_id = p_plan_id and l.feature = p_feature
      and l.resolution > interval '0' and l.resolution <> all (v_resolutions)
  loop
    perform billing.recount_usage(p_community_id, p_feature, v_missing);
    v_resolutions := v_resolutions || v_missing;
    update billing.usage_gates g set resolutions = v_resolutions
    where g.community_id = p_community_id and g.feature = p_feature;
  end loop;
  return v_resolutions;
end $$;
comment on function billing.pass_gate(text, text, bigint) is 'Locks a community''s use of a feature until the transaction ends; returns the resolutions it is counted in.';

revoke execute on function
  billing.clock(), billing.counting_horizon(interval),
  billing.count_usage(text, text, interval[], timestamptz, bigint), billing.recount_usage(text, text, interval),
  billing.pass_gate(text, text, bigint)
  from public, anon, authenticated, service_role;
