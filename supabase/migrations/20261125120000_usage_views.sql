-- Usage as the dashboard shows it. The views run with the rights of whoever looks (security_invoker), so row-level security
-- applies.

create view public.usage_overview with (security_invoker = true) as
  select c.id as community_id, c.title, p.code as plan, l.feature, l.quota_window, l.period, l.window_seconds,
    coalesce(k.used, 0)::bigint as used, l.quota,
    billing.window_release(l.period, l.window_seconds, l.resolution, k.first_at) as resets_at
  from public.communities c
  cross join lateral public.plan_in_force(c.id, c.current_plan_id, c.plan_until) f
  join public.plans p on p.id = f.plan_id
  join public.plan_limits l on l.plan_id = p.id
  left join lateral (
    select sum(k.quantity) as used, min(k.starts_at) filter (where k.quantity > 0) as first_at
    from public.usage_counters k
    where k.community_id = c.id and k.feature = l.feature and k.resolution = l.resolution
      and k.starts_at >= billing.window_start(l.period, l.window_seconds, l.resolution, now())) k on true;

comment on view public.usage_overview is 'How much of each limit of its plan each community has used. The operator sees all communities, a person their own.';
comment on column public.usage_overview.plan is 'The code of the plan in force.';
comment on column public.usage_overview.quota_window is 'The window of the limit. 0 = so many at once.';
comment on column public.usage_overview.period is 'rolling or calendar_month.';
comment on column public.usage_overview.used is 'Units used within the window, or held now.';
comment on column public.usage_overview.quota is 'Units allowed within the window, or at once.';
comment on column public.usage_overview.resets_at is 'When the first units are free again; null when none are used, and for a resource limit.';

create view public.usage_reports_overview with (security_invoker = true) as
  select r.meter_event_name, r.state, count(*) as reports, sum(r.quantity) as quantity,
    min(r.hour) as oldest_hour, max(r.attempts) as most_attempts,
    now() - min(r.due_at) filter (where r.state in ('open', 'claimed') and r.quantity > 0 and r.due_at <= now()) as overdue
  from billing.usage_reports r
  group by r.meter_event_name, r.state;

comment on view public.usage_reports_overview is 'For the operator: the outbox of metered usage, by meter and state.';
comment on column public.usage_reports_overview.meter_event_name is 'The event name of the Stripe meter.';
comment on column public.usage_reports_overview.state is 'open, claimed, sent, refused, given_up or rolled_over: see billing.usage_reports.';
comment on column public.usage_reports_overview.reports is 'Number of reports in that state.';
comment on column public.usage_reports_overview.quantity is 'Units in them.';
comment on column public.usage_reports_overview.overdue is 'How long the oldest report that could be sent has waited; null when none is due.';

create view public.unsent_usage_reports with (security_invoker = true) as
  select r.community_id, c.title, r.feature, r.hour, r.quantity, r.state, r.due_at, r.attempts, r.error,
    r.meter_event_name, r.stripe_customer_id, r.identifier
  from billing.usage_reports r left join public.communities c on c.id = r.community_id
  where r.state in ('open', 'claimed', 'refused', 'given_up')
  order by r.hour;

comment on view public.unsent_usage_reports is 'For the operator: metered use that Stripe does not count, the oldest first. refused and given_up need a decision.';
comment on column public.unsent_usage_reports.hour is 'Start of the hour (UTC) of the use.';
comment on column public.unsent_usage_reports.state is 'open, claimed, refused or given_up: see billing.usage_reports.';
comment on column public.unsent_usage_reports.due_at is 'When it may be sent, at the earliest.';
comment on column public.unsent_usage_reports.attempts is 'How often it was claimed.';
comment on column public.unsent_usage_reports.error is 'What went wrong last.';
comment on column public.unsent_usage_reports.identifier is 'The meter event''s identifier, to look up in Stripe.';

-- Grants.
revoke all on public.usage_overview, public.usage_reports_overview, public.unsent_usage_reports
  from public, anon, authenticated, service_role;
grant select on public.usage_overview to authenticated, service_role;
grant select on public.usage_reports_overview, public.unsent_usage_reports to service_role;
