-- What Dues needs of Supabase, for a PostgreSQL that is no Supabase: the roles and the function that row-level security reads
-- claims with. Run by a superuser before the migrations; may be run again. On hosted Supabase all of this is there.

do $$
declare
  role record;
begin
  for role in
    select * from (values
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls')
    ) as wanted (name, attributes)
  loop
    if not exists (select from pg_roles where rolname = role.name) then
      execute format('create role %I %s', role.name, role.attributes);
    end if;
  end loop;
end $$;

create schema if not exists auth;
create schema if not exists extensions;
grant usage on schema public, auth, extensions to anon, authenticated, service_role;

do $$ begin
  if to_regprocedure('auth.jwt()') is null then
    -- The verified claims of the request's token; null outside of a request.
    create function auth.jwt() returns jsonb language sql stable as $jwt$
      select coalesce(
        nullif(current_setting('request.jwt.claim', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')
      )::jsonb
    $jwt$;
  end if;
end $$;
