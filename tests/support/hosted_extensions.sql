-- Stand-ins of three extensions that hosted Supabase has and PostgreSQL from npm has not: pg_cron, pg_net and the vault. They
-- have the same relations and functions, as far as Dues uses them, and keep what is given to them. Nothing runs by itself.

create schema cron;
create table cron.job (
  jobid    bigint generated always as identity primary key,
  schedule text not null,
  command  text not null,
  jobname  text unique,
  active   boolean not null default true
);
create table cron.job_run_details (
  jobid          bigint,
  runid          bigint generated always as identity primary key,
  command        text,
  status         text,
  return_message text,
  start_time     timestamptz,
  end_time       timestamptz
);
create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$
  insert into cron.job (jobname, schedule, command) values (job_name, schedule, command)
  on conflict (jobname) do update set schedule = excluded.schedule, command = excluded.command
  returning jobid
$$;
create function cron.unschedule(job_name text) returns boolean language sql as $$
  with gone as (delete from cron.job where jobname = job_name returning 1) select count(*) > 0 from gone
$$;

create schema net;
create table net.http_request_queue (
  id                   bigint generated always as identity primary key,
  method               text not null,
  url                  text not null,
  headers              jsonb,
  body                 jsonb,
  timeout_milliseconds integer not null
);
create table net._http_response (
  id          bigint,
  status_code integer,
  content     text,
  error_msg   text,
  created     timestamptz not null default now()
);
create function net.http_post(
  url text, body jsonb default '{}', params jsonb default '{}', headers jsonb default '{}',
  timeout_milliseconds integer default 5000) returns bigint language sql as $$
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values ('POST', url, headers, body, timeout_milliseconds) returning id
$$;

create schema vault;
create table vault.secrets (
  id          uuid primary key default gen_random_uuid(),
  name        text unique,
  description text not null default '',
  secret      text not null
);
create view vault.decrypted_secrets as select id, name, description, secret, secret as decrypted_secret from vault.secrets;
create function vault.create_secret(new_secret text, new_name text default null, new_description text default '')
  returns uuid language sql as $$
  insert into vault.secrets (secret, name, description) values (new_secret, new_name, new_description) returning id
$$;
create function vault.update_secret(secret_id uuid, new_secret text default null) returns void language sql as $$
  update vault.secrets set secret = coalesce(new_secret, secret) where id = secret_id
$$;
