-- The private side: what Stripe told us, what came of it, and how recent our knowledge of each subscription is.

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

-- Linking a customer looks for what was parked for it. Few rows are ever parked, so the index stays tiny.
create index stripe_events_parked on billing.stripe_events (customer_id, created_at) where outcome = 'parked';
-- The operator reads the newest first.
create index stripe_events_received_at on billing.stripe_events (received_at desc);

comment on table billing.stripe_events is 'The ledger: every verified Stripe event once, with what came of it.';
comment on column billing.stripe_events.id is 'Stripe''s event id (evt_…). An id is applied at most once.';
comment on column billing.stripe_events.type is 'Such as customer.subscription.updated.';
comment on column billing.stripe_events.created_at is 'When it happened at Stripe, to the second.';
comment on column billing.stripe_events.livemode is 'false in a test account.';
comment on column billing.stripe_events.api_version is 'The Stripe API version the payload is written in.';
comment on column billing.stripe_events.customer_id is 'The customer it concerns (cus_…), if any.';
comment on column billing.stripe_events.object_id is 'The object it concerns (sub_…, cs_…).';
comment on column billing.stripe_events.outcome is 'pending: stored, not yet settled. applied: our state now includes it. stale: older than what we know. parked: its customer is not linked to a community yet. ignored: nothing to do. failed: not understood, for a person to look at.';
comment on column billing.stripe_events.reason is 'Why that outcome, in a few words.';
comment on column billing.stripe_events.change is 'What was read out of the payload; null when nothing in it concerns us.';
comment on column billing.stripe_events.payload is 'The event as Stripe sent it.';
comment on column billing.stripe_events.deliveries is 'How often Stripe delivered it.';
comment on column billing.stripe_events.received_at is 'When it first reached us.';
comment on column billing.stripe_events.settled_at is 'When it got its outcome.';

create table billing.subscription_sync (
  subscription_id text primary key constraint subscription_sync_subscription_fkey
                  references public.subscriptions (id) on delete cascade,
  state           jsonb not null,
  state_as_of     timestamptz not null,
  fetched_at      timestamptz,
  event_id        text not null
);
alter table billing.subscription_sync enable row level security;

comment on table billing.subscription_sync is 'How recent our knowledge of each subscription is. Decides whether an event is newer, older, or cannot be told.';
comment on column billing.subscription_sync.subscription_id is 'The subscription (sub_…).';
comment on column billing.subscription_sync.state is 'The state last stored, as it was read from Stripe.';
comment on column billing.subscription_sync.state_as_of is 'The created time of the event that brought it.';
comment on column billing.subscription_sync.fetched_at is 'Set when the state was fetched rather than delivered: Stripe''s clock at that moment.';
comment on column billing.subscription_sync.event_id is 'The event that brought it, or led to the fetch.';

create table billing.used_identity_tokens (
  issuer     text not null,
  jti        text not null,
  expires_at timestamptz not null,
  constraint used_identity_tokens_pkey primary key (issuer, jti)
);
alter table billing.used_identity_tokens enable row level security;

-- Forgetting the expired ones, each time a new one is noted.
create index used_identity_tokens_expires_at on billing.used_identity_tokens (expires_at);

comment on table billing.used_identity_tokens is 'Identity tokens already exchanged for a session: each works once.';
comment on column billing.used_identity_tokens.issuer is 'The parent app that signed it.';
comment on column billing.used_identity_tokens.jti is 'The token''s own id.';
comment on column billing.used_identity_tokens.expires_at is 'After this it is refused anyway, and the row can go.';
