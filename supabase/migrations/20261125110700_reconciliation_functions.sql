-- The reconciliation compares what Stripe has with what is stored. It reads Stripe's lists in rounds, page by page, asks for
-- each object that differs (billing.apply_answer stores the answer), and may be interrupted at any point: the next run goes
-- on after the last page. Two runs at the same time do the work twice, with the same result.

create function billing.begin_reconciliation() returns bigint
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_id bigint;
begin
  insert into billing.reconciliations default values returning id into v_id;
  return v_id;
end $$;
comment on function billing.begin_reconciliation() is 'Notes that a run of the reconciliation begins, and returns its id.';

create function billing.finish_reconciliation(p_id bigint, p_report jsonb) returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  update billing.reconciliations set finished_at = now(), report = p_report where id = p_id;
end $$;
comment on function billing.finish_reconciliation(bigint, jsonb) is 'Notes that a run is complete, with its report.';

-- Begins a round of a list, or goes on with the one that was begun.
--   p_every      begin no round sooner than so long after the start of the last one; null: begin one now, also when another
--                was begun
--   p_look_back  a round reads objects that are not older; null: all
--   p_go_on      look only at what the last complete round has not read, with an hour of overlap
-- Returns {started_at, after_id, since} (since in unix seconds, or null), or null when no round is due.
create function billing.begin_round(p_list text, p_every interval, p_look_back interval, p_go_on boolean) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_round billing.reconciliation_cursors;
begin
  insert into billing.reconciliation_cursors (list) values (p_list) on conflict do nothing;
  select * into v_round from billing.reconciliation_cursors where list = p_list for update;
  if v_round.round_started_at is null or p_every is null then
    if v_round.read_until > now() - p_every then return null; end if;
    update billing.reconciliation_cursors set
      round_started_at = clock_timestamp(), after_id = null,
      since = case when p_go_on then greatest(read_until - interval '1 hour', now() - p_look_back) else now() - p_look_back end
    where list = p_list returning * into v_round;
  end if;
  return jsonb_build_object('started_at', v_round.round_started_at, 'after_id', v_round.after_id,
    'since', extract(epoch from v_round.since)::bigint);
end $$;
comment on function billing.begin_round(text, interval, interval, boolean) is 'Where to go on reading one of Stripe''s lists; null when there is nothing to read yet.';

