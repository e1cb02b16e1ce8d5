-- Stripe's subscriptions and invoices. One row holds all that is known of one object: what Stripe said last, what follows
-- from it for the plan, and how recent it is. Only the functions of schema billing write here.

-- Null when an item has no price for one unit (tiers).
create function billing.recurring_amount(p_items jsonb, p_interval text, p_interval_count integer) returns numeric
  language plpgsql immutable security invoker set search_path = ''
as $$ begin
  return (
    select case when bool_and(i.unit_amount is not null) then sum(i.unit_amount * coalesce(i.quantity, 1)) end
    from jsonb_to_recordset(p_items) as i(
      unit_amount numeric, quantity bigint, interval text, interval_count integer, usage_type text)
    where i.interval = p_interval and i.interval_count = p_interval_count and i.usage_type is distinct from 'metered');
end $$;
comment on function billing.recurring_amount(jsonb, text, integer) is 'What the items of a subscription cost that are charged at this interval, without what is billed by use.';

create table public.subscriptions (
  id                    text primary key,
  community_id          text not null constraint subscriptions_community_fkey references public.communities (id),
  customer_id           text not null,
  -- As Stripe has it.
  status                text not null,
  items                 jsonb not null default '[]',
  price_ids             text[] not null default '{}',
  currency              text,
  current_period_start  timestamptz,
  current_period_end    timestamptz,
  trial_start           timestamptz,
  trial_end             timestamptz,
  cancel_at             timestamptz,
  canceled_at           timestamptz,
  ended_at              timestamptz,
  cancellation_reason   text,
  cancellation_feedback text,
  cancellation_comment  text,
  collection_method     text,
  pause_collection      jsonb,
  schedule              jsonb,
  pending_update        jsonb,
  discounts             jsonb not null default '[]',
  latest_invoice_id     text,
  started_at            timestamptz not null,
  -- What follows from it.
  plan_id               bigint constraint subscriptions_plan_fkey references public.plans (id),
  stripe_price_id       text,
  quantity              bigint,
  unit_amount           numeric,
  billing_interval      text,
  interval_count        integer,
  amount                numeric generated always as (billing.recurring_amount(items, billing_interval, interval_count)) stored,
  next_plan_id          bigint constraint subscriptions_next_plan_fkey references public.plans (id),
  next_change_at        timestamptz,
  former_plan_id        bigint constraint subscriptions_former_plan_fkey references public.plans (id),
  plan_unknown_since    timestamptz,
  not_past_due_at       timestamptz,
  past_due_since        timestamptz,
  payment_issue         text generated always as (case
                          when status in ('past_due', 'unpaid') then 'payment_failed'
                          when status = 'incomplete' then 'first_payment_incomplete' end) stored,
  gives_plan_id         bigint constraint subscriptions_gives_plan_fkey references public.plans (id),
  gives_plan_until      timestamptz,
  -- How recent it is.
  state_hash            text,
  as_of                 timestamptz not null default '-infinity',
  fetched_at            timestamptz,
  confirmed_at          timestamptz not null default now(),
  missing_since         timestamptz,
  version               bigint not null default 1,
  created_at            timestamptz not null default now(),
  updated_at            timestamptz not null default now(),
  constraint subscriptions_past_due_has_start check ((status = 'past_due') = (past_due_since is not null)),
  constraint subscriptions_former_plan_has_start check ((former_plan_id is null) = (plan_unknown_since is null)),
  constraint subscriptions_gives_plan_has_end check ((gives_plan_id is null) = (gives_plan_until is null))
);
alter table public.subscriptions enable row level security;

-- The plan in force and billing info ask for the subscriptions of one community.
create index subscriptions_community_id on public.subscriptions (community_id);
-- Serves the foreign key, and "who subscribes to this plan".
create index subscriptions_plan_id on public.subscriptions (plan_id);
-- Serve foreign keys. Few subscriptions have these.
create index subscriptions_former_plan_id on public.subscriptions (former_plan_id) where former_plan_id is not null;
create index subscriptions_next_plan_id on public.subscriptions (next_plan_id) where next_plan_id is not null;
-- Serves the foreign key, and billing.follow_plan_terms.
create index subscriptions_gives_plan_id on public.subscriptions (gives_plan_id);
-- A price that becomes known to a plan, or another plan's, changes what these sell (billing.follow_plan_price).
create index subscriptions_scheduled on public.subscriptions (id) where schedule is not null;
create index subscriptions_price_ids on public.subscriptions using gin (price_ids);
-- The reconciliation asks Stripe about those that were not confirmed for the longest time.
create index subscriptions_confirmed_at on public.subscriptions (confirmed_at) where ended_at is null and missing_since is null;

