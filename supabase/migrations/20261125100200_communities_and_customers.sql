-- The communities of the parent app, and their Stripe customers. A community is stored when one of its people opens the
-- plugin for the first time.

create table public.communities (
  id                  text primary key constraint communities_id_length check (length(id) between 1 and 128),
  title               text not null constraint communities_title_length check (length(title) between 1 and 200),
  current_plan_id     bigint not null constraint communities_current_plan_fkey references public.plans (id),
  plan_until          timestamptz not null default 'infinity',
  stripe_customer_id  text constraint communities_stripe_customer_id_key unique,
  has_billing_account boolean not null generated always as (stripe_customer_id is not null) stored,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now()
);
alter table public.communities enable row level security;

-- Answers "who is on this plan" in the dashboard, and serves the foreign key.
create index communities_current_plan_id on public.communities (current_plan_id);
-- billing.end_grace_periods looks up what has run out.
create index communities_plan_until on public.communities (plan_until) where plan_until < 'infinity';

create trigger communities_touch before update on public.communities
  for each row execute function billing.touch_updated_at();

create policy communities_select_own on public.communities for select to authenticated
  using (id = ((select auth.jwt()) ->> 'cid'));

comment on table public.communities is 'One row for each community of the parent app that has opened the plugin.';
comment on column public.communities.id is 'The parent app''s id of the community.';
comment on column public.communities.title is 'As the parent app last gave it.';
comment on column public.communities.current_plan_id is 'The plan in force until plan_until. Decided whenever one of its subscriptions changes; until then it stays what it is set to by hand.';
comment on column public.communities.plan_until is 'When current_plan_id runs out, which no event announces: see public.plan_in_force. infinity when nothing ends it.';
comment on column public.communities.stripe_customer_id is 'The one Stripe customer (cus_…) of this community; null until the first checkout.';
comment on column public.communities.has_billing_account is 'Tells a browser that there is a Stripe customer without giving its id.';

create table billing.customers (
  id            text primary key,
  community_id  text not null constraint customers_community_fkey references public.communities (id),
  linked_at     timestamptz not null default now(),
  deleted_at    timestamptz,
  confirmed_at  timestamptz not null default now(),
  missing_since timestamptz
);
alter table billing.customers enable row level security;

-- Serves the foreign key, and counts the customers that a community has had.
create index customers_community_id on billing.customers (community_id);
-- The reconciliation asks Stripe about those that were not confirmed for the longest time.
create index customers_confirmed_at on billing.customers (confirmed_at) where deleted_at is null and missing_since is null;

comment on table billing.customers is 'Every Stripe customer that a community has had. Events of a deleted customer still belong to its community.';
comment on column billing.customers.id is 'Stripe''s id (cus_…).';
comment on column billing.customers.linked_at is 'When it became the community''s customer.';
comment on column billing.customers.deleted_at is 'When its deletion in Stripe was noticed. The next checkout makes a new customer.';
comment on column billing.customers.confirmed_at is 'When Stripe last listed it, or answered that it exists.';
comment on column billing.customers.missing_since is 'When it was noticed that Stripe does not know it: it belongs to another account or mode. Null while Stripe knows it.';

revoke all on public.communities, billing.customers from public, anon, authenticated, service_role;
-- stripe_customer_id is not granted: has_billing_account is all that a browser needs.
grant select (id, title, current_plan_id, plan_until, has_billing_account, created_at) on public.communities to authenticated;
-- Plan and customer are derived from Stripe.
grant select, delete, insert (id, title, current_plan_id), update (title) on public.communities to service_role;
grant select on billing.customers to service_role;