-- p_after_id null: Stripe does not know the last one any more, so the round begins anew.
create function billing.note_page(p_list text, p_started_at timestamptz, p_after_id text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  update billing.reconciliation_cursors set after_id = p_after_id where list = p_list and round_started_at = p_started_at;
end $$;
comment on function billing.note_page(text, timestamptz, text) is 'Notes the last object of a page that was compared, in the round that began then.';

create function billing.complete_round(p_list text, p_started_at timestamptz) returns void
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  update billing.reconciliation_cursors set
    read_until = greatest(read_until, p_started_at), completed_at = now(),
    round_started_at = nullif(round_started_at, p_started_at), after_id = case when round_started_at <> p_started_at then after_id end
  where list = p_list;
end $$;
comment on function billing.complete_round(text, timestamptz) is 'Notes that the round that began then has come to the end of its list.';

create function billing.missed_events(p_ids text[]) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$ begin
  return (
    select coalesce(jsonb_agg(offered.id), '[]') from unnest(p_ids) as offered(id)
    where not exists (select from billing.stripe_events e where e.id = offered.id));
end $$;
comment on function billing.missed_events(text[]) is 'Which of these event ids are not in the event log, as a JSON array.';

-- p_objects: [{id, customer_id, state_hash}], as Stripe lists them; state_hash is null for what was not understood. Objects of
-- customers that belong to no community are left out, and those whose failure is tried again later.
-- Returns [{id, customer_id, community_id, was}] of those that differ; was is the stored status or null.
create function billing.find_drift(p_kind text, p_objects json) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_same text[];
  v_drift jsonb;
begin
  with compared as (
    select o.id, o.customer_id, c.community_id, known.status,
      coalesce(known.state_hash = o.state_hash and known.community_id = c.community_id and known.missing_since is null,
        false) as is_same
    from json_to_recordset(p_objects) as o(id text, customer_id text, state_hash text)
    join billing.customers c on c.id = o.customer_id
    left join lateral (
      select s.status, s.state_hash, s.community_id, s.missing_since
      from public.subscriptions s where p_kind = 'subscription' and s.id = o.id
      union all
      select i.status, i.state_hash, i.community_id, i.missing_since
      from public.invoices i where p_kind = 'invoice' and i.id = o.id) known on true
    left join billing.object_failures f on f.object_id = o.id
    where f.object_id is null or f.next_attempt_at is null and o.state_hash is not null
  )
  select array_agg(id) filter (where is_same),
    coalesce(jsonb_agg(jsonb_build_object('id', id, 'customer_id', customer_id, 'community_id', community_id,
      'was', status)) filter (where not is_same), '[]')
  into v_same, v_drift from compared;
  if v_same is not null then perform billing.confirm_objects(p_kind, v_same); end if;
  return v_drift;
end $$;
comment on function billing.find_drift(text, json) is 'Confirms the objects that are stored as Stripe has them, and returns those that differ.';

-- What is stored agrees with Stripe: what could not be settled or asked before has no consequence any more.
create function billing.confirm_objects(p_kind text, p_ids text[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_settled text[];
  v_community_ids text[];
begin
  if p_kind = 'subscription' then
    update public.subscriptions s set confirmed_at = clock_timestamp() where s.id = any (p_ids);
    -- Plans that were changed by hand.
    select array_agg(distinct c.id) into v_community_ids
    from public.subscriptions s join public.communities c on c.id = s.community_id
    where s.id = any (p_ids) and s.gives_plan_until > now() and c.current_plan_id <> s.gives_plan_id;
    if v_community_ids is not null then
      perform billing.lock_communities(v_community_ids);
      perform billing.update_current_plans(v_community_ids);
    end if;
  else
    update public.invoices i set confirmed_at = clock_timestamp() where i.id = any (p_ids);
  end if;
  with settled as (
    update billing.stripe_events l set outcome = 'applied', reason = 'the stored state agrees with Stripe''s list'
    where l.object_id = any (p_ids) and l.outcome = 'given_up' returning l.id
  )
  select array_agg(id) into v_settled from settled;
  delete from billing.object_failures f where f.object_id = any (p_ids);
  update billing.anomalies a set resolved_at = now()
  where a.resolved_at is null and (
    a.kind = 'unreadable_object' and a.object_id = any (p_ids)
    or a.kind = 'unreadable_event' and a.object_id = any (v_settled));
end $$;
comment on function billing.confirm_objects(text, text[]) is 'Notes that these objects are stored as Stripe has them.';

-- The start of the last complete rounds of these lists; null when one was never complete.
create function billing.read_until(p_lists text[]) returns timestamptz
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return (
    select case when count(c.read_until) = cardinality(p_lists) then min(c.read_until) end
    from billing.reconciliation_cursors c where c.list = any (p_lists));
end $$;
comment on function billing.read_until(text[]) is 'Since when these lists have been read completely.';

-- They were not in the last complete round of Stripe's lists. Returns [{id, customer_id, community_id, was}].
create function billing.unconfirmed_objects(p_kind text, p_limit integer) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_since constant timestamptz := billing.read_until(
    case p_kind when 'subscription' then array['subscriptions'] else array['invoices', 'open_invoices'] end);
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'customer_id', o.customer_id,
      'community_id', o.community_id, 'was', o.status)), '[]')
    from (
      (select s.id, s.customer_id, s.community_id, s.status from public.subscriptions s
      where p_kind = 'subscription' and s.confirmed_at < v_since and s.ended_at is null and s.missing_since is null
        and s.status <> 'incomplete_expired'
        and not exists (select from billing.object_failures f where f.object_id = s.id)
      order by s.confirmed_at limit p_limit)
      union all
      (select i.id, i.customer_id, i.community_id, i.status from public.invoices i
      where p_kind = 'invoice' and i.confirmed_at < v_since and i.status in ('draft', 'open') and i.missing_since is null
        and not exists (select from billing.object_failures f where f.object_id = i.id)
      order by i.confirmed_at limit p_limit)) o);