-- Of subscriptions to something else than a plan, which the same customer may have, only the operator sees.
create policy subscriptions_select_own on public.subscriptions for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid') and (plan_id is not null or former_plan_id is not null));

comment on table public.subscriptions is 'Stripe subscriptions of the communities, as Stripe last said, with what follows for the plan. Change them in Stripe, not here. Those that sell something else than a plan are stored too; they have no influence on the plan.';
comment on column public.subscriptions.id is 'Stripe''s id (sub_…).';
comment on column public.subscriptions.customer_id is 'Stripe''s id of the customer (cus_…).';
comment on column public.subscriptions.status is 'Stripe''s status: trialing, active, past_due, unpaid, paused, incomplete, incomplete_expired, canceled.';
comment on column public.subscriptions.items is 'Every item: [{id, price_id, product_id, quantity, unit_amount, currency, interval, interval_count, usage_type, current_period_start, current_period_end}]. unit_amount is in the smallest unit of the currency and may have decimals; null for tiered prices. quantity is null for metered ones.';
comment on column public.subscriptions.price_ids is 'The prices of the items (price_…).';
comment on column public.subscriptions.currency is 'ISO 4217 code in lower case.';
comment on column public.subscriptions.current_period_start is 'Start of the paid period.';
comment on column public.subscriptions.current_period_end is 'End of the paid period, when it renews. Of items with different periods the earliest end.';
comment on column public.subscriptions.trial_start is 'Null without a trial.';
comment on column public.subscriptions.trial_end is 'Null without a trial.';
comment on column public.subscriptions.cancel_at is 'When it will end, if a cancellation is scheduled in one of Stripe''s ways: cancel_at, cancel_at_period_end, or a schedule that ends it.';
comment on column public.subscriptions.canceled_at is 'When the cancellation was requested.';
comment on column public.subscriptions.ended_at is 'Null while it has not ended for good.';
comment on column public.subscriptions.cancellation_reason is 'Stripe''s reason: cancellation_requested, payment_disputed, payment_failed.';
comment on column public.subscriptions.cancellation_feedback is 'What the customer chose as the reason.';
comment on column public.subscriptions.cancellation_comment is 'What the customer wrote about it.';
comment on column public.subscriptions.collection_method is 'charge_automatically or send_invoice.';
comment on column public.subscriptions.pause_collection is '{behavior, resumes_at} while payments are not collected; null otherwise. The status stays active, and the plan stays too.';
comment on column public.subscriptions.schedule is 'What its schedule changes next: {id, next_phase: {starts_at, items: [{price_id, quantity}]}}; next_phase is null when nothing follows. Null without a schedule.';
comment on column public.subscriptions.pending_update is 'A change that waits for its payment: {expires_at, items: [{price_id, quantity}]}; null without one.';
comment on column public.subscriptions.discounts is '[{name, percent_off, amount_off, currency, ends_at}], of the subscription itself. ends_at is null for one without an end.';
comment on column public.subscriptions.latest_invoice_id is 'Stripe''s id of its latest invoice (in_…).';
comment on column public.subscriptions.started_at is 'Stripe''s start_date.';
comment on column public.subscriptions.plan_id is 'The plan that it sells: of all its items'' prices the plan of highest rank. Null when no plan has one of them.';
comment on column public.subscriptions.stripe_price_id is 'The price that sells the plan (price_…); null without a plan.';
comment on column public.subscriptions.quantity is 'Of the plan''s item, or of the first licensed one without a plan.';
comment on column public.subscriptions.unit_amount is 'Of the same item: its price for one unit, in the smallest unit of the currency. It may have decimals. Null for tiered prices.';
comment on column public.subscriptions.billing_interval is 'Of the same item: day, week, month or year.';
comment on column public.subscriptions.interval_count is 'Of the same item: how many intervals are between two renewals.';
comment on column public.subscriptions.amount is 'What all its items of that interval cost together, before discounts and tax, in the smallest unit of the currency. It may have decimals. Null when one has tiered prices.';
comment on column public.subscriptions.next_plan_id is 'The plan that its schedule changes to next; null when the next phase sells none, and without a schedule.';
comment on column public.subscriptions.next_change_at is 'When the next phase of its schedule begins; null when nothing follows.';
comment on column public.subscriptions.former_plan_id is 'The plan that it sold before it got prices that no plan knows; null while a plan is known, and when it never sold one.';
comment on column public.subscriptions.plan_unknown_since is 'Since when no plan knows its prices. The grace period of former_plan_id starts here.';
comment on column public.subscriptions.not_past_due_at is 'When it was last known to have another status than past_due: what failed before that is over.';
comment on column public.subscriptions.past_due_since is 'When the payment first failed; the grace period starts here. Null unless past_due.';
comment on column public.subscriptions.payment_issue is 'A stable code: payment_failed or first_payment_incomplete; null when there is no issue.';
comment on column public.subscriptions.gives_plan_id is 'The plan that it gives its community (billing.subscription_gives); null when it gives none.';
comment on column public.subscriptions.gives_plan_until is 'Until when it gives that; infinity when nothing ends it.';
comment on column public.subscriptions.state_hash is 'A hash of what was read from Stripe. Null after a change by hand: the reconciliation then asks Stripe.';
comment on column public.subscriptions.as_of is 'The created time of the newest event that brought or confirmed this state; -infinity when none did.';
comment on column public.subscriptions.fetched_at is 'Set when the state was fetched and not delivered: Stripe''s clock at that moment.';
comment on column public.subscriptions.confirmed_at is 'When Stripe last confirmed this state, by an event, an answer or a list.';
comment on column public.subscriptions.missing_since is 'When it was noticed that Stripe does not know it. It keeps its plan for the grace period.';
comment on column public.subscriptions.version is 'Counts up with every change. An answer of Stripe''s is stored only if the version is still the one before the question.';

