-- Rules for every table and function, present and future.
begin;
select plan(8);

select is_empty(
  $$ select c.oid::regclass from pg_class c
     where c.relnamespace in ('public'::regnamespace, 'billing'::regnamespace) and c.relkind in ('r', 'p')
       and not c.relrowsecurity $$,
  'every table has row-level security');

select is_empty(
  $$ select c.oid::regclass from pg_class c
     where c.relnamespace in ('public'::regnamespace, 'billing'::regnamespace) and c.relkind in ('r', 'p', 'v')
       and obj_description(c.oid, 'pg_class') is null $$,
  'every table and view has a comment');

select is_empty(
  $$ select c.oid::regclass || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace in ('public'::regnamespace, 'billing'::regnamespace) and c.relkind in ('r', 'p')
       and not c.relispartition -- its columns are those of its table
       and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null
       -- These names are clear by themselves. So are generated ids.
       and a.attname not in ('community_id', 'plan_id', 'feature', 'created_at', 'updated_at', 'first_seen_at',
         'last_seen_at', 'started_at')
       and a.attidentity = '' $$,
  'every column has a comment, unless its name says it all');

select is_empty(
  $$ select p.oid::regprocedure from pg_proc p
     where p.pronamespace in ('public'::regnamespace, 'billing'::regnamespace)
       and obj_description(p.oid, 'pg_proc') is null $$,
  'every function has a comment');

-- A function of language sql with a SET clause is planned anew at each call, and never within the query that calls it.
select is_empty(
  $$ select p.oid::regprocedure from pg_proc p join pg_language l on l.oid = p.prolang
     where p.pronamespace in ('public'::regnamespace, 'billing'::regnamespace)
       -- A procedure that commits cannot. It runs with the rights and the path of the operator.
       and not (p.prokind = 'p' and not p.prosecdef)
       and not coalesce(p.proconfig, '{}') @> array['search_path=""']
       and (l.lanname <> 'sql' or p.prosecdef) $$,
  'every function pins an empty search path, except functions of language sql with the caller''s rights');

select is_empty(
  $$ select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.prosecdef $$,
  'no function of the data API is security definer');

select is_empty(
  $$ select polname || ' on ' || polrelid::regclass from pg_policy where polroles = '{0}' $$,
  'every policy names its role');

select is_empty(
  $$ select con.conrelid::regclass || ': ' || con.conname from pg_constraint con
     where con.contype = 'f' and con.connamespace in ('public'::regnamespace, 'billing'::regnamespace)
       and not exists (
         select from pg_index i
         where i.indrelid = con.conrelid and (i.indkey::int2[])[0:array_length(con.conkey, 1) - 1] = con.conkey) $$,
  'every foreign key has an index');

select * from finish();
rollback;