end $$;
comment on function billing.unconfirmed_objects(text, integer) is 'Live subscriptions, or open invoices, that Stripe''s lists did not show, those that were confirmed longest ago first.';

-- One event links a customer and one deletes it, and Stripe keeps events for 30 days only. So the customers themselves are
-- compared, too.
--   p_customers  [{id, community_id}], as Stripe lists them
-- Returns, in the same shape, those that may belong to a community which does not have them. The community may have another
-- customer: billing.link_customer decides.
create function billing.compare_customers(p_customers jsonb) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_unlinked jsonb;
begin
  with offered as (
    select o ->> 'id' as id, o ->> 'community_id' as community_id, place
    from jsonb_array_elements(p_customers) with ordinality as given(o, place)
  ), confirmed as (
    update billing.customers k set confirmed_at = now(), missing_since = null from offered o where k.id = o.id
  ), found_again as (
    update billing.anomalies a set resolved_at = now() from offered o
    where a.kind in ('missing_in_stripe', 'unreadable_object') and a.object_id = o.id and a.resolved_at is null
  )
  select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'community_id', o.community_id) order by o.place), '[]')
  into v_unlinked
  from offered o
  join public.communities c on c.id = o.community_id
  left join billing.customers k on k.id = o.id
  where c.stripe_customer_id is distinct from o.id
    and (k.id is null or k.community_id = c.id and k.deleted_at is null);
  return v_unlinked;
end $$;
comment on function billing.compare_customers(jsonb) is 'Confirms the customers that are linked, and returns those that may have to be linked.';

create function billing.unconfirmed_customers(p_limit integer) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
declare
  v_since constant timestamptz := billing.read_until(array['customers']);
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'community_id', k.community_id)), '[]')
    from (
      select k.id, k.community_id from billing.customers k
      where k.confirmed_at < v_since and k.deleted_at is null and k.missing_since is null
        and not exists (select from billing.object_failures f where f.object_id = k.id)
      order by k.confirmed_at limit p_limit) k);
end $$;
comment on function billing.unconfirmed_customers(integer) is 'Linked customers that Stripe''s list did not show: [{id, community_id}].';

-- p_exists false: Stripe does not know the customer. It stays linked, for a person to look at; a checkout replaces it.
create function billing.note_customer(p_customer_id text, p_exists boolean) returns void
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_community_id text;
begin
  update billing.customers k set
    confirmed_at = case when p_exists then now() else k.confirmed_at end,
    missing_since = case when not p_exists then coalesce(k.missing_since, now()) end
  where k.id = p_customer_id returning k.community_id into v_community_id;
  if p_exists then
    perform billing.resolve_anomaly('missing_in_stripe', p_customer_id);
    perform billing.resolve_anomaly('unreadable_object', p_customer_id);
  else
    perform billing.report_anomaly('missing_in_stripe', p_customer_id, v_community_id,
      'Stripe does not know the customer ' || p_customer_id || '. Is this the right Stripe account, and the right mode? '
        || 'The next checkout makes a new customer.');
  end if;
  delete from billing.object_failures f where f.object_id = p_customer_id;
end $$;
comment on function billing.note_customer(text, boolean) is 'Notes whether Stripe knows a customer, after it was asked.';

-- For a full run: no subscription tells what a community without one should have.
--   p_after  goes on after this id; null: from the start
-- Returns {changed, last}; last is null at the end.
create function billing.correct_plans(p_after text, p_limit integer default 1000) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_ids text[];
begin
  select array_agg(c.id order by c.id) into v_ids from (
    select c.id from public.communities c where c.id > coalesce(p_after, '') order by c.id limit p_limit for no key update) c;
  if v_ids is null then return jsonb_build_object('changed', 0, 'last', null); end if;
  return jsonb_build_object('changed', billing.update_current_plans(v_ids), 'last', v_ids[cardinality(v_ids)]);
end $$;
comment on function billing.correct_plans(text, integer) is 'Decides the plans of some communities anew, in the order of their ids: what was changed by hand is corrected.';

