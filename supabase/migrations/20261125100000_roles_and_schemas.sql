-- Who may do what, before there is anything to do.
--
--   anon            nobody in particular: gets nothing here
--   authenticated   a person in a community (session token): reads public tables through row-level security
--   service_role    the operator's tools: reads and edits public tables, skips row-level security
--   billing_service the plugin server and the edge functions: may call the functions of schema billing, nothing else
--
-- anon, authenticated and service_role come with Supabase. billing_service has no password here: the operator sets one
-- (alter role billing_service password '…'), so no secret stands in a migration.

do $$ begin
  if not exists (select from pg_roles where rolname = 'billing_service') then
    create role billing_service login noinherit;
  end if;
end $$;
comment on role billing_service is 'The plugin server and its edge functions. Can call the functions of schema billing and nothing else.';

-- The creator of a role may grant it, but is no member of it by itself (PostgreSQL 16 and later). Hosted edge functions
-- are handed a connection of role postgres; membership lets them step down to billing_service.
grant billing_service to postgres;

-- A statement that waits this long is waiting for something that will not come. Stripe delivers a webhook again.
alter role billing_service set statement_timeout = '15s';
alter role billing_service set lock_timeout = '10s';
alter role billing_service set idle_in_transaction_session_timeout = '60s';

create schema billing;
comment on schema billing is 'Not exposed by the data API: the Stripe event ledger, sync state and the functions that are the only way to write billing data.';
revoke all on schema billing from public;
grant usage on schema billing to billing_service;

-- PostgreSQL lets everybody execute a new function. Each one below takes that back and is granted by name.

create function billing.touch_updated_at() returns trigger
  language plpgsql set search_path = ''
as $$ begin
  new.updated_at := now();
  return new;
end $$;
revoke execute on function billing.touch_updated_at() from public, anon, authenticated;
comment on function billing.touch_updated_at() is 'Keeps updated_at true, also for rows an operator edits by hand.';
