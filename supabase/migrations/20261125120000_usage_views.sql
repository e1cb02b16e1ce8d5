-- What the dashboard shows of usage. Each view runs with the rights of whoever looks.

create view public.usage_overview with (security_invoker = true) as
  select c.id as community_id, c.title, p.code as plan, l.feature, l.quota_window, l.period, l.window_seconds,
    coalesce(k.used, 0)::bigint as used, l.quota,
    case
      when l.window_seconds = 0 or k.first_at is null then null
      when l.period = 'calendar_month' then
        (date_trunc('month', now() at time zone 'UTC') + interval '1 month') at time zone 'UTC'
      else k.first_at + l.resolution + make_interval(secs => l.window_seconds) end as resets_at
  from public.communities c
  join public.plans p on p.id = c.current_plan_id
  join public.plan_limits l on l.plan_id = p.id
  left join lateral (
    select sum(k.quantity) as used, min(k.starts_at) filter (where k.quantity > 0) as first_at
    from public.usage_counters k
    where k.community_id = c.id and k.feature = l.feature and k.resolution = l.resolution
      -- As in billing.window_start.
      and k.starts_at >= case
        when l.window_seconds = 0 then timestamptz '1970-01-01Z'
        when l.period = 'calendar_month' then date_trunc('month', now(), 'UTC')
        else date_bin(l.resolution, now() - make_interval(secs => l.window_seconds), '1970-01-01Z') end) k on true;

revoke all on public.usage_overview from anon, authenticated, service_role;
grant select on public.usage_overview to authenticated, service_role;

comment on view public.usage_overview is 'How far each community has used each limit of its plan: the operator sees all, a person their own community.';
comment on column public.usage_overview.community_id is 'The parent app''s id of the community.';
comment on column public.usage_overview.title is 'The community''s name.';
comment on column public.usage_overview.plan is 'The code of the plan in force.';
comment on column public.usage_overview.feature is 'The feature.';
comment on column public.usage_overview.quota_window is 'The window of the limit. 0 = so many at once.';
comment on column public.usage_overview.period is 'rolling or calendar_month.';
comment on column public.usage_overview.window_seconds is 'The window in seconds.';
comment on column public.usage_overview.used is 'Used within the window, or held now.';
comment on column public.usage_overview.quota is 'The most that is allowed.';
comment on column public.usage_overview.resets_at is 'When the first units come back; null when none are out, or when they come back only by being released.';

create view public.usage_reports_overview with (security_invoker = true) as
  select r.meter_event_name, r.state, count(*) as reports, sum(r.quantity) as quantity,
    min(r.hour) as oldest_hour, max(r.attempts) as most_attempts,
    now() - min(r.due_at) filter (where r.state in ('open', 'waiting') and r.quantity > 0 and r.due_at <= now()) as overdue
  from billing.usage_reports r
  group by r.meter_event_name, r.state;

revoke all on public.usage_reports_overview from anon, authenticated, service_role;
grant select on public.usage_reports_overview to service_role;

comment on view public.usage_reports_overview is 'For the operator: the outbox of metered usage, by meter and state, with the oldest of each.';
comment on column public.usage_reports_overview.meter_event_name is 'The meter''s event name.';
comment on column public.usage_reports_overview.state is 'open, waiting, sent, refused, given_up or carried: see billing.usage_reports.';
comment on column public.usage_reports_overview.reports is 'How many reports are in that state.';
comment on column public.usage_reports_overview.quantity is 'Units in them.';
comment on column public.usage_reports_overview.oldest_hour is 'The hour of the oldest.';
comment on column public.usage_reports_overview.most_attempts is 'How often the most stubborn was tried.';
comment on column public.usage_reports_overview.overdue is 'For how long the oldest unsent one could have been sent; null when none is due.';

create view public.unsent_usage_reports with (security_invoker = true) as
  select r.community_id, c.title, r.feature, r.hour, r.quantity, r.state, r.due_at, r.attempts, r.error,
    r.meter_event_name, r.stripe_customer_id, r.identifier
  from billing.usage_reports r left join public.communities c on c.id = r.community_id
  where r.state in ('open', 'waiting', 'refused', 'given_up')
  order by r.hour;

revoke all on public.unsent_usage_reports from anon, authenticated, service_role;
grant select on public.unsent_usage_reports to service_role;

comment on view public.unsent_usage_reports is 'For the operator: metered use that Stripe does not count, the oldest first. refused and given_up wait for a person.';
comment on column public.unsent_usage_reports.community_id is 'The community that used the feature.';
comment on column public.unsent_usage_reports.title is 'The community''s name.';
comment on column public.unsent_usage_reports.feature is 'The metered feature.';
comment on column public.unsent_usage_reports.hour is 'The hour it was used in.';
comment on column public.unsent_usage_reports.quantity is 'Units used.';
comment on column public.unsent_usage_reports.state is 'open, waiting, refused or given_up.';
comment on column public.unsent_usage_reports.due_at is 'When it may be sent, at the earliest.';
comment on column public.unsent_usage_reports.attempts is 'How often it was tried.';
comment on column public.unsent_usage_reports.error is 'What went wrong last.';
comment on column public.unsent_usage_reports.meter_event_name is 'The meter''s event name.';
comment on column public.unsent_usage_reports.stripe_customer_id is 'The Stripe customer that is billed.';
comment on column public.unsent_usage_reports.identifier is 'The meter event''s identifier, to look for in Stripe.';