-- An object that cannot be brought up to date is tried again, ever more rarely, and given up after a week.
create function billing.note_object_failure(p_kind text, p_object_id text, p_community_id text, p_error text) returns void
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_failure billing.object_failures;
begin
  insert into billing.object_failures as known (object_id, kind, community_id, error, next_attempt_at)
  values (p_object_id, p_kind, (select c.id from public.communities c where c.id = p_community_id), left(p_error, 2000),
    now() + billing.retry_delay(1))
  on conflict (object_id) do update set
    attempts = known.attempts + 1, error = excluded.error,
    next_attempt_at = now() + billing.retry_delay(known.attempts + 1)
  returning * into v_failure;
  if v_failure.next_attempt_at is null then
    perform billing.report_anomaly('unreadable_object', p_object_id, v_failure.community_id,
      format('The %s %s could not be brought up to date in %s attempts: %s', p_kind, p_object_id, v_failure.attempts,
        v_failure.error));
  end if;
end $$;
comment on function billing.note_object_failure(text, text, text, text) is 'Counts a failed attempt to bring an object up to date, and says when it is tried again.';

create function billing.claim_object_failures(p_limit integer) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_claimed jsonb;
begin
  with claimed as (
    update billing.object_failures f set next_attempt_at = now() + interval '2 minutes'
    where f.object_id in (
      select d.object_id from billing.object_failures d where d.next_attempt_at <= now()
      order by d.next_attempt_at limit p_limit for update skip locked)
    returning f.*
  )
  select coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'id', c.object_id, 'community_id', c.community_id)), '[]')
  into v_claimed from claimed c;
  return v_claimed;
end $$;
comment on function billing.claim_object_failures(integer) is 'Claims failed objects that are due for another attempt: [{kind, id, community_id}].';

-- Reports of runs are kept for 90 days, resolved anomalies for a year, pg_cron's history of jobs for a week.
create function billing.prune(p_limit integer default 1000) returns integer
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_reports integer;
  v_anomalies integer;
  v_jobs integer := 0;
begin
  delete from billing.reconciliations where id in (
    select id from billing.reconciliations where started_at < now() - interval '90 days' order by started_at limit p_limit);
  get diagnostics v_reports = row_count;
  delete from billing.anomalies where id in (
    select id from billing.anomalies where resolved_at < now() - interval '1 year' order by resolved_at limit p_limit);
  get diagnostics v_anomalies = row_count;
  if to_regclass('cron.job_run_details') is not null then
    execute 'delete from cron.job_run_details where runid in (
      select runid from cron.job_run_details where end_time < now() - interval ''7 days'' order by runid limit $1)'
      using p_limit;
    get diagnostics v_jobs = row_count;
  end if;
  return v_reports + v_anomalies + v_jobs;
end $$;
comment on function billing.prune(integer) is 'Deletes old run reports, resolved anomalies and job histories. Returns how many rows.';

revoke execute on function
  billing.begin_reconciliation(), billing.finish_reconciliation(bigint, jsonb),
  billing.begin_round(text, interval, interval, boolean), billing.note_page(text, timestamptz, text),
  billing.complete_round(text, timestamptz),
  billing.missed_events(text[]), billing.find_drift(text, json), billing.confirm_objects(text, text[]),
  billing.read_until(text[]), billing.unconfirmed_objects(text, integer), billing.compare_customers(jsonb),
  billing.unconfirmed_customers(integer), billing.note_customer(text, boolean), billing.correct_plans(text, integer),
  billing.note_object_failure(text, text, text, text), billing.claim_object_failures(integer), billing.prune(integer)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.begin_reconciliation(), billing.finish_reconciliation(bigint, jsonb),
  billing.begin_round(text, interval, interval, boolean), billing.note_page(text, timestamptz, text),
  billing.complete_round(text, timestamptz),
  billing.missed_events(text[]), billing.find_drift(text, json), billing.unconfirmed_objects(text, integer),
  billing.compare_customers(jsonb), billing.unconfirmed_customers(integer), billing.note_customer(text, boolean), billing.correct_plans(text, integer),
  billing.note_object_failure(text, text, text, text), billing.claim_object_failures(integer), billing.prune(integer)
  to billing_service;
