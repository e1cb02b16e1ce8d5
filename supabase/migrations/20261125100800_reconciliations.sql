-- The runs of the reconciliation.

create table billing.reconciliations (
  id           bigint generated always as identity primary key,
  started_at   timestamptz not null default now(),
  caught_up_at timestamptz,
  finished_at  timestamptz,
  events_from  timestamptz not null,
  report       jsonb
);
alter table billing.reconciliations enable row level security;

comment on table billing.reconciliations is 'Each run of the reconciliation, with its report.';
comment on column billing.reconciliations.started_at is 'Once this run has caught up, the next one looks for missed events from here on.';
comment on column billing.reconciliations.caught_up_at is 'When every event since events_from had been looked at.';
comment on column billing.reconciliations.finished_at is 'Null while it runs, or when it was interrupted.';
comment on column billing.reconciliations.events_from is 'It looks for events created since then.';
comment on column billing.reconciliations.report is 'What it found and did.';

revoke all on billing.reconciliations from public, anon, authenticated, service_role;
revoke all on sequence billing.reconciliations_id_seq from public, anon, authenticated, service_role;
grant select on billing.reconciliations to service_role;
