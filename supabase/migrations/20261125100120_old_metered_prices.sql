-- What a plan sells beside its flat price: a trial, and the prices of what is billed by use.

alter table public.plans
  add column trial_days integer not null default 0
    constraint plans_trial_days_in_range check (trial_days between 0 and 730);
grant select (trial_days) on public.plans to authenticated;
comment on column public.plans.trial_days is 'How many days a community that never had a subscription tries it for nothing. At most 730, as Stripe allows.';

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

revoke all on billing.metered_prices from public, anon, authenticated, service_role;
grant select on billing.metered_prices to service_role;

comment on table billing.metered_prices is 'The Stripe price that bills the use of a metered feature, for plans of that currency and interval. Filled by the Stripe set-up task.';
comment on column billing.metered_prices.feature is 'The metered feature.';
comment on column billing.metered_prices.currency is 'ISO 4217 code in lower case.';
comment on column billing.metered_prices.billing_interval is 'month or year, as the plan it is sold with.';
comment on column billing.metered_prices.stripe_price_id is 'The Stripe price (price_…).';
comment on column billing.metered_prices.created_at is 'When the row was made.';
comment on column billing.metered_prices.updated_at is 'When the row last changed.';

-- As before, and with what is sold together with the plan. A trial is for a community's first subscription only.
create or replace function billing.checkout_context(p_community_id text, p_plan_code text default null) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'community', jsonb_build_object(
      'id', c.id, 'title', c.title, 'stripe_customer_id', c.stripe_customer_id,
      'customer_generation', (select count(*) from billing.customers k where k.community_id = c.id)),
    'plan', (
      select jsonb_build_object(
        'code', p.code, 'stripe_price_id', p.stripe_price_id,
        'metered_price_ids', (
          select coalesce(jsonb_agg(m.stripe_price_id order by m.feature), '[]')
          from billing.metered_prices m join public.features f on f.code = m.feature
          where f.is_metered and m.currency = p.currency and m.billing_interval = p.billing_interval),
        'trial_days', case
          when exists (select from public.subscriptions s where s.community_id = c.id) then 0
          else p.trial_days end)
      from public.plans p where p.code = p_plan_code and p.is_active),
    'live_subscription', (
      select jsonb_build_object('id', s.id, 'status', s.status)
      from public.subscriptions s
      where s.community_id = c.id and billing.is_live(s.status)
      order by s.started_at desc limit 1))
  from public.communities c where c.id = p_community_id
$$;
comment on function billing.checkout_context(text, text) is 'Community, its Stripe customer, its live subscription and all that the plan asked for sells, in one read.';
