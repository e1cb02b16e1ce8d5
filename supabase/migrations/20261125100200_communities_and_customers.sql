-- A community of the parent app. It appears here the first time somebody of it opens the plugin.

create table public.communities (
  id                  text primary key constraint communities_id_length check (length(id) between 1 and 128),
  title               text not null constraint communities_title_length check (length(title) between 1 and 200),
  current_plan_id     bigint not null constraint communities_current_plan_fkey references public.plans (id),
  stripe_customer_id  text constraint communities_stripe_customer_id_key unique,
  has_billing_account boolean not null generated always as (stripe_customer_id is not null) stored,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now()
);
alter table public.communities enable row level security;

-- Answers "who is on this plan" in the dashboard, and serves the foreign key.
create index communities_current_plan_id on public.communities (current_plan_id);

create trigger communities_touch before update on public.communities
  for each row execute function billing.touch_updated_at();

create policy communities_select_own on public.communities for select to authenticated
  using (id = ((select auth.jwt()) ->> 'cid'));

revoke all on public.communities from anon, authenticated, service_role;
-- stripe_customer_id is not granted: has_billing_account says all a browser needs to know.
grant select (id, title, current_plan_id, has_billing_account, created_at)
  on public.communities to authenticated;
grant select, insert, update, delete on public.communities to service_role;

comment on table public.communities is 'One row for each community of the parent app that has opened the plugin.';
comment on column public.communities.id is 'The parent app''s id of the community.';
comment on column public.communities.title is 'The community''s name, as the parent app last said it.';
comment on column public.communities.current_plan_id is 'The plan in force. Derived from the subscriptions whenever one changes; not for editing.';
comment on column public.communities.stripe_customer_id is 'The one Stripe customer (cus_…) of this community; null until the first checkout.';
comment on column public.communities.has_billing_account is 'Whether there is a Stripe customer, without saying which.';
comment on column public.communities.created_at is 'When the community first opened the plugin.';
comment on column public.communities.updated_at is 'When the row last changed.';
