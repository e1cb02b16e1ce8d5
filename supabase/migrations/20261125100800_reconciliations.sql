-- The runs of the reconciliation, and how far it has come.

create table billing.reconciliations (
  id           bigint generated always as identity primary key,
  started_at   timestamptz not null default now(),
  finished_at  timestamptz,
  report       jsonb
);
alter table billing.reconciliations enable row level security;
-- Old ones are deleted.
create index reconciliations_started_at on billing.reconciliations (started_at);

comment on table billing.reconciliations is 'Each run of the reconciliation, with its report.';
comment on column billing.reconciliations.finished_at is 'Null while it runs, or when it was interrupted.';
comment on column billing.reconciliations.report is 'What it found and did.';

-- A list of Stripe's is read in rounds. A round begins at the top, and goes on where the last page that was read ends,
-- whichever run read it.
create table billing.reconciliation_cursors (
  list             text primary key,
  round_started_at timestamptz,
  since            timestamptz,
  after_id         text,
  read_until       timestamptz,
  completed_at     timestamptz
);
alter table billing.reconciliation_cursors enable row level security;

comment on table billing.reconciliation_cursors is 'How far each of Stripe''s lists has been compared with what is stored.';
comment on column billing.reconciliation_cursors.list is 'Which list, such as subscriptions or events.';
comment on column billing.reconciliation_cursors.round_started_at is 'When the round began that is not complete yet; null between two rounds.';
comment on column billing.reconciliation_cursors.since is 'That round reads objects created since then; null: all.';
comment on column billing.reconciliation_cursors.after_id is 'The last object of the last page that was read; null at the top of the list.';
comment on column billing.reconciliation_cursors.read_until is 'The start of the last complete round: whatever is older was compared.';
comment on column billing.reconciliation_cursors.completed_at is 'When the last round was complete.';

revoke all on billing.reconciliations, billing.reconciliation_cursors from public, anon, authenticated, service_role;
revoke all on sequence billing.reconciliations_id_seq from public, anon, authenticated, service_role;
grant select on billing.reconciliations, billing.reconciliation_cursors to service_role;
