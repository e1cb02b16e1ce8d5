-- Roles, schemas, and what the tables of every later file use.
--
--   anon            a caller without a token: no privileges here
--   authenticated   a person in a community (session token): reads public tables through row-level security
--   service_role    the operator's tools: read and edit public tables, bypass row-level security
--   billing_service the plugin server and the edge functions: execute the functions of schema billing, and read as
--                   authenticated what a person may read (billing.billing_info_as)
--
-- anon, authenticated and service_role come with Supabase. billing_service gets no password here, so that no migration
-- contains a secret: the operator sets one (alter role billing_service password '…').

do $$ begin
  if not exists (select from pg_roles where rolname = 'billing_service') then
    create role billing_service login noinherit;
  end if;
end $$;
comment on role billing_service is 'The plugin server and its edge functions. Can call the functions of schema billing, and read as a person in a community does.';

-- Since PostgreSQL 16 the creator of a role may grant it but is not a member of it. Hosted edge functions get a connection
-- of role postgres; the membership lets them switch to billing_service.
grant billing_service to postgres;

-- To read what a person may read, with that person's claims. noinherit: the privileges count only after switching.
grant authenticated to billing_service;

-- These limits fail a call that is stuck. Stripe delivers its webhook again. PostgreSQL applies them at login only: a connection
-- that switches to this role is opened with the same ones (billing/db/database.ts).
alter role billing_service set statement_timeout = '15s';
alter role billing_service set lock_timeout = '10s';
alter role billing_service set idle_in_transaction_session_timeout = '60s';

create schema billing;
comment on schema billing is 'Not exposed by the data API: the Stripe event log, sync state and the functions that are the only way to write billing data.';

-- PostgreSQL lets every role execute a new function. Each file below revokes that and grants by name.

create function billing.touch_updated_at() returns trigger
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  new.updated_at := now();
  return new;
end $$;
comment on function billing.touch_updated_at() is 'Sets updated_at on every update, also when an operator edits a row by hand.';

create function billing.default_grace_period() returns interval
  language sql immutable security invoker set search_path = ''
as $$ select interval '7 days' $$;
comment on function billing.default_grace_period() is 'The grace period of a plan that sets none, and of a subscription whose price belongs to no plan.';

revoke all on schema billing from public;
grant usage on schema billing to billing_service;
-- The operator's tools read the tables of schema billing that are granted to them one by one.
grant usage on schema billing to service_role;
revoke execute on function billing.touch_updated_at(), billing.default_grace_period()
  from public, anon, authenticated, service_role;
-- It is the default of a column that the operator's tools write.
grant execute on function billing.default_grace_period() to service_role;