create table public.invoices (
  id                   text primary key,
  community_id         text not null constraint invoices_community_fkey references public.communities (id),
  customer_id          text not null,
  -- As Stripe has it.
  subscription_id      text,
  number               text,
  status               text not null,
  billing_reason       text,
  currency             text not null,
  subtotal_cents       bigint not null default 0,
  discount_cents       bigint not null default 0,
  tax_cents            bigint not null default 0,
  total_cents          bigint not null default 0,
  amount_due_cents     bigint not null,
  amount_paid_cents    bigint not null,
  hosted_invoice_url   text,
  invoice_pdf          text,
  issued_at            timestamptz not null,
  paid_at              timestamptz,
  price_ids            text[] not null default '{}',
  -- What follows from it.
  plan_id              bigint constraint invoices_plan_fkey references public.plans (id),
  -- How recent it is.
  state_hash           text,
  as_of                timestamptz not null default '-infinity',
  fetched_at           timestamptz,
  confirmed_at         timestamptz not null default now(),
  missing_since        timestamptz,
  version              bigint not null default 1,
  created_at           timestamptz not null default now(),
  updated_at           timestamptz not null default now()
);
alter table public.invoices enable row level security;

-- Billing info lists the newest invoices of one community.
create index invoices_community_id_issued_at on public.invoices (community_id, issued_at desc);
-- Which plan of a subscription was paid last (billing.paid_plan).
create index invoices_subscription_paid on public.invoices (subscription_id, issued_at desc)
  where status = 'paid' and plan_id is not null;
-- Serves the foreign key.
create index invoices_plan_id on public.invoices (plan_id);
-- A price that becomes known to a plan changes what was paid for (billing.follow_plan_price).
create index invoices_price_ids on public.invoices using gin (price_ids);
-- The reconciliation asks Stripe about open ones that were not confirmed for the longest time.
create index invoices_confirmed_at on public.invoices (confirmed_at) where status in ('draft', 'open') and missing_since is null;

-- Amounts and payment links are for admins only.
create policy invoices_select_own_as_admin on public.invoices for select to authenticated
  using (community_id = ((select auth.jwt()) ->> 'cid') and ((select auth.jwt()) ->> 'adm') = 'true');

