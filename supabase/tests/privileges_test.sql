-- Every privilege, as complete lists: what a migration grants must be added here.
begin;
select plan(11);

-- What a role may execute in our two schemas, whichever way it was granted.
create function pg_temp.executable(p_role text) returns setof text language sql as $$
  select format('%s.%s(%s)', p.pronamespace::regnamespace, p.proname, oidvectortypes(p.proargtypes)) from pg_proc p
  where p.pronamespace in ('public'::regnamespace, 'billing'::regnamespace)
    and has_schema_privilege(p_role, p.pronamespace, 'usage')
    and has_function_privilege(p_role, p.oid, 'execute')
$$;

-- Every privilege a role has on a table, or on some of its columns.
create function pg_temp.table_privileges(p_role text) returns setof text language sql as $$
  select format('%s.%s %s', c.relnamespace::regnamespace, c.relname, privilege) from pg_class c
  cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as privilege
  where c.relnamespace in ('public'::regnamespace, 'billing'::regnamespace) and c.relkind in ('r', 'p', 'v')
    and (has_table_privilege(p_role, c.oid, privilege)
      or privilege in ('select', 'insert', 'update', 'references') and has_any_column_privilege(p_role, c.oid, privilege))
$$;

select bag_eq(
  $$ select pg_temp.executable('billing_service') $$,
  array[
    'billing.acquire_resource(text, text, text, text, interval)',
    'billing.apply_answer(text, text, text, json, text, timestamp with time zone, timestamp with time zone, bigint)',
    'billing.before_asking(text, text)',
    'billing.begin_round(text, interval, interval, boolean)',
    'billing.claim_events(integer)',
    'billing.claim_events_of(text)',
    'billing.claim_object_failures(integer)',
    'billing.complete_round(text, timestamp with time zone)',
    'billing.correct_plans(text, integer)',
    'billing.end_grace_periods(integer)',
    'billing.find_drift(text, json)',
    'billing.make_all_due()',
    'billing.note_customer(text, boolean)',
    'billing.note_failed_attempt(text[], text, text)',
    'billing.note_object_failure(text, text, text, text)',
    'billing.note_page(text, timestamp with time zone, text)',
    'billing.process_events(json, boolean)',
    'billing.prune(integer)',
    'billing.reduce_payloads(interval, integer)',
    'billing.report_anomaly(text, text, text, text)',
    'billing.resolve_anomaly(text, text)',
    'billing.unconfirmed_customers(integer)',
    'billing.unconfirmed_objects(text, integer)',
    'billing.begin_checkout(text, text, text, bigint)',
    'billing.begin_reconciliation()',
    'billing.billing_info_as(jsonb)',
    'billing.checkout_context(text, text)',
    'billing.compare_customers(jsonb)',
    'billing.claim_usage_reports(integer, interval)',
    'billing.consume_quota(text, text, bigint, text, text)',
    'billing.consume_quota_batch(text, text, jsonb)',
    'billing.delivered_usage(text, text, timestamp with time zone, timestamp with time zone)',
    'billing.finish_checkout(text, bigint, text)',
    'billing.finish_reconciliation(bigint, jsonb)',
    'billing.finish_usage_check(text, text, text)',
    'billing.forget_customer(text, text)',
    'billing.link_customer(text, text)',
    'billing.next_customer_attempt(text, bigint)',
    'billing.report_refusal(text, text, text, text, text, text[], text)',
    'billing.resolve_refusals(text, text, text[])',
    'billing.sells_plan(text[])',
    'billing.missed_events(text[])',
    'billing.check_schedules()',
    'billing.note_job_finished(text, text)',
    'billing.note_job_started(text)',
    'billing.service_status()',
    'billing.quota_faults(text[], text[])',
    'billing.release_quota(text, text, bigint, timestamp with time zone, bigint)',
    'billing.release_resource(text, text, text)',
    'billing.record_usage_report_outcome(text, uuid, text, text, interval)',
    'billing.usage_to_check(timestamp with time zone, timestamp with time zone, timestamp with time zone, integer)',
    'billing.open_session(text, text, timestamp with time zone, text, text)'],
  'billing_service may call these functions and no others');
