-- The private side: what Stripe told us and what came of it, how recent our knowledge of each object is, and what an
-- operator should look at.

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
  settled_at   timestamptz
);
alter table billing.stripe_events enable row level security;

-- What is still open: parked events are looked for when a customer is linked, all of them by the reconciliation. Few
-- rows are ever open, so the index stays tiny.
create index stripe_events_open on billing.stripe_events (customer_id, created_at)
  where outcome in ('pending', 'parked', 'failed');
-- What Stripe said of one subscription, for the time since when it is past_due.
create index stripe_events_subscription on billing.stripe_events (object_id, created_at)
  where type like 'customer.subscription.%';
-- The operator reads the newest first; payloads are reduced from the oldest on.
create index stripe_events_received_at on billing.stripe_events (received_at desc);

revoke all on billing.stripe_events from public, anon, authenticated, service_role;
grant select on billing.stripe_events to service_role;

comment on table billing.stripe_events is 'The ledger: every verified Stripe event once, with what came of it.';
comment on column billing.stripe_events.id is 'Stripe''s event id (evt_…). An id is applied at most once.';
comment on column billing.stripe_events.type is 'Such as customer.subscription.updated.';
comment on column billing.stripe_events.created_at is 'When it happened at Stripe, to the second.';
comment on column billing.stripe_events.livemode is 'false in a test account.';
comment on column billing.stripe_events.api_version is 'The Stripe API version the payload is written in.';
comment on column billing.stripe_events.customer_id is 'The customer it concerns (cus_…), if any.';
comment on column billing.stripe_events.object_id is 'The object it concerns (sub_…, in_…, cs_…).';
comment on column billing.stripe_events.outcome is 'pending: stored, not yet settled. applied: our state now includes it. stale: older than what we know. parked: its customer is not linked to a community yet. ignored: nothing to do. failed: not understood, for a person to look at.';
comment on column billing.stripe_events.reason is 'Why that outcome, in a few words.';
comment on column billing.stripe_events.change is 'What was read out of the payload; null when nothing in it concerns us.';
comment on column billing.stripe_events.payload is 'The event as Stripe sent it; after the retention time only its ids.';
comment on column billing.stripe_events.deliveries is 'How often it reached us.';
comment on column billing.stripe_events.received_at is 'When it first reached us.';
comment on column billing.stripe_events.settled_at is 'When it got its outcome.';

create table billing.customers (
  id           text primary key,
  community_id text not null constraint customers_community_fkey references public.communities (id),
  linked_at    timestamptz not null default now(),
  deleted_at   timestamptz,
  confirmed_at timestamptz not null default now()
);
alter table billing.customers enable row level security;

-- Serves the foreign key, and "how many has this community had".
create index customers_community_id on billing.customers (community_id);

revoke all on billing.customers from public, anon, authenticated, service_role;
grant select on billing.customers to service_role;

comment on table billing.customers is 'Every Stripe customer a community has had. Events of a deleted one still belong to its community.';
comment on column billing.customers.id is 'Stripe''s id (cus_…).';
comment on column billing.customers.community_id is 'The community it was made for.';
comment on column billing.customers.linked_at is 'When it became the community''s customer.';
comment on column billing.customers.deleted_at is 'When we learned that it was deleted in Stripe; the next checkout makes a new one.';
comment on column billing.customers.confirmed_at is 'When Stripe last listed it.';

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
revoke all on billing.object_sync from public, anon, authenticated, service_role;

comment on table billing.object_sync is 'How recent our knowledge of each Stripe object is. Decides whether news of it is newer, older, or cannot be told.';
comment on column billing.object_sync.object_id is 'The object (sub_…, in_…).';
comment on column billing.object_sync.kind is 'subscription or invoice.';
comment on column billing.object_sync.state is 'The state last stored, as it was read from Stripe.';
comment on column billing.object_sync.state_as_of is 'The created time of the newest event that brought or confirmed it; -infinity when none did.';
comment on column billing.object_sync.fetched_at is 'Set when the state was fetched rather than delivered: Stripe''s clock at that moment.';
comment on column billing.object_sync.confirmed_at is 'When Stripe last told us, in any way, that it is so.';
comment on column billing.object_sync.event_id is 'The event that brought it, or led to the fetch; null when the reconciliation fetched it.';

create table billing.checkout_attempts (
  community_id text primary key constraint checkout_attempts_community_fkey references public.communities (id),
  attempt      bigint not null,
  fingerprint  text not null,
  started_at   timestamptz not null,
  session_id   text
);
alter table billing.checkout_attempts enable row level security;
revoke all on billing.checkout_attempts from public, anon, authenticated, service_role;

