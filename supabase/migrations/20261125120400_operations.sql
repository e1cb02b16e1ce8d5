-- What an operator and a load balancer ask: does everything run that should?
--
-- Each scheduled job writes down when it ran. Whoever is alive (the plugin server, every few minutes) asks check_schedules(),
-- because a schedule that has stopped cannot report that itself.

create table billing.scheduled_jobs (
  name             text primary key,
  expected_every   interval not null,
  watched_since    timestamptz not null default now(),
  last_started_at  timestamptz,
  last_finished_at timestamptz,
  last_failed_at   timestamptz,
  last_error       text
);
alter table billing.scheduled_jobs enable row level security;

comment on table billing.scheduled_jobs is 'Each job that a schedule starts, with its last run.';
comment on column billing.scheduled_jobs.name is 'The name of its edge function.';
comment on column billing.scheduled_jobs.expected_every is 'How often its schedule should start it.';
comment on column billing.scheduled_jobs.watched_since is 'A job that never ran is late from then on.';
comment on column billing.scheduled_jobs.last_started_at is 'When a run began last, by its schedule or by an operator''s task.';
comment on column billing.scheduled_jobs.last_finished_at is 'When a run was last complete.';
comment on column billing.scheduled_jobs.last_failed_at is 'When a run last ended with an error.';
comment on column billing.scheduled_jobs.last_error is 'That error; null once a later run was complete.';

insert into billing.scheduled_jobs (name, expected_every) values ('reconcile', '10 minutes'), ('report-usage', '5 minutes');

create function billing.note_job_started(p_name text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  update billing.scheduled_jobs set last_started_at = now() where name = p_name;
end $$;
comment on function billing.note_job_started(text) is 'Notes that a run of a scheduled job begins.';

-- p_error  what went wrong; null when the run was complete
create function billing.note_job_finished(p_name text, p_error text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  if p_error is null then
    update billing.scheduled_jobs set last_finished_at = now(), last_error = null where name = p_name;
    perform billing.resolve_anomaly('schedule_stopped', p_name);
  else
    update billing.scheduled_jobs set last_failed_at = now(), last_error = p_error where name = p_name;
  end if;
end $$;
comment on function billing.note_job_finished(text, text) is 'Notes how a run of a scheduled job ended.';

-- A job may miss two runs, and half an hour in any case: deployments and outages pass by themselves.
create function billing.late_jobs() returns table (name text, last_finished_at timestamptz, last_error text, expected_every interval)
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return query
    select j.name, j.last_finished_at, j.last_error, j.expected_every from billing.scheduled_jobs j
    where coalesce(j.last_finished_at, j.watched_since) < now() - greatest(3 * j.expected_every, interval '30 minutes')
    order by j.name;
end $$;
comment on function billing.late_jobs() is 'The scheduled jobs that should have run by now.';

-- Returns [{name, last_finished_at, detail}] of the jobs that are late, each an anomaly.
create function billing.check_schedules() returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_job record;
  v_late jsonb := '[]';
  v_detail text;
begin
  for v_job in select * from billing.late_jobs() loop
    v_detail := format('The job %s should run every %s and %s.%s Run deno task doctor.', v_job.name, v_job.expected_every,
      coalesce('was last complete at ' || to_char(v_job.last_finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'was never complete'),
      coalesce(' Its last error: ' || v_job.last_error, ''));
    perform billing.report_anomaly('schedule_stopped', v_job.name, null, v_detail);
    v_late := v_late || jsonb_build_object('name', v_job.name, 'last_finished_at', v_job.last_finished_at, 'detail', v_detail);
  end loop;
  return v_late;
end $$;
comment on function billing.check_schedules() is 'Reports each scheduled job that should have run by now as an anomaly, and returns them.';

-- The newest version that `supabase db push` recorded; null where migrations are not recorded that way.
create function billing.newest_migration() returns text
  language plpgsql stable security definer set search_path = ''
as $$ begin
  return (select max(m.version) from supabase_migrations.schema_migrations m);
exception when undefined_table or invalid_schema_name or insufficient_privilege then
  return null;
end $$;
comment on function billing.newest_migration() is 'The version of the newest migration that was applied.';

-- Ages are in seconds, by the database's clock; null when there was none yet.
create function billing.service_status() returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$ begin
  return jsonb_build_object(
    'newest_migration', billing.newest_migration(),
    'jobs', (
      select coalesce(jsonb_object_agg(j.name, jsonb_build_object(
        'age', extract(epoch from now() - j.last_finished_at),
        'is_late', exists (select from billing.late_jobs() l where l.name = j.name))), '{}')
      from billing.scheduled_jobs j),
    'last_event_age', (
      select extract(epoch from now() - e.received_at) from billing.stripe_events e
      order by e.created_at desc limit 1),
    'outbox_age', (
      select extract(epoch from now() - min(r.due_at)) from billing.usage_reports r
      where r.state in ('open', 'claimed') and r.due_at <= now() and r.quantity > 0),
    'open_anomalies', (select count(*) from billing.anomalies a where a.resolved_at is null));
end $$;
comment on function billing.service_status() is 'Newest migration, ages of the last runs, of the last event and of unsent usage, and open anomalies: for health checks and metrics.';

revoke all on billing.scheduled_jobs from public, anon, authenticated, service_role;
grant select on billing.scheduled_jobs to service_role;
revoke execute on function
  billing.note_job_started(text), billing.note_job_finished(text, text), billing.late_jobs(), billing.check_schedules(),
  billing.newest_migration(), billing.service_status()
  from public, anon, authenticated, service_role;
grant execute on function
  billing.note_job_started(text), billing.note_job_finished(text, text), billing.check_schedules(), billing.service_status()
  to billing_service;
