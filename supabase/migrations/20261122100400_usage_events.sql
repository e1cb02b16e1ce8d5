-- What was used, one row for each use.

create table public.usage_events (
  id              bigint generated always as identity primary key,
  community_id    text not null constraint usage_events_community_fkey references public.communities (id),
  user_id         text not null,
  feature         text not null,
  quantity        bigint not null constraint usage_events_quantity_positive check (quantity > 0),
  occurred_at     timestamptz not null default now(),
  idempotency_key text,
  -- A repeated request counts once.
  constraint usage_events_idempotency_key unique (community_id, feature, idempotency_key)
);
alter table public.usage_events enable row level security;

-- "How much of this feature did this community use since then."
create index usage_events_community_feature_time on public.usage_events (community_id, feature, occurred_at desc);

create policy usage_events_select_own on public.usage_events for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid'));

revoke all on public.usage_events from anon, authenticated, service_role;
revoke all on sequence public.usage_events_id_seq from anon, authenticated, service_role;
-- user_id and idempotency_key are not granted: who did what is not every member's business.
grant select (id, community_id, feature, quantity, occurred_at) on public.usage_events to authenticated;
grant select on public.usage_events to service_role;

comment on table public.usage_events is 'The use of limited or metered features, as it happened.';
comment on column public.usage_events.id is 'Internal key.';
comment on column public.usage_events.community_id is 'The community that used the feature.';
comment on column public.usage_events.user_id is 'The person who did (the parent app''s id).';
comment on column public.usage_events.feature is 'The feature, as in plan_limits.';
comment on column public.usage_events.quantity is 'How many units.';
comment on column public.usage_events.occurred_at is 'When.';
comment on column public.usage_events.idempotency_key is 'The caller''s key: the same key is counted once for a community and feature.';
