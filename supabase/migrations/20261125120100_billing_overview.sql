-- For the operator's dashboard: one row for each community. It runs with the caller's rights, so it cannot show anybody
-- more than the tables behind it do.

create view public.billing_overview with (security_invoker = true) as
  select c.id as community_id, c.title, p.code as plan, c.stripe_customer_id,
    s.id as subscription_id, s.status, s.current_period_end, s.cancel_at, s.past_due_since, s.payment_issue,
    (select count(*) from billing.anomalies a where a.community_id = c.id and a.resolved_at is null) as open_anomalies,
    (select coalesce(sum(i.amount_paid_cents), 0) from public.invoices i where i.community_id = c.id) as paid_cents
  from public.communities c
  join public.plans p on p.id = c.current_plan_id
  left join lateral (
    select * from public.subscriptions s where s.community_id = c.id
    order by (s.ended_at is null) desc, s.started_at desc limit 1) s on true;

comment on view public.billing_overview is 'For the operator: each community''s plan, subscription and open anomalies. Columns are as in communities and subscriptions where nothing else is said.';
comment on column public.billing_overview.community_id is 'The parent app''s id of the community.';
comment on column public.billing_overview.plan is 'The code of the plan in force.';
comment on column public.billing_overview.subscription_id is 'Its latest subscription; one that has not ended comes first.';
comment on column public.billing_overview.status is 'Stripe''s status of that subscription.';
comment on column public.billing_overview.current_period_end is 'When it renews.';
comment on column public.billing_overview.open_anomalies is 'How many anomalies wait for a person.';
comment on column public.billing_overview.paid_cents is 'All that it has paid, in the smallest unit of the currency.';

revoke all on public.billing_overview from anon, authenticated, service_role;
grant select on public.billing_overview to service_role;
