-- Catching up on events is complete by itself: a run that is cut off later, while it compares, need not be followed by one
-- that looks through the same events again. And whole pages of events are known already, as a rule.

alter table billing.reconciliations add column caught_up_at timestamptz;
comment on column billing.reconciliations.caught_up_at is 'When every event since events_from had been looked at. The next run begins where this one did.';
comment on column billing.reconciliations.started_at is 'When it began. Once it has caught up, the next run looks for missed events from here on.';

create or replace function billing.begin_reconciliation() returns jsonb
  language sql volatile security definer set search_path = ''
as $$
  insert into billing.reconciliations (events_from)
  select coalesce(
    (select max(started_at) - interval '1 hour' from billing.reconciliations where caught_up_at is not null),
    now() - interval '30 days')
  returning jsonb_build_object('id', id, 'events_from', extract(epoch from events_from)::bigint)
$$;

create function billing.note_caught_up(p_id bigint) returns void
  language sql volatile security definer set search_path = ''
as $$ update billing.reconciliations set caught_up_at = now() where id = p_id $$;
comment on function billing.note_caught_up(bigint) is 'Notes that a reconciliation has looked at every event.';

create function billing.missed_events(p_ids text[]) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(offered.id), '[]') from unnest(p_ids) as offered(id)
  where not exists (select from billing.stripe_events e where e.id = offered.id)
$$;
comment on function billing.missed_events(text[]) is 'Which of these events are not in the ledger.';

revoke execute on function billing.note_caught_up(bigint), billing.missed_events(text[])
  from public, anon, authenticated, service_role;
grant execute on function billing.note_caught_up(bigint), billing.missed_events(text[]) to billing_service;
