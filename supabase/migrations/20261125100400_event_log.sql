-- The event log: every Stripe event once, with its outcome. Beside it, the objects that could not be brought up to date, and
-- the anomalies that an operator should look at.

create table billing.stripe_events (
  id              text primary key,
  type            text not null,
  created_at      timestamptz not null,
  livemode        boolean not null,
  api_version     text,
  account_id      text,
  customer_id     text,
  object_id       text,
  object_status   text,
  outcome         text not null constraint stripe_events_outcome_known check (outcome in (
                    'applied', 'stale', 'parked', 'ignored', 'refused', 'pending', 'failed', 'given_up')),
  reason          text,
  payload         json,
  deliveries      integer not null default 1,
  attempts        integer not null default 0,
  next_attempt_at timestamptz,
  received_at     timestamptz not null default now(),
  processed_at    timestamptz,
  constraint stripe_events_open_has_next check (
    (outcome in ('pending', 'failed')) = (next_attempt_at is not null))
);
alter table billing.stripe_events enable row level security;
-- lz4 compresses a payload at a quarter of the cost, where the server was built with it.
do $$ begin
  alter table billing.stripe_events alter column payload set compression lz4;
exception when feature_not_supported then null;
end $$;

-- Open events by when they are due, and those of one object, which one answer of Stripe's closes together. Few are open at
-- any time, so these stay small.
create index stripe_events_due on billing.stripe_events (next_attempt_at) where outcome in ('pending', 'failed');
create index stripe_events_open on billing.stripe_events (object_id) where outcome in ('pending', 'failed', 'given_up');
-- Linking a customer looks up its parked events.
create index stripe_events_parked on billing.stripe_events (customer_id) where outcome = 'parked';
-- billing.past_due_since reads the history of one subscription; an operator that of one object.
create index stripe_events_object on billing.stripe_events (object_id, created_at);
-- An operator reads the events of one customer, and replays by time.
create index stripe_events_customer on billing.stripe_events (customer_id, created_at) where customer_id is not null;
create index stripe_events_created_at on billing.stripe_events (created_at);
-- billing.reduce_payloads takes the oldest that still has a payload.
create index stripe_events_payloads on billing.stripe_events (received_at) where payload is not null;

comment on table billing.stripe_events is 'The event log: every verified Stripe event once, with its outcome.';
comment on column billing.stripe_events.id is 'Stripe''s event id (evt_…). An id is applied at most once.';
comment on column billing.stripe_events.type is 'Stripe''s event type, such as customer.subscription.updated.';
comment on column billing.stripe_events.created_at is 'When it happened at Stripe, to the second.';
comment on column billing.stripe_events.livemode is 'False for events of test mode.';
comment on column billing.stripe_events.api_version is 'The Stripe API version the payload is written in.';
comment on column billing.stripe_events.account_id is 'The connected account it happened in (acct_…); null for our own account.';
comment on column billing.stripe_events.customer_id is 'The customer it concerns (cus_…), if any.';
comment on column billing.stripe_events.object_id is 'The object it concerns (sub_…, in_…, cs_…).';
comment on column billing.stripe_events.object_status is 'The status of that object in the event, as Stripe writes it; null when it was not delivered.';
comment on column billing.stripe_events.outcome is 'applied: the stored state includes it. stale: older than the stored state. parked: its customer is not linked to a community yet. ignored: nothing to do. refused: of another mode or account. pending: only Stripe can settle it, and will be asked. failed: not understood; tried again. given_up: all attempts failed, a person has to look at it.';
comment on column billing.stripe_events.reason is 'Why it has that outcome, in a few words.';
comment on column billing.stripe_events.payload is 'The event as Stripe sent it. Null after the retention time, and for customers that belong to no community.';
comment on column billing.stripe_events.deliveries is 'How often it was delivered.';
comment on column billing.stripe_events.attempts is 'How often it was tried to settle it after its delivery.';
comment on column billing.stripe_events.next_attempt_at is 'When it is tried again; null unless pending or failed.';
comment on column billing.stripe_events.received_at is 'When it was first delivered.';
comment on column billing.stripe_events.processed_at is 'When it got its outcome; null while it is pending or failed.';

