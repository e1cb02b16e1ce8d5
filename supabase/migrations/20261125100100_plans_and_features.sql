-- The price list: plans, features, how much of a feature a plan allows, and the Stripe prices they are sold at.
-- The operator edits plans, features and plan limits in the dashboard; the set-up task writes what plans.toml says.

create table public.plans (
  id               bigint generated always as identity primary key,
  code             text not null constraint plans_code_key unique
                   constraint plans_code_form check (code ~ '^[a-z][a-z0-9_]{0,30}$'),
  name             text not null constraint plans_name_length check (length(name) between 1 and 80),
  rank             integer not null constraint plans_rank_key unique,
  price_cents      integer not null constraint plans_price_not_negative check (price_cents >= 0),
  currency         text not null constraint plans_currency_form check (currency ~ '^[a-z]{3}$'),
  billing_interval text constraint plans_billing_interval_known check (billing_interval in ('month', 'year')),
  stripe_price_id  text constraint plans_stripe_price_id_key unique,
  trial_days       integer not null default 0
                   constraint plans_trial_days_in_range check (trial_days between 0 and 730),
  grace_period     interval not null default billing.default_grace_period()
                   constraint plans_grace_period_not_negative check (grace_period >= interval '0'),
  is_default       boolean not null default false,
  is_active        boolean not null default true,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  constraint plans_default_is_free check (not is_default or (price_cents = 0 and is_active)),
  constraint plans_paid_has_interval check ((price_cents = 0) = (billing_interval is null))
);
alter table public.plans enable row level security;

create unique index plans_one_default on public.plans (is_default) where is_default;

create trigger plans_touch before update on public.plans
  for each row execute function billing.touch_updated_at();

-- Who has signed up at the project and belongs to no community has no business here.
create policy plans_select on public.plans for select to authenticated
  using (((select auth.jwt()) ->> 'cid') is not null);

comment on table public.plans is 'The plans a community can be on. Everybody in a community may read them.';
comment on column public.plans.code is 'Short stable name used in code and requests: free, pro.';
comment on column public.plans.name is 'What people read.';
comment on column public.plans.rank is 'When a community has several subscriptions, the plan with the highest rank counts.';
comment on column public.plans.price_cents is 'Price for one billing interval in the smallest unit of the currency, before tax. 0 = free.';
comment on column public.plans.currency is 'ISO 4217 code in lower case, as Stripe writes it.';
comment on column public.plans.billing_interval is 'month or year; null for a free plan.';
comment on column public.plans.stripe_price_id is 'The Stripe price sold for this plan (price_…). Filled by the Stripe set-up task; null = cannot be bought yet.';
comment on column public.plans.trial_days is 'Length of the free trial for a community that never had a subscription. At most 730, Stripe''s maximum.';
comment on column public.plans.grace_period is 'How long a past_due subscription keeps the plan while Stripe retries the payment.';
comment on column public.plans.is_default is 'The plan of a community without a subscription. Exactly one.';
comment on column public.plans.is_active is 'Offered for purchase and shown in the comparison. Communities already on it keep it.';

create table billing.plan_prices (
  stripe_price_id text primary key,
  plan_id         bigint not null constraint plan_prices_plan_fkey references public.plans (id) on delete cascade,
  created_at      timestamptz not null default now()
);
alter table billing.plan_prices enable row level security;

-- Serves the foreign key.
create index plan_prices_plan_id on billing.plan_prices (plan_id);

comment on table billing.plan_prices is 'Every Stripe price a plan was ever sold at. Communities that subscribed before a price change keep the plan they bought.';
comment on column billing.plan_prices.stripe_price_id is 'The Stripe price (price_…).';
comment on column billing.plan_prices.plan_id is 'The plan that the price buys.';

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

create policy features_select on public.features for select to authenticated
  using (((select auth.jwt()) ->> 'cid') is not null);

comment on table public.features is 'What the plugin can do that is limited or billed by use. Everybody in a community may read it.';
comment on column public.features.code is 'Short stable name used in code and limits: ai_chat_message.';
comment on column public.features.name is 'What people read.';
comment on column public.features.unit is 'What one unit is called: message.';
comment on column public.features.meter_event_name is 'The event name of the Stripe meter that bills its use; null = not billed by use.';
comment on column public.features.is_metered is 'Whether its use is billed.';
comment on column public.features.included_quantity is 'For a metered feature: units in a billing period that the price of the plan includes.';

