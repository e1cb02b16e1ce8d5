-- What hosted Supabase has before the first migration, so that roles, grants and row-level security decide here
-- exactly as they do there. Run by the superuser supabase_admin, in each new database, before the migrations; it is
-- no migration itself. Passwords are set by the program that runs it.

do $$
declare
  role record;
begin
  for role in
    select * from (values
      -- A caller's role, by the key or the token of the request.
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      -- The data API connects as this one, which may do nothing but become one of the three above.
      ('authenticator', 'login noinherit'),
      -- The operator and the migrations. No superuser.
      ('postgres', 'login createrole createdb replication bypassrls')
    ) as wanted (name, attributes)
  loop
    if not exists (select from pg_roles where rolname = role.name) then
      execute format('create role %I %s', role.name, role.attributes);
    end if;
  end loop;

  execute format('alter database %I owner to postgres', current_database());
end $$;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
alter role postgres set search_path to "$user", public, extensions;

create schema auth;
create schema extensions authorization postgres;
grant usage on schema public, auth, extensions to anon, authenticated, service_role;
grant usage on schema auth to postgres, authenticator;
grant all on schema public to postgres;

create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;

-- The verified claims of the request's token; null outside of a request.
create function auth.jwt() returns jsonb language sql stable as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

create function auth.role() returns text language sql stable as $$
  select auth.jwt() ->> 'role'
$$;

create function auth.uid() returns uuid language sql stable as $$
  select (auth.jwt() ->> 'sub')::uuid
$$;

-- The local data API looks for the user when a token's subject is a UUID. Nobody is kept here: the parent app knows
-- the people.
create table auth.users (id uuid primary key);
grant select on auth.users to authenticator;
grant select, references on auth.users to postgres;
