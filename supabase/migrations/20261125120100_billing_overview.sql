-- For the operator's dashboard. The views run with the caller's rights, so they cannot show anybody more than the tables
-- behind them do.

create view public.billing_overview with (security_invoker = true) as
  select c.id as community_id, c.title, p.code as plan, c.stripe_customer_id,
    s.id as subscription_id, s.status, s.quantity, s.unit_amount, s.amount, s.currency, s.billing_interval, s.interval_count,
    s.discounts, s.pause_collection, n.code as next_plan, s.next_change_at,
    s.current_period_end, s.cancel_at, s.past_due_since, s.payment_issue, s.gives_plan_until,
    (select count(*) from public.subscriptions o
      where o.community_id = c.id and o.plan_id is null and o.former_plan_id is null and o.ended_at is null)
      as other_subscriptions,
    (select count(*) from billing.anomalies a where a.community_id = c.id and a.resolved_at is null) as open_anomalies,
    (select jsonb_object_agg(paid.currency, paid.cents) from (
      select i.currency, sum(i.amount_paid_cents) as cents from public.invoices i
      where i.community_id = c.id and i.amount_paid_cents > 0 group by i.currency) paid) as paid_cents
  from public.communities c
  cross join lateral public.plan_in_force(c.id, c.current_plan_id, c.plan_until) f
  join public.plans p on p.id = f.plan_id
  left join lateral (
    select s.* from public.subscriptions s
    where s.community_id = c.id and (s.plan_id is not null or s.former_plan_id is not null)
    order by (s.gives_plan_id = f.plan_id) desc nulls last, (s.ended_at is null) desc, s.started_at desc limit 1) s on true
  left join public.plans n on n.id = s.next_plan_id;

comment on view public.billing_overview is 'For the operator: each community''s plan, subscription and open anomalies. Columns are as in communities and subscriptions where nothing else is said.';
comment on column public.billing_overview.community_id is 'The parent app''s id of the community.';
comment on column public.billing_overview.plan is 'The code of the plan in force.';
comment on column public.billing_overview.subscription_id is 'The subscription that gives the plan; without one its latest subscription to a plan.';
comment on column public.billing_overview.status is 'Stripe''s status of that subscription.';
comment on column public.billing_overview.unit_amount is 'What it pays for one unit of the plan, in the smallest unit of the currency, before discounts and tax.';
comment on column public.billing_overview.amount is 'What all its items of that interval cost together.';
comment on column public.billing_overview.next_plan is 'The code of the plan that its schedule changes to, at next_change_at.';
comment on column public.billing_overview.current_period_end is 'When it renews.';
comment on column public.billing_overview.gives_plan_until is 'When the plan ends if nothing changes; infinity when nothing ends it.';
comment on column public.billing_overview.other_subscriptions is 'How many subscriptions to something else than a plan its customers have: see subscription_items.';
comment on column public.billing_overview.open_anomalies is 'How many anomalies wait for a person: see open_anomalies.';
comment on column public.billing_overview.paid_cents is 'All that it has paid, by currency: {usd: 2900}, in the smallest unit of each; null when nothing.';

create view public.open_anomalies with (security_invoker = true) as
  select a.kind, a.object_id, a.community_id, c.title, a.detail, a.first_seen_at, a.last_seen_at, a.seen
  from billing.anomalies a left join public.communities c on c.id = a.community_id
  where a.resolved_at is null
  order by a.last_seen_at desc;

comment on view public.open_anomalies is 'For the operator: what waits for a person, the newest first, also what concerns no single community. Columns are as in billing.anomalies.';

revoke all on public.billing_overview, public.open_anomalies from anon, authenticated, service_role;
grant select on public.billing_overview, public.open_anomalies to service_role;
