-- Calls the scheduled edge functions. Needs pg_cron and pg_net, which hosted Supabase has. Without them nothing is scheduled
-- here, and another scheduler has to call the functions; on one machine the launcher of the stack does.
--
-- The operator puts two secrets into the vault:
--   select vault.create_secret('https://project.supabase.co', 'project_url');
--   select vault.create_secret('the same as the functions'' CRON_SECRET', 'cron_secret');

create function billing.call_function(p_name text) returns bigint
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_url text;
  v_secret text;
begin
  select decrypted_secret into v_url from vault.decrypted_secrets where name = 'project_url';
  select decrypted_secret into v_secret from vault.decrypted_secrets where name = 'cron_secret';
  if v_url is null or v_secret is null then
    raise warning 'Not calling %: the vault lacks project_url or cron_secret.', p_name;
    return null;
  end if;
  -- pg_net stores the headers of a request in a table for a while, so this secret must start these jobs and nothing else.
  return net.http_post(
    url := v_url || '/functions/v1/' || p_name,
    headers := jsonb_build_object('content-type', 'application/json', 'apikey', v_secret),
    body := jsonb_build_object('scheduled_at', now()),
    timeout_milliseconds := 55000);
end $$;
comment on function billing.call_function(text) is 'Calls an edge function by name, with the secret that scheduled functions check. For the schedules.';

revoke execute on function billing.call_function(text) from public, anon, authenticated, service_role;

do $schedule$ begin
  if (select count(*) from pg_available_extensions where name in ('pg_cron', 'pg_net')) < 2 then
    raise notice 'pg_cron or pg_net is not available here: nothing is scheduled.';
    return;
  end if;
  execute 'create extension if not exists pg_cron';
  execute 'create extension if not exists pg_net';
  -- cron.schedule changes an existing job of the same name.
  execute $job$ select cron.schedule('dues-reconcile', '*/10 * * * *', 'select billing.call_function(''reconcile'')') $job$;
  -- Stripe keeps an invoice open for about an hour after its period has ended. With a report every five minutes, usage of
  -- the last second of the period is still on it.
  execute $job$ select cron.schedule('dues-report-usage', '*/5 * * * *', 'select billing.call_function(''report-usage'')') $job$;
end $schedule$;
