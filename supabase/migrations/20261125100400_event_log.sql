-- The event log: every Stripe event with its outcome. Beside it, how recent the stored state of each Stripe object is, and
-- the anomalies that an operator should look at.

create table billing.stripe_events (
  id           text primary key,
  type         text not null,
  created_at   timestamptz not null,
  livemode     boolean not null,
  api_version  text,
  customer_id  text,
  object_id    text,
  outcome      text not null constraint stripe_events_outcome_known
               check (outcome in ('pending', 'applied', 'stale', 'parked', 'ignored', 'failed')),
  reason       text,
  change       jsonb,
  payload      jsonb not null,
  deliveries   integer not null default 1,
  received_at  timestamptz not null default now(),
  processed_at timestamptz
);
alter table billing.stripe_events enable row level security;

-- Linking a customer looks up its parked events; the reconciliation looks up all open events. Few events are open at any
-- time, so the index stays small.
create index stripe_events_open on billing.stripe_events (customer_id, created_at)
  where outcome in ('pending', 'parked', 'failed');
-- billing.past_due_since reads the history of one subscription.
create index stripe_events_subscription on billing.stripe_events (object_id, created_at)
  where type like 'customer.subscription.%';
-- The operator reads the newest first; billing.reduce_payloads starts with the oldest.
create index stripe_events_received_at on billing.stripe_events (received_at desc);

comment on table billing.stripe_events is 'The event log: every verified Stripe event once, with its outcome.';
comment on column billing.stripe_events.id is 'Stripe''s event id (evt_…). An id is applied at most once.';
comment on column billing.stripe_events.type is 'Stripe''s event type, such as customer.subscription.updated.';
comment on column billing.stripe_events.created_at is 'When it happened at Stripe, to the second.';
comment on column billing.stripe_events.livemode is 'False for events of a test account.';
comment on column billing.stripe_events.api_version is 'The Stripe API version the payload is written in.';
comment on column billing.stripe_events.customer_id is 'The customer it concerns (cus_…), if any.';
comment on column billing.stripe_events.object_id is 'The object it concerns (sub_…, in_…, cs_…).';
comment on column billing.stripe_events.outcome is 'pending: recorded, not processed yet. applied: the stored state includes it. stale: older than the stored state. parked: its customer is not linked to a community yet. ignored: nothing to do. failed: not understood, a person has to look at it.';
comment on column billing.stripe_events.reason is 'Why it has that outcome, in a few words.';
comment on column billing.stripe_events.change is 'What was read from the payload; null when it changes nothing.';
comment on column billing.stripe_events.payload is 'The event as Stripe sent it; only its ids after the retention time.';
comment on column billing.stripe_events.deliveries is 'How often it was delivered.';
comment on column billing.stripe_events.received_at is 'When it was first delivered.';
comment on column billing.stripe_events.processed_at is 'When it got its outcome; null while it is pending or failed.';

create table billing.object_sync (
  object_id    text primary key,
  kind         text not null constraint object_sync_kind_known check (kind in ('subscription', 'invoice')),
  state        jsonb not null,
  state_as_of  timestamptz not null,
  fetched_at   timestamptz,
  confirmed_at timestamptz not null default now(),
  event_id     text
);
alter table billing.object_sync enable row level security;

comment on table billing.object_sync is 'How recent the stored state of each Stripe object is. billing.compare_state decides with it whether another state is newer.';
comment on column billing.object_sync.object_id is 'Stripe''s id (sub_…, in_…).';
comment on column billing.object_sync.kind is 'subscription or invoice.';
comment on column billing.object_sync.state is 'The state last stored, as it was read from Stripe.';
comment on column billing.object_sync.state_as_of is 'The created time of the newest event that brought or confirmed it; -infinity when none did.';
comment on column billing.object_sync.fetched_at is 'Set when the state was fetched rather than delivered: Stripe''s clock at that moment.';
comment on column billing.object_sync.confirmed_at is 'When Stripe last confirmed this state, by an event, a fetch or a list.';
comment on column billing.object_sync.event_id is 'The event that brought it, or that led to the fetch; null when the reconciliation fetched it.';

create table billing.anomalies (
  id            bigint generated always as identity primary key,
  kind          text not null constraint anomalies_kind_known check (kind in (
                  'several_subscriptions', 'unknown_price', 'customer_conflict', 'unreadable_event',
                  'missing_in_stripe', 'meter_error', 'usage_difference', 'schedule_stopped')),
  object_id     text not null,
  community_id  text constraint anomalies_community_fkey references public.communities (id) on delete cascade,
  detail        text not null,
  first_seen_at timestamptz not null default now(),
  last_seen_at  timestamptz not null default now(),
  seen          integer not null default 1,
  resolved_at   timestamptz
);
alter table billing.anomalies enable row level security;

-- One open row for each anomaly of an object.
create unique index anomalies_open on billing.anomalies (kind, object_id) where resolved_at is null;
-- Serves the foreign key.
create index anomalies_community_id on billing.anomalies (community_id);

comment on table billing.anomalies is 'What should not happen and needs a person. No community loses access because of one.';
comment on column billing.anomalies.kind is 'several_subscriptions: a community pays more than once. unknown_price: no plan sells the price of a subscription. customer_conflict: a checkout names a customer or community that belongs elsewhere. unreadable_event: an event was not understood. missing_in_stripe: Stripe does not have an object that is stored here. meter_error: Stripe refused reported usage. usage_difference: Stripe counts another quantity than was reported. schedule_stopped: a scheduled job should have run by now.';
comment on column billing.anomalies.object_id is 'What it is about: the id of a community, subscription, customer, event or meter, or the name of a job.';
comment on column billing.anomalies.community_id is 'Null when it concerns no single community.';
comment on column billing.anomalies.detail is 'What was found, written for the operator.';
comment on column billing.anomalies.seen is 'How often it was found.';
comment on column billing.anomalies.resolved_at is 'When it was gone; null while it is open.';

revoke all on billing.stripe_events, billing.object_sync, billing.anomalies from public, anon, authenticated, service_role;
revoke all on sequence billing.anomalies_id_seq from public, anon, authenticated, service_role;
grant select on billing.stripe_events, billing.anomalies to service_role;
