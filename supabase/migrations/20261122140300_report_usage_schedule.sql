-- Usage is reported every five minutes. Stripe keeps an invoice open for about an hour after its period has ended, so what
-- was used until the last second is on it.
do $schedule$ begin
  if (select count(*) from pg_available_extensions where name in ('pg_cron', 'pg_net')) < 2 then
    raise notice 'pg_cron or pg_net is not available here: nothing is scheduled.';
    return;
  end if;
  execute $job$ select cron.schedule('dues-report-usage', '*/5 * * * *', 'select billing.call_function(''report-usage'')') $job$;
end $schedule$;