create table billing.object_failures (
  object_id       text primary key,
  kind            text not null constraint object_failures_kind_known check (kind in ('subscription', 'invoice', 'customer')),
  community_id    text constraint object_failures_community_fkey references public.communities (id) on delete cascade,
  attempts        integer not null default 1,
  error           text not null,
  next_attempt_at timestamptz,
  first_failed_at timestamptz not null default now()
);
alter table billing.object_failures enable row level security;
-- The reconciliation takes those that are due.
create index object_failures_due on billing.object_failures (next_attempt_at) where next_attempt_at is not null;
-- Serves the foreign key.
create index object_failures_community_id on billing.object_failures (community_id);

comment on table billing.object_failures is 'Objects that the reconciliation could not bring up to date. They are tried again, ever more rarely, and given up after a week; all others go on without them.';
comment on column billing.object_failures.object_id is 'Stripe''s id (sub_…, in_…, cus_…).';
comment on column billing.object_failures.kind is 'subscription, invoice or customer.';
comment on column billing.object_failures.attempts is 'How many attempts failed.';
comment on column billing.object_failures.error is 'What went wrong last.';
comment on column billing.object_failures.next_attempt_at is 'When it is tried again; null when it was given up.';
comment on column billing.object_failures.first_failed_at is 'When it first failed.';

create table billing.anomalies (
  id            bigint generated always as identity primary key,
  kind          text not null constraint anomalies_kind_known check (kind in (
                  'several_subscriptions', 'unknown_price', 'customer_conflict', 'unreadable_event', 'unreadable_object',
                  'missing_in_stripe', 'price_archived', 'stripe_refused', 'meter_error', 'usage_difference', 'schedule_stopped')),
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
-- Those of one object, of any kind, are resolved together; resolved ones are deleted after a year.
create index anomalies_object_id on billing.anomalies (object_id) where resolved_at is null;
create index anomalies_resolved_at on billing.anomalies (resolved_at) where resolved_at is not null;

comment on table billing.anomalies is 'What should not happen and needs a person. No community loses access because of one.';
comment on column billing.anomalies.kind is 'several_subscriptions: a community pays more than once. unknown_price: no plan sells the prices of a subscription that sold one. customer_conflict: a checkout names a customer or community that belongs elsewhere. unreadable_event: an event could not be settled. unreadable_object: an object of Stripe''s could not be brought up to date. missing_in_stripe: Stripe does not know an object that is stored here. price_archived: the price or product that a plan sells is archived in Stripe, so nobody can buy it. stripe_refused: Stripe refused a checkout or the portal, and the operator has to act. meter_error: Stripe refused reported usage. usage_difference: Stripe counts another quantity than was reported. schedule_stopped: a scheduled job should have run by now.';
comment on column billing.anomalies.object_id is 'What it is about: the id of a community, subscription, customer, event, meter, price or product, the name of a job; for stripe_refused what was asked, the code of our answer, and the community or price where it concerns only that.';
comment on column billing.anomalies.community_id is 'Null when it concerns no single community, or none is known.';
comment on column billing.anomalies.detail is 'What was found, written for the operator.';
comment on column billing.anomalies.seen is 'How often it was found.';
comment on column billing.anomalies.resolved_at is 'When the state it tells of was repaired; null while it is open.';

revoke all on billing.stripe_events, billing.object_failures, billing.anomalies from public, anon, authenticated, service_role;
revoke all on sequence billing.anomalies_id_seq from public, anon, authenticated, service_role;
grant select on billing.stripe_events, billing.object_failures, billing.anomalies to service_role;
