-- Stripe's subscriptions and invoices, as last received. Only the functions of schema billing write them.

create table public.subscriptions (
  id                   text primary key,
  community_id         text not null constraint subscriptions_community_fkey references public.communities (id),
  plan_id              bigint constraint subscriptions_plan_fkey references public.plans (id),
  stripe_price_id      text not null,
  status               text not null,
  current_period_start timestamptz,
  current_period_end   timestamptz,
  trial_end            timestamptz,
  cancel_at            timestamptz,
  canceled_at          timestamptz,
  ended_at             timestamptz,
  past_due_since       timestamptz,
  payment_issue        text,
  metered_item_id      text,
  started_at           timestamptz not null,
  created_at           timestamptz not null default now(),
  updated_at           timestamptz not null default now(),
  constraint subscriptions_past_due_has_start check ((status = 'past_due') = (past_due_since is not null))
);
alter table public.subscriptions enable row level security;

-- The plan in force and billing info need the subscriptions of one community.
create index subscriptions_community_id on public.subscriptions (community_id);
-- Serves the foreign key.
create index subscriptions_plan_id on public.subscriptions (plan_id);

create trigger subscriptions_touch before update on public.subscriptions
  for each row execute function billing.touch_updated_at();

create policy subscriptions_select_own on public.subscriptions for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid'));

comment on table public.subscriptions is 'Stripe subscriptions of the communities, as last received. Change them in Stripe, not here.';
comment on column public.subscriptions.id is 'Stripe''s id (sub_…).';
comment on column public.subscriptions.plan_id is 'The plan sold by its price; null when no plan has that price.';
comment on column public.subscriptions.stripe_price_id is 'The price of the licensed item (price_…).';
comment on column public.subscriptions.status is 'Stripe''s status: trialing, active, past_due, unpaid, paused, incomplete, incomplete_expired, canceled.';
comment on column public.subscriptions.current_period_start is 'Start of the paid period.';
comment on column public.subscriptions.current_period_end is 'End of the paid period, when it renews.';
comment on column public.subscriptions.trial_end is 'Null without a trial.';
comment on column public.subscriptions.cancel_at is 'When it will end, if a cancellation is scheduled in either of Stripe''s two ways.';
comment on column public.subscriptions.canceled_at is 'When the cancellation was requested.';
comment on column public.subscriptions.ended_at is 'Null while it has not ended for good.';
comment on column public.subscriptions.past_due_since is 'When the payment first failed; the grace period starts here. Null unless past_due.';
comment on column public.subscriptions.payment_issue is 'A stable code: payment_failed or first_payment_incomplete; null when there is no issue.';
comment on column public.subscriptions.metered_item_id is 'The item billed by use (si_…); null when it has none.';
comment on column public.subscriptions.started_at is 'Stripe''s start_date.';

create table public.invoices (
  id                 text primary key,
  community_id       text not null constraint invoices_community_fkey references public.communities (id),
  subscription_id    text,
  number             text,
  status             text not null,
  amount_due_cents   bigint not null,
  amount_paid_cents  bigint not null,
  currency           text not null,
  hosted_invoice_url text,
  invoice_pdf        text,
  issued_at          timestamptz not null,
  paid_at            timestamptz,
  created_at         timestamptz not null default now(),
  updated_at         timestamptz not null default now()
);
alter table public.invoices enable row level security;

-- Billing info lists the newest invoices of one community.
create index invoices_community_id_issued_at on public.invoices (community_id, issued_at desc);

create trigger invoices_touch before update on public.invoices
  for each row execute function billing.touch_updated_at();

-- Amounts and payment links are for admins only.
create policy invoices_select_own_as_admin on public.invoices for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid') and ((select auth.jwt()) ->> 'adm') = 'true');

comment on table public.invoices is 'Stripe invoices of the communities, as last received. Admins read those of their own community.';
comment on column public.invoices.id is 'Stripe''s id (in_…).';
comment on column public.invoices.subscription_id is 'The subscription it bills (sub_…); null for a one-off invoice. Not a foreign key: the invoice may arrive before its subscription.';
comment on column public.invoices.number is 'The number printed on it; null while it is a draft.';
comment on column public.invoices.status is 'Stripe''s status: draft, open, paid, void, uncollectible.';
comment on column public.invoices.amount_due_cents is 'In the smallest unit of the currency.';
comment on column public.invoices.amount_paid_cents is 'In the smallest unit of the currency.';
comment on column public.invoices.currency is 'ISO 4217 code in lower case.';
comment on column public.invoices.hosted_invoice_url is 'Stripe''s page to see and pay it.';
comment on column public.invoices.invoice_pdf is 'The address of its PDF.';
comment on column public.invoices.issued_at is 'When Stripe created it.';
comment on column public.invoices.paid_at is 'Null while it is not paid.';

revoke all on public.subscriptions, public.invoices from anon, authenticated, service_role;
-- Stripe's ids of price and item are not granted: a browser has no use for them.
grant select (id, community_id, plan_id, status, current_period_start, current_period_end, trial_end, cancel_at,
              canceled_at, ended_at, past_due_since, payment_issue, started_at)
  on public.subscriptions to authenticated;
grant select on public.invoices to authenticated;
-- The operator's tools only read: a subscription is changed in Stripe.
grant select on public.subscriptions, public.invoices to service_role;