comment on table billing.checkout_attempts is 'The latest checkout of each community. Clicks in quick succession share one attempt and so one Stripe session.';
comment on column billing.checkout_attempts.community_id is 'The community that wants to upgrade.';
comment on column billing.checkout_attempts.attempt is 'Counts up. A session of a lower attempt is left over and is expired.';
comment on column billing.checkout_attempts.fingerprint is 'What is bought and where it returns to. Another one is another attempt.';
comment on column billing.checkout_attempts.started_at is 'When the attempt began.';
comment on column billing.checkout_attempts.session_id is 'Its Stripe session (cs_…), once that is known.';

create table billing.anomalies (
  id            bigint generated always as identity primary key,
  kind          text not null constraint anomalies_kind_known check (kind in (
                  'several_subscriptions', 'unknown_price', 'customer_conflict', 'unreadable_event',
                  'missing_in_stripe', 'meter_error')),
  object_id     text not null,
  community_id  text constraint anomalies_community_fkey references public.communities (id) on delete cascade,
  detail        text not null,
  first_seen_at timestamptz not null default now(),
  last_seen_at  timestamptz not null default now(),
  seen          integer not null default 1,
  resolved_at   timestamptz
);
alter table billing.anomalies enable row level security;

-- One open row for each thing that is odd.
create unique index anomalies_open on billing.anomalies (kind, object_id) where resolved_at is null;
-- Serves the foreign key.
create index anomalies_community_id on billing.anomalies (community_id);

revoke all on billing.anomalies from public, anon, authenticated, service_role;
revoke all on sequence billing.anomalies_id_seq from public, anon, authenticated, service_role;
grant select on billing.anomalies to service_role;

comment on table billing.anomalies is 'What should not be and needs a person''s eye. Nobody loses access by it.';
comment on column billing.anomalies.id is 'Internal key.';
comment on column billing.anomalies.kind is 'several_subscriptions: a community pays more than once. unknown_price: no plan sells the price of a subscription. customer_conflict: a checkout names a customer or community that belongs elsewhere. unreadable_event: not understood. missing_in_stripe: Stripe does not know an object we have. meter_error: Stripe refused reported usage.';
comment on column billing.anomalies.object_id is 'What it is about: a community, subscription, customer, event or meter.';
comment on column billing.anomalies.community_id is 'The community concerned, if any.';
comment on column billing.anomalies.detail is 'What was seen, for the operator.';
comment on column billing.anomalies.first_seen_at is 'When it was first seen.';
comment on column billing.anomalies.last_seen_at is 'When it was last seen.';
comment on column billing.anomalies.seen is 'How often.';
comment on column billing.anomalies.resolved_at is 'When it was gone.';

create table billing.reconciliations (
  id           bigint generated always as identity primary key,
  started_at   timestamptz not null default now(),
  caught_up_at timestamptz,
  finished_at  timestamptz,
  events_from  timestamptz not null,
  report       jsonb
);
alter table billing.reconciliations enable row level security;

revoke all on billing.reconciliations from public, anon, authenticated, service_role;
revoke all on sequence billing.reconciliations_id_seq from public, anon, authenticated, service_role;
grant select on billing.reconciliations to service_role;

comment on table billing.reconciliations is 'Each run of the reconciliation, and what it found.';
comment on column billing.reconciliations.id is 'Internal key.';
comment on column billing.reconciliations.started_at is 'When it began. Once it has caught up, the next run looks for missed events from here on.';
comment on column billing.reconciliations.caught_up_at is 'When every event since events_from had been looked at.';
comment on column billing.reconciliations.finished_at is 'When it was complete; null while it runs, or when it was cut off.';
comment on column billing.reconciliations.events_from is 'It looked for events created since then.';
comment on column billing.reconciliations.report is 'What it found and did.';

create table billing.used_identity_tokens (
  issuer     text not null,
  jti        text not null,
  expires_at timestamptz not null,
  constraint used_identity_tokens_pkey primary key (issuer, jti)
);
alter table billing.used_identity_tokens enable row level security;

-- Forgetting the expired ones, each time a new one is noted.
create index used_identity_tokens_expires_at on billing.used_identity_tokens (expires_at);
revoke all on billing.used_identity_tokens from public, anon, authenticated, service_role;

comment on table billing.used_identity_tokens is 'Identity tokens already exchanged for a session: each works once.';
comment on column billing.used_identity_tokens.issuer is 'The parent app that signed it.';
comment on column billing.used_identity_tokens.jti is 'The token''s own id.';
comment on column billing.used_identity_tokens.expires_at is 'After this it is refused anyway, and the row can go.';

-- The operator's tools read the tables granted above.
grant usage on schema billing to service_role;