-- Usage is counted in buckets (see usage_counters). A bucket is 1/600 to 1/100 of the window and divides a day: fine enough
-- to be fair, and a window is never the sum of more than 600 of them.
create table public.plan_limits (
  plan_id        bigint not null constraint plan_limits_plan_fkey references public.plans (id) on delete cascade,
  feature        text not null constraint plan_limits_feature_fkey references public.features (code)
                 constraint plan_limits_feature_form check (feature ~ '^[a-z][a-z0-9_]{0,62}$'),
  quota          bigint not null constraint plan_limits_quota_not_negative check (quota >= 0),
  quota_window   interval not null constraint plan_limits_quota_window_not_negative check (quota_window >= interval '0'),
  period         text not null default 'rolling'
                 constraint plan_limits_period_known check (period in ('rolling', 'calendar_month')),
  window_seconds bigint not null generated always as (extract(epoch from quota_window)::bigint) stored,
  resolution     interval not null generated always as (case
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
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  constraint plan_limits_pkey primary key (plan_id, feature, quota_window, period),
  constraint plan_limits_quota_window_countable check (
    quota_window = interval '0'
    or quota_window between interval '10 seconds' and interval '366 days'
      and extract(epoch from quota_window) = floor(extract(epoch from quota_window))),
  -- PostgreSQL considers "1 month" and "30 days" equal, so the period says which of the two is meant.
  constraint plan_limits_months_are_calendar_months check (
    case period
      when 'calendar_month' then extract(month from quota_window) = 1 and quota_window = interval '1 month'
      else extract(month from quota_window) = 0 and extract(year from quota_window) = 0 end)
);
alter table public.plan_limits enable row level security;

-- Serves the foreign key, and the search for the plan that would lift a limit.
create index plan_limits_feature on public.plan_limits (feature);

create trigger plan_limits_touch before update on public.plan_limits
  for each row execute function billing.touch_updated_at();

create policy plan_limits_select on public.plan_limits for select to authenticated
  using (((select auth.jwt()) ->> 'cid') is not null);

comment on table public.plan_limits is 'How much of a feature a plan allows. A feature may have several limits; all of them apply at once.';
comment on column public.plan_limits.quota is 'Units allowed within the window, or held at once. A change takes effect immediately.';
comment on column public.plan_limits.quota_window is '10 seconds to 366 days. 0 = a resource limit: so many at once.';
comment on column public.plan_limits.period is 'rolling: the last quota_window, at any moment. calendar_month (with quota_window 1 month): since the first of the month, UTC.';
comment on column public.plan_limits.window_seconds is 'quota_window in seconds; a calendar month counts as 30 days.';
comment on column public.plan_limits.resolution is 'Length of the usage counters that this limit adds up. Units come back within one such length after the window has passed, never before.';

create table billing.metered_prices (
  feature          text not null constraint metered_prices_feature_fkey references public.features (code) on delete cascade,
  currency         text not null,
  billing_interval text not null,
  stripe_price_id  text not null constraint metered_prices_stripe_price_id_key unique,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  constraint metered_prices_pkey primary key (feature, currency, billing_interval)
);
alter table billing.metered_prices enable row level security;

create trigger metered_prices_touch before update on billing.metered_prices
  for each row execute function billing.touch_updated_at();

comment on table billing.metered_prices is 'The Stripe price that bills the use of a metered feature, for plans of that currency and interval. Filled by the Stripe set-up task.';
comment on column billing.metered_prices.currency is 'ISO 4217 code in lower case.';
comment on column billing.metered_prices.billing_interval is 'month or year, as the plan it is sold with.';
comment on column billing.metered_prices.stripe_price_id is 'The Stripe price (price_…).';

-- Security definer: the operator may edit plans, but may not write to plan_prices.
create function billing.remember_plan_price() returns trigger
  language plpgsql volatile security definer set search_path = ''
as $$ begin
  insert into billing.plan_prices as known (stripe_price_id, plan_id) values (new.stripe_price_id, new.id)
  on conflict (stripe_price_id) do update set plan_id = excluded.plan_id where known.plan_id <> excluded.plan_id;
  return null;
end $$;
comment on function billing.remember_plan_price() is 'Adds the price of a plan to plan_prices whenever a plan gets one.';

create trigger plans_remember_price after insert or update of stripe_price_id on public.plans
  for each row when (new.stripe_price_id is not null) execute function billing.remember_plan_price();

-- Grants. Not granted to authenticated: stripe_price_id and meter_event_name, which a browser has no use for.
revoke all on public.plans, public.features, public.plan_limits, billing.plan_prices, billing.metered_prices
  from public, anon, authenticated, service_role;
revoke all on sequence public.plans_id_seq from anon, authenticated, service_role;
revoke execute on function billing.remember_plan_price() from public, anon, authenticated, service_role;
grant select (id, code, name, rank, price_cents, currency, billing_interval, trial_days, grace_period, is_default, is_active)
  on public.plans to authenticated;
grant select (code, name, unit, is_metered, included_quantity) on public.features to authenticated;
grant select on public.plan_limits to authenticated;
-- The operator edits what only Dues decides by. What Stripe has, too (price, currency, interval, meter), the set-up task writes.
grant select, delete on public.plans, public.features, public.plan_limits to service_role;
grant insert (code, name, rank, price_cents, currency, billing_interval, trial_days, grace_period, is_default, is_active),
  update (name, rank, trial_days, grace_period, is_default, is_active)
  on public.plans to service_role;
grant insert (code, name, unit, included_quantity), update (name, unit, included_quantity)
  on public.features to service_role;
grant insert (plan_id, feature, quota, quota_window, period), update (quota, quota_window, period)
  on public.plan_limits to service_role;
grant select on billing.metered_prices, billing.plan_prices to service_role;
