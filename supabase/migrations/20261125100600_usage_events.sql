-- Use of features: the events, the counters that limits are compared with, and what communities hold of resources.
--
-- None of these tables but usage_locks has a foreign key to communities: checking it would lock the community's row for
-- every use.

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

create policy usage_events_select_own on public.usage_events for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid'));

comment on table public.usage_events is 'Every use of a limited or metered feature. Partitioned by month; old months are dropped, and no limit needs them.';
comment on column public.usage_events.user_id is 'The person who used the feature (the parent app''s id).';
comment on column public.usage_events.quantity is 'Units used.';
comment on column public.usage_events.released_quantity is 'Units of these that were given back because the feature failed.';
comment on column public.usage_events.occurred_at is 'By the database''s clock.';
comment on column public.usage_events.idempotency_key is 'The caller''s key: the same key is counted once for a community and feature.';
comment on column public.usage_events.usage_report_id is 'The usage report that bills it; null when it is not billed by use.';

-- Takes the events of months that have no partition, so that no use fails for lack of one.
create table billing.usage_events_default partition of public.usage_events default;
alter table billing.usage_events_default enable row level security;

-- Finds months that have events here, and what is old enough to be deleted.
create index usage_events_default_occurred_at on billing.usage_events_default (occurred_at);

comment on table billing.usage_events_default is 'Usage events of months that had no partition in time.';

create table billing.usage_retention (
  is_only    boolean primary key default true constraint usage_retention_one_row check (is_only),
  kept_since timestamptz not null,
  counters_checked_community text,
  counters_checked_feature text
);
alter table billing.usage_retention enable row level security;
insert into billing.usage_retention (kept_since) values ('-infinity');

comment on table billing.usage_retention is 'One row: how far back usage events go.';
comment on column billing.usage_retention.is_only is 'Always true, so that there is one row.';
comment on column billing.usage_retention.kept_since is 'Usage events before this were dropped.';
comment on column billing.usage_retention.counters_checked_community is 'Where the deletion of old counters goes on: after this community and feature. Null = at the first.';
comment on column billing.usage_retention.counters_checked_feature is 'See counters_checked_community.';

create table public.usage_counters (
  community_id text not null,
  feature      text not null,
  resolution   interval not null,
  starts_at    timestamptz not null,
  quantity     bigint not null constraint usage_counters_quantity_not_negative check (quantity >= 0),
  constraint usage_counters_pkey primary key (community_id, feature, resolution, starts_at)
) with (fillfactor = 70); -- leaves room on the page for new versions of rows that are updated often
alter table public.usage_counters enable row level security;

create policy usage_counters_select_own on public.usage_counters for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid'));

comment on table public.usage_counters is 'Usage in buckets of fixed length. The sum of the buckets of a window is what a limit is compared with.';
comment on column public.usage_counters.resolution is 'Length of the bucket, as in plan_limits. 0 = a resource: the row says how many are held now.';
comment on column public.usage_counters.starts_at is 'Start of the bucket. Buckets are aligned to 1970-01-01T00:00:00Z.';
comment on column public.usage_counters.quantity is 'Units used in it, less those given back.';

create table billing.usage_locks (
  community_id text not null constraint usage_locks_community_fkey references public.communities (id) on delete cascade,
  feature      text not null,
  resolutions  interval[] not null default '{06:00:00}',
  constraint usage_locks_pkey primary key (community_id, feature)
);
alter table billing.usage_locks enable row level security;

comment on table billing.usage_locks is 'The usage lock: every use of a feature by a community locks this row first, so that no two take the last unit.';
comment on column billing.usage_locks.resolutions is 'The resolutions in which this usage is counted. 6 hours always (calendar months, daily totals); others since a plan first needed them.';

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

-- Finds those that are old enough to be deleted.
create index usage_keys_occurred_at on billing.usage_keys (occurred_at);

comment on table billing.usage_keys is 'Idempotency keys that were counted. Kept as long as their usage event.';
comment on column billing.usage_keys.idempotency_key is 'The caller''s key.';
comment on column billing.usage_keys.usage_event_id is 'The usage event of the first call with this key.';
comment on column billing.usage_keys.occurred_at is 'As in the usage event, whose key it is part of.';
comment on column billing.usage_keys.quantity is 'Units of the first call. A call with the same key and another quantity is refused.';

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

-- Finds expired leases when a resource is acquired.
create index held_resources_expires_at on billing.held_resources (community_id, feature, expires_at)
  where expires_at is not null;

comment on table billing.held_resources is 'What communities hold now of features that are limited to so many at once.';
comment on column billing.held_resources.resource_id is 'The caller''s name for the resource.';
comment on column billing.held_resources.user_id is 'The person who acquired it (the parent app''s id).';
comment on column billing.held_resources.acquired_at is 'By the database''s clock.';
comment on column billing.held_resources.expires_at is 'End of the lease: from then on it counts as released. null = no lease.';

-- Grants. Not granted to authenticated: user_id and idempotency_key, because members need not see who did what.
revoke all on
  public.usage_events, public.usage_counters, billing.usage_events_default, billing.usage_retention, billing.usage_locks,
  billing.usage_keys, billing.held_resources
  from public, anon, authenticated, service_role;
revoke all on sequence public.usage_events_id_seq from anon, authenticated, service_role;
grant select (id, community_id, feature, quantity, released_quantity, occurred_at) on public.usage_events to authenticated;
grant select on public.usage_counters to authenticated;
grant select on public.usage_events, public.usage_counters to service_role;
