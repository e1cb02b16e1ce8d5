-- The outbox of metered usage: what Stripe is still to be told, and what it was told.
--
-- A use of a metered feature by a paying community adds to the open report of its hour, in the same transaction. When the
-- hour is over (or the billing period, if that ends sooner) the report is due: a worker claims it, which freezes its
-- quantity for good, sends it as one meter event, and records the outcome. If the worker dies, another sends the report
-- again under the same identifier, which Stripe counts once.

create table billing.usage_reports (
  id                 bigint generated always as identity primary key,
  identifier         text not null constraint usage_reports_identifier_key unique,
  community_id       text not null,
  feature            text not null,
  hour               timestamptz not null,
  part               integer not null,
  stripe_customer_id text not null,
  meter_event_name   text not null,
  first_used_at      timestamptz not null,
  closes_at          timestamptz not null,
  quantity           bigint not null,
  state              text not null default 'open' constraint usage_reports_state_known
                     check (state in ('open', 'claimed', 'sent', 'refused', 'given_up', 'rolled_over')),
  due_at             timestamptz not null,
  attempts           integer not null default 0,
  error              text,
  finished_at        timestamptz,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now(),
  constraint usage_reports_part_key unique (community_id, feature, hour, part)
) with (fillfactor = 70); -- leaves room on the page for new versions of rows that are updated often
alter table billing.usage_reports enable row level security;

-- The next report to send for a customer and meter. Finished reports are not in it, so it stays small.
create index usage_reports_queue on billing.usage_reports (stripe_customer_id, meter_event_name, due_at)
  where state in ('open', 'claimed');
-- The queues that have something due.
create index usage_reports_due on billing.usage_reports (due_at) where state in ('open', 'claimed');
-- What was reported for a customer and meter within a time.
create index usage_reports_first_used_at on billing.usage_reports (stripe_customer_id, meter_event_name, first_used_at);

-- The oldest reports: to be deleted, or shown to the operator.
create index usage_reports_hour on billing.usage_reports (hour);

create trigger usage_reports_touch before update on billing.usage_reports
  for each row execute function billing.touch_updated_at();

comment on table billing.usage_reports is 'The outbox: the metered use of a community within an hour, reported to Stripe as one meter event.';
comment on column billing.usage_reports.identifier is 'The meter event''s identifier and idempotency key. Follows from customer, community, feature, hour and part.';
comment on column billing.usage_reports.hour is 'Start of the hour (UTC) of the use.';
comment on column billing.usage_reports.part is '0, 1, …: an hour gets another part when the last one was claimed or its billing period ended.';
comment on column billing.usage_reports.stripe_customer_id is 'The Stripe customer that is billed (cus_…).';
comment on column billing.usage_reports.meter_event_name is 'The event name of the Stripe meter.';
comment on column billing.usage_reports.first_used_at is 'Time of the first use: the timestamp of the meter event, and within its billing period.';
comment on column billing.usage_reports.closes_at is 'From then on nothing is added: the end of the hour, or of the billing period within it.';
comment on column billing.usage_reports.quantity is 'Units used. Negative when more was given back late than used; then it is rolled over into a later report.';
comment on column billing.usage_reports.state is 'open: use is added. claimed: claimed at least once, so frozen; to be sent, perhaps again. sent: Stripe has it. refused: Stripe rejected it. given_up: not delivered and not tried any more. rolled_over: its units went into a later report, because there was nothing to bill or because an operator resent what was refused.';
comment on column billing.usage_reports.due_at is 'When it may be sent, at the earliest.';
comment on column billing.usage_reports.attempts is 'How often it was claimed.';
comment on column billing.usage_reports.error is 'What went wrong last.';
comment on column billing.usage_reports.finished_at is 'When it became sent, refused, given_up or rolled_over.';

-- Stripe accepts one call at a time for a customer and meter (https://docs.stripe.com/rate-limits).
create table billing.usage_queues (
  stripe_customer_id text not null,
  meter_event_name   text not null,
  claim_id           uuid,
  claimed_until      timestamptz,
  checked_at         timestamptz,
  constraint usage_queues_pkey primary key (stripe_customer_id, meter_event_name)
);
alter table billing.usage_queues enable row level security;

comment on table billing.usage_queues is 'One queue of usage reports for each customer and meter. One worker at a time sends from a queue.';
comment on column billing.usage_queues.stripe_customer_id is 'The Stripe customer (cus_…).';
comment on column billing.usage_queues.meter_event_name is 'The event name of the Stripe meter.';
comment on column billing.usage_queues.claim_id is 'The current or the last claim.';
comment on column billing.usage_queues.claimed_until is 'End of the claim''s lease; null = free. After that another worker may claim.';
comment on column billing.usage_queues.checked_at is 'When its reports were last compared with what Stripe counts; null = never.';

-- Grants. The operator's views read usage_reports with the rights of whoever looks.
revoke all on billing.usage_reports, billing.usage_queues from public, anon, authenticated, service_role;
revoke all on sequence billing.usage_reports_id_seq from public, anon, authenticated, service_role;
grant select on billing.usage_reports to service_role;
