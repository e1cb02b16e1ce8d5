-- What a community can be on, and what that allows. The operator edits both tables in the dashboard.

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
  grace_period     interval not null default '7 days'
                   constraint plans_grace_period_not_negative check (grace_period >= interval '0'),
  is_default       boolean not null default false,
  is_active        boolean not null default true,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  constraint plans_default_is_free check (not is_default or (price_cents = 0 and is_active)),
  constraint plans_paid_has_interval check ((price_cents = 0) = (billing_interval is null))
);
alter table public.plans enable row level security;

-- One plan, and only one, is where every community starts and where it returns to.
create unique index plans_one_default on public.plans (is_default) where is_default;

create trigger plans_touch before update on public.plans
  for each row execute function billing.touch_updated_at();

create policy plans_select on public.plans for select to authenticated using (true);

revoke all on public.plans from anon, authenticated, service_role;
revoke all on sequence public.plans_id_seq from anon, authenticated, service_role;
-- stripe_price_id is not granted: a browser has no use for it.
grant select (id, code, name, rank, price_cents, currency, billing_interval, grace_period, is_default, is_active)
  on public.plans to authenticated;
grant select, insert, update, delete on public.plans to service_role;

comment on table public.plans is 'The plans a community can be on. A price list: everybody signed in may read it.';
comment on column public.plans.id is 'Internal key.';
comment on column public.plans.code is 'Short stable name used in code and requests: free, pro.';
comment on column public.plans.name is 'What people read.';
comment on column public.plans.rank is 'When a community has several subscriptions, the plan with the highest rank counts.';
comment on column public.plans.price_cents is 'Price for one billing interval in the smallest unit of the currency, before tax. 0 = free.';
comment on column public.plans.currency is 'ISO 4217 code in lower case, as Stripe writes it.';
comment on column public.plans.billing_interval is 'month or year; null for a free plan.';
comment on column public.plans.stripe_price_id is 'The Stripe price sold for this plan (price_…). Filled by the Stripe set-up task; null = cannot be bought yet.';
comment on column public.plans.grace_period is 'How long a past_due subscription keeps the plan while Stripe retries the payment.';
comment on column public.plans.is_default is 'The plan of a community without a subscription. Exactly one.';
comment on column public.plans.is_active is 'Offered for purchase and shown in the comparison. Communities already on it keep it.';
comment on column public.plans.created_at is 'When the row was made.';
comment on column public.plans.updated_at is 'When the row last changed.';

create table billing.plan_prices (
  stripe_price_id text primary key,
  plan_id         bigint not null constraint plan_prices_plan_fkey references public.plans (id) on delete cascade,
  created_at      timestamptz not null default now()
);
alter table billing.plan_prices enable row level security;

-- Serves the foreign key.
create index plan_prices_plan_id on billing.plan_prices (plan_id);
revoke all on billing.plan_prices from public, anon, authenticated, service_role;

comment on table billing.plan_prices is 'Every Stripe price a plan was ever sold at. Who subscribed before a change of price keeps the plan they bought.';
comment on column billing.plan_prices.stripe_price_id is 'The Stripe price (price_…).';
comment on column billing.plan_prices.plan_id is 'The plan it buys.';
comment on column billing.plan_prices.created_at is 'When the row was made.';

-- Runs with its owner's rights, because whoever may edit a plan may not write here.
create function billing.remember_plan_price() returns trigger
  language plpgsql security definer set search_path = ''
as $$ begin
  insert into billing.plan_prices as known (stripe_price_id, plan_id) values (new.stripe_price_id, new.id)
  on conflict (stripe_price_id) do update set plan_id = excluded.plan_id where known.plan_id <> excluded.plan_id;
  return null;
end $$;
revoke execute on function billing.remember_plan_price() from public, anon, authenticated, service_role;
comment on function billing.remember_plan_price() is 'Keeps plan_prices complete whenever a plan gets a price.';

create trigger plans_remember_price after insert or update of stripe_price_id on public.plans
  for each row when (new.stripe_price_id is not null) execute function billing.remember_plan_price();

create table public.plan_limits (
  plan_id     bigint not null constraint plan_limits_plan_fkey references public.plans (id) on delete cascade,
  feature     text not null constraint plan_limits_feature_form check (feature ~ '^[a-z][a-z0-9_]{0,62}$'),
  quota_window interval not null constraint plan_limits_quota_window_not_negative check (quota_window >= interval '0'),
  quota  bigint not null constraint plan_limits_quota_not_negative check (quota >= 0),
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint plan_limits_pkey primary key (plan_id, feature, quota_window)
);
alter table public.plan_limits enable row level security;

create trigger plan_limits_touch before update on public.plan_limits
  for each row execute function billing.touch_updated_at();

create policy plan_limits_select on public.plan_limits for select to authenticated using (true);

revoke all on public.plan_limits from anon, authenticated, service_role;
grant select on public.plan_limits to authenticated;
grant select, insert, update, delete on public.plan_limits to service_role;

comment on table public.plan_limits is 'How much of a feature a plan allows. Several windows for one feature all hold at once.';
comment on column public.plan_limits.plan_id is 'The plan that has this limit.';
comment on column public.plan_limits.feature is 'The feature that is limited, such as ai_chat_message.';
comment on column public.plan_limits.quota_window is 'The limit counts what happened in this last stretch of time. 0 = a resource limit: so many at once.';
comment on column public.plan_limits.quota is 'The most that is allowed within the window (or at once).';
comment on column public.plan_limits.created_at is 'When the row was made.';
comment on column public.plan_limits.updated_at is 'When the row last changed.';