comment on table public.invoices is 'Stripe invoices of the communities, as Stripe last said. Admins read those of their own community.';
comment on column public.invoices.id is 'Stripe''s id (in_…).';
comment on column public.invoices.customer_id is 'Stripe''s id of the customer (cus_…).';
comment on column public.invoices.subscription_id is 'The subscription it bills (sub_…); null for a one-off invoice. Not a foreign key: the invoice may arrive before its subscription.';
comment on column public.invoices.number is 'The number printed on it; null while it is a draft.';
comment on column public.invoices.status is 'Stripe''s status: draft, open, paid, void, uncollectible. And deleted: a draft that was deleted, kept so that a late event does not bring it back.';
comment on column public.invoices.billing_reason is 'Stripe''s reason, such as subscription_create, subscription_cycle, subscription_update, manual.';
comment on column public.invoices.currency is 'ISO 4217 code in lower case.';
comment on column public.invoices.subtotal_cents is 'Before discounts and tax, in the smallest unit of the currency, as all amounts here.';
comment on column public.invoices.discount_cents is 'The sum of all discounts.';
comment on column public.invoices.tax_cents is 'The sum of all taxes.';
comment on column public.invoices.total_cents is 'After discounts and tax. Negative for a credit.';
comment on column public.invoices.amount_due_cents is 'What has to be paid in all, after the customer''s balance.';
comment on column public.invoices.amount_paid_cents is 'What was paid.';
comment on column public.invoices.hosted_invoice_url is 'Stripe''s page to see and pay it.';
comment on column public.invoices.invoice_pdf is 'The address of its PDF.';
comment on column public.invoices.issued_at is 'When Stripe created it.';
comment on column public.invoices.paid_at is 'Null while it is not paid.';
comment on column public.invoices.price_ids is 'The prices of the lines that are not credits (price_…).';
comment on column public.invoices.plan_id is 'The plan that it bills: of its lines'' prices the plan of highest rank. Null when no plan has one of them.';
comment on column public.invoices.state_hash is 'A hash of what was read from Stripe, without the addresses. Null after a change by hand: the reconciliation then asks Stripe.';
comment on column public.invoices.as_of is 'As in subscriptions.';
comment on column public.invoices.fetched_at is 'As in subscriptions.';
comment on column public.invoices.confirmed_at is 'As in subscriptions.';
comment on column public.invoices.missing_since is 'When it was noticed that Stripe does not know it.';
comment on column public.invoices.version is 'As in subscriptions.';

-- Every write of the functions counts the version up, except a confirmation. Anything else is a change by hand.
create function billing.note_change_by_hand() returns trigger
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  new.state_hash := null;
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end $$;
comment on function billing.note_change_by_hand() is 'Notes that a row is no longer what Stripe said, so that the reconciliation asks Stripe.';
create trigger subscriptions_note_change_by_hand before update on public.subscriptions
  for each row when (new.version = old.version and new.confirmed_at = old.confirmed_at)
  execute function billing.note_change_by_hand();
create trigger invoices_note_change_by_hand before update on public.invoices
  for each row when (new.version = old.version and new.confirmed_at = old.confirmed_at)
  execute function billing.note_change_by_hand();

create view public.subscription_items with (security_invoker = true) as
  select s.id as subscription_id, s.community_id, s.status, i.*, p.code as plan
  from public.subscriptions s
  cross join lateral jsonb_to_recordset(s.items) as i(
    id text, price_id text, product_id text, quantity bigint, unit_amount numeric, currency text, interval text,
    interval_count integer, usage_type text, current_period_start timestamptz, current_period_end timestamptz)
  left join billing.plan_prices pp on pp.stripe_price_id = i.price_id
  left join public.plans p on p.id = pp.plan_id;
comment on view public.subscription_items is 'For the operator: one row for each item of each subscription, also of those that sell no plan.';
comment on column public.subscription_items.plan is 'The plan that its price sells; null for anything else.';

revoke all on public.subscriptions, public.invoices, public.subscription_items from anon, authenticated, service_role;
revoke execute on function billing.note_change_by_hand(), billing.recurring_amount(jsonb, text, integer)
  from public, anon, authenticated, service_role;
-- Stripe's ids, and columns that contain them, are not granted: a browser has no use for them.
grant select (id, community_id, plan_id, status, quantity, unit_amount, currency, billing_interval, interval_count, amount,
              current_period_start, current_period_end, trial_start, trial_end, cancel_at, canceled_at, ended_at,
              cancellation_reason, collection_method, pause_collection, discounts, next_plan_id, next_change_at,
              former_plan_id, plan_unknown_since, past_due_since, payment_issue, gives_plan_id, gives_plan_until, started_at)
  on public.subscriptions to authenticated;
grant select (id, community_id, subscription_id, number, status, billing_reason, currency, subtotal_cents, discount_cents,
              tax_cents, total_cents, amount_due_cents, amount_paid_cents, hosted_invoice_url, invoice_pdf, issued_at,
              paid_at, plan_id)
  on public.invoices to authenticated;
-- The operator's tools only read: a subscription is changed in Stripe.
grant select on public.subscriptions, public.invoices, public.subscription_items to service_role;
