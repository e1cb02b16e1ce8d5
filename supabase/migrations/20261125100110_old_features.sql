-- What can be limited or billed by use, and the windows a limit may have.

create table public.features (
  code              text primary key constraint features_code_form check (code ~ '^[a-z][a-z0-9_]{0,62}$'),
  name              text not null constraint features_name_length check (length(name) between 1 and 80),
  unit              text not null constraint features_unit_length check (length(unit) between 1 and 40),
  meter_event_name  text constraint features_meter_event_name_key unique
                    constraint features_meter_event_name_length check (length(meter_event_name) between 1 and 100),
  is_metered        boolean not null generated always as (meter_event_name is not null) stored,
  included_quantity bigint not null default 0 constraint features_included_quantity_not_negative check (included_quantity >= 0),
  created_at        timestamptz not null default now(),
  updated_at        timestamptz not null default now()
);
alter table public.features enable row level security;

create trigger features_touch before update on public.features
  for each row execute function billing.touch_updated_at();

create policy features_select on public.features for select to authenticated using (true);

revoke all on public.features from anon, authenticated, service_role;
-- meter_event_name is not granted: a browser has no use for it.
grant select (code, name, unit, is_metered, included_quantity) on public.features to authenticated;
grant select, insert, update, delete on public.features to service_role;

comment on table public.features is 'What the plugin can do that is limited or billed by use. Everybody signed in may read it.';
comment on column public.features.code is 'Short stable name used in code and limits: ai_chat_message.';
comment on column public.features.name is 'What people read.';
comment on column public.features.unit is 'What one of it is called: message.';
comment on column public.features.meter_event_name is 'The event name of the Stripe meter that bills its use; null = not billed by use.';
comment on column public.features.is_metered is 'Whether its use is billed.';
comment on column public.features.included_quantity is 'For a metered feature: how much of it in a billing period the price of the plan includes.';
comment on column public.features.created_at is 'When the row was made.';
comment on column public.features.updated_at is 'When the row last changed.';

-- A rolling window is counted in stretches of at most a hundredth and at least a six-hundredth of its length, which divide
-- a day: fine enough to be fair, and never more than 600 to add up.
alter table public.plan_limits
  add column period text not null default 'rolling'
    constraint plan_limits_period_known check (period in ('rolling', 'calendar_month')),
  add column window_seconds bigint not null generated always as (extract(epoch from quota_window)::bigint) stored,
  add column resolution interval not null generated always as (case
    when quota_window = interval '0' then interval '0'
    when period = 'calendar_month' then interval '06:00:00'
    when quota_window >= interval '2400 hours' then interval '24:00:00'
    when quota_window >= interval '1200 hours' then interval '12:00:00'
    when quota_window >= interval '600 hours' then interval '06:00:00'
    when quota_window >= interval '300 hours' then interval '03:00:00'
    when quota_window >= interval '100 hours' then interval '01:00:00'
    when quota_window >= interval '1000 minutes' then interval '00:10:00'
    when quota_window >= interval '500 minutes' then interval '00:05:00'
    when quota_window >= interval '100 minutes' then interval '00:01:00'
    when quota_window >= interval '1000 seconds' then interval '00:00:10'
    when quota_window >= interval '500 seconds' then interval '00:00:05'
    when quota_window >= interval '100 seconds' then interval '00:00:01'
    when quota_window >= interval '50 seconds' then interval '00:00:00.5'
    else interval '00:00:00.1' end) stored,
  add constraint plan_limits_feature_fkey foreign key (feature) references public.features (code),
  add constraint plan_limits_quota_window_countable check (
    quota_window = interval '0'
    or quota_window between interval '10 seconds' and interval '366 days'
      and extract(epoch from quota_window) = floor(extract(epoch from quota_window))),
  -- "1 month" and "30 days" are equal to PostgreSQL; which of the two is meant has to be said.
  add constraint plan_limits_months_are_calendar_months check (
    case period
      when 'calendar_month' then extract(month from quota_window) = 1 and quota_window = interval '1 month'
      else extract(month from quota_window) = 0 and extract(year from quota_window) = 0 end),
  drop constraint plan_limits_pkey,
  add constraint plan_limits_pkey primary key (plan_id, feature, quota_window, period);

-- Serves the foreign key, and the question which plan would lift a limit.
create index plan_limits_feature on public.plan_limits (feature);

comment on column public.plan_limits.feature is 'The feature that is limited.';
comment on column public.plan_limits.quota_window is 'The limit counts what happened in this last stretch of time, 10 seconds to 366 days. 0 = a resource limit: so many at once.';
comment on column public.plan_limits.quota is 'The most that is allowed within the window (or at once). A change takes effect at once.';
comment on column public.plan_limits.period is 'rolling: the last quota_window, at any moment. calendar_month (with quota_window 1 month): since the first of the month, UTC.';
comment on column public.plan_limits.window_seconds is 'quota_window in seconds; a calendar month counts as 30 days.';
comment on column public.plan_limits.resolution is 'Use is counted in stretches this long; a unit comes back within one of them after the window has passed, never before.';