select is_empty($$ select pg_temp.table_privileges('billing_service') $$, 'billing_service has no privilege on any table');
select is(
  (select array[rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolinherit] from pg_roles where rolname = 'billing_service'),
  array[false, false, false, false, false], 'billing_service is no superuser, creates no roles or databases, bypasses no policy, inherits nothing');

select bag_eq($$ select pg_temp.executable('authenticated') $$,
  array['public.billing_info()', 'public.plan_in_force(text, bigint, timestamp with time zone)'],
  'authenticated may call billing_info and plan_in_force, which it calls, and no other function');
select bag_eq(
  $$ select pg_temp.table_privileges('authenticated') $$,
  array['public.communities select', 'public.features select', 'public.invoices select', 'public.plan_limits select',
        'public.plans select', 'public.subscriptions select', 'public.usage_counters select',
        'public.usage_events select', 'public.usage_overview select'],
  'authenticated may read these tables and write none');
select is_empty(
  $$ select a.attrelid::regclass || '.' || a.attname from pg_attribute a
     where a.attrelid in ('public.communities'::regclass, 'public.plans'::regclass, 'public.subscriptions'::regclass,
         'public.features'::regclass, 'public.usage_events'::regclass)
       and a.attname in ('stripe_customer_id', 'stripe_price_id', 'metered_item_id', 'meter_event_name', 'user_id', 'idempotency_key')
       and has_column_privilege('authenticated', a.attrelid, a.attnum, 'select') $$,
  'authenticated may not read Stripe''s ids, nor who used a feature');

select is_empty($$ select pg_temp.executable('anon') $$, 'anon may call no function');
select is_empty($$ select pg_temp.table_privileges('anon') $$, 'anon has no privilege on any table');

select bag_eq($$ select pg_temp.executable('service_role') $$, array[
    'billing.default_grace_period()', 'public.plan_in_force(text, bigint, timestamp with time zone)',
    'billing.window_start(text, bigint, interval, timestamp with time zone)',
    'billing.window_release(text, bigint, interval, timestamp with time zone)'],
  'service_role may call the default of plans.grace_period, which it writes, what the overviews call, and nothing else');
select bag_eq(
  $$ select pg_temp.table_privileges('service_role') $$,
  array['public.communities select', 'public.communities insert', 'public.communities update', 'public.communities delete',
        'public.plans select', 'public.plans insert', 'public.plans update', 'public.plans delete',
        'public.plan_limits select', 'public.plan_limits insert', 'public.plan_limits update', 'public.plan_limits delete',
        'public.features select', 'public.features insert', 'public.features update', 'public.features delete',
        'public.subscriptions select', 'public.invoices select', 'public.usage_events select',
        'public.usage_counters select', 'public.usage_overview select', 'public.usage_reports_overview select',
        'public.unsent_usage_reports select', 'billing.usage_reports select', 'billing.metered_prices select',
        'public.billing_overview select', 'public.open_anomalies select', 'public.subscription_items select',
        'billing.plan_prices select', 'billing.object_failures select', 'billing.reconciliation_cursors select', 'billing.anomalies select', 'billing.customers select', 'billing.reconciliations select', 'billing.stripe_events select',
        'billing.scheduled_jobs select'],
  'service_role may edit communities, plans, features and limits, and read the rest');
select bag_eq(
  $$ select format('%s.%s', c.oid::regclass, a.attname) from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace in ('public'::regnamespace, 'billing'::regnamespace) and c.relkind in ('r', 'p', 'v')
       and a.attnum > 0 and not a.attisdropped
       and has_column_privilege('service_role', c.oid, a.attnum, 'update') $$,
  array['communities.title',
        'plans.name', 'plans.rank', 'plans.trial_days', 'plans.grace_period', 'plans.is_default', 'plans.is_active',
        'features.name', 'features.unit', 'features.included_quantity',
        'plan_limits.quota', 'plan_limits.quota_window', 'plan_limits.period'],
  'service_role may update only what an operator may edit: nothing that Stripe says, nothing that is derived from it');

select * from finish();
rollback;
