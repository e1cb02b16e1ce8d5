-- What must hold for every table and function, also those to come.
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
  'every table says what it is');

select is_empty(
  $$ select c.oid::regclass || '.' || a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace in ('public'::regnamespace, 'billing'::regnamespace) and c.relkind in ('r', 'p')
       and not c.relispartition -- whose columns are its table's
       and a.attnum > 0 and not a.attisdropped and col_description(c.oid, a.attnum) is null $$,
  'every column says what it holds');

select is_empty(
  $$ select p.oid::regprocedure from pg_proc p
     where p.pronamespace in ('public'::regnamespace, 'billing'::regnamespace)
       and obj_description(p.oid, 'pg_proc') is null $$,
  'every function says what it promises');

select is_empty(
  $$ select p.oid::regprocedure from pg_proc p
     where p.pronamespace in ('public'::regnamespace, 'billing'::regnamespace)
       and not coalesce(p.proconfig, '{}') @> array['search_path=""'] $$,
  'every function pins an empty search path');

select is_empty(
  $$ select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.prosecdef $$,
  'no function of the data API runs with its owner''s rights');

select is_empty(
  $$ select polname || ' on ' || polrelid::regclass from pg_policy where polroles = '{0}' $$,
  'every policy names its role');

select is_empty(
  $$ select con.conrelid::regclass || ': ' || con.conname from pg_constraint con
     where con.contype = 'f' and con.connamespace in ('public'::regnamespace, 'billing'::regnamespace)
       and not exists (
         select from pg_index i
         where i.indrelid = con.conrelid and (i.indkey::int2[])[0:array_length(con.conkey, 1) - 1] = con.conkey) $$,
  'every foreign key has an index to follow it back by');

select * from finish();
rollback;
