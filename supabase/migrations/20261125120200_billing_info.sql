-- What the billing page shows, in one call. It runs with the caller's rights: row-level security decides what they see.
-- plpgsql, which keeps its query plans: with a pinned search_path, a function in language sql is planned anew at every call.

create function public.billing_info() returns jsonb
  language plpgsql stable security invoker set search_path = ''
as $$ begin
  return (
    with limits as (
      select l.plan_id, jsonb_agg(jsonb_build_object(
        'feature', l.feature, 'windowSeconds', l.window_seconds, 'period', l.period, 'quota', l.quota)
        order by l.feature, l.quota_window, l.period) as list
      from public.plan_limits l group by l.plan_id
    ), plan_list as (
      select p.id, p.is_active, p.rank, jsonb_build_object(
        'code', p.code, 'name', p.name, 'priceCents', p.price_cents, 'currency', p.currency,
        'billingInterval', p.billing_interval, 'limits', coalesce(l.list, '[]')) as plan
      from public.plans p left join limits l on l.plan_id = p.id
    )
    select jsonb_build_object(
      'community', jsonb_build_object('id', c.id, 'title', c.title, 'hasBillingAccount', c.has_billing_account),
      'plan', (select plan - 'limits' from plan_list where id = f.plan_id),
      'limits', (select plan -> 'limits' from plan_list where id = f.plan_id),
      'usage', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'feature', u.feature, 'windowSeconds', u.window_seconds, 'period', u.period, 'used', u.used,
          'quota', u.quota, 'resetsAt', u.resets_at, 'daily', (
            select coalesce(jsonb_agg(coalesce(k.quantity, 0) order by day), '[]')
            from generate_series(0, case when u.window_seconds > 0 then 29 else -1 end) as days_ago
            cross join lateral (select date_trunc('day', now(), 'UTC') - make_interval(hours => 24 * days_ago) as day) d
            left join lateral (
              select sum(k.quantity) as quantity from public.usage_counters k
              where k.community_id = c.id and k.feature = u.feature and k.resolution = interval '6 hours'
                and k.starts_at >= day and k.starts_at < day + interval '24 hours') k on true))
          order by u.feature, u.window_seconds, u.period), '[]')
        from public.usage_overview u where u.community_id = c.id),
      'plans', (select coalesce(jsonb_agg(plan order by rank), '[]') from plan_list where is_active),
      'subscription', (
        select jsonb_build_object(
          'status', s.status, 'planCode', p.code, 'currentPeriodEnd', s.current_period_end, 'cancelAt', s.cancel_at,
          'trialEnd', s.trial_end, 'paymentIssue', s.payment_issue, 'pastDueSince', s.past_due_since,
          'graceEndsAt', case when s.status = 'past_due' then nullif(s.gives_plan_until, 'infinity') end,
          'amount', s.amount, 'unitAmount', s.unit_amount, 'quantity', s.quantity, 'currency', s.currency,
          'interval', s.billing_interval, 'intervalCount', s.interval_count,
          'discounts', (
            select coalesce(jsonb_agg(jsonb_build_object(
              'name', d ->> 'name', 'percentOff', d -> 'percent_off', 'amountOff', d -> 'amount_off',
              'currency', d ->> 'currency', 'endsAt', d ->> 'ends_at')), '[]')
            from jsonb_array_elements(s.discounts) as d
            where coalesce((d ->> 'ends_at')::timestamptz > now(), true)),
          'pausedCollection', case
            when s.pause_collection is not null
              and coalesce((s.pause_collection ->> 'resumes_at')::timestamptz > now(), true) then
            jsonb_build_object('resumesAt', s.pause_collection ->> 'resumes_at') end,
          'scheduledChange', case when s.next_change_at > now() then jsonb_build_object(
            'at', s.next_change_at,
            'planCode', (select n.code from public.plans n where n.id = s.next_plan_id),
            'planName', (select n.name from public.plans n where n.id = s.next_plan_id)) end)
        from public.subscriptions s join public.plans p on p.id = coalesce(s.plan_id, s.former_plan_id)
        where s.community_id = c.id
        -- What gives the plan, then what goes on, then the higher plan, then the newer subscription.
        order by (s.gives_plan_until > now()) desc nulls last,
          (s.ended_at is null and s.status not in ('incomplete', 'incomplete_expired')) desc,
          p.rank desc, s.started_at desc
        limit 1),
      'invoices', (
        select coalesce(jsonb_agg(jsonb_build_object(
          'number', i.number, 'status', i.status, 'amountDueCents', i.amount_due_cents,
          'amountPaidCents', i.amount_paid_cents, 'currency', i.currency, 'createdAt', i.issued_at,
          'hostedInvoiceUrl', i.hosted_invoice_url, 'invoicePdf', i.invoice_pdf) order by i.issued_at desc), '[]')
        from (
          select v.number, v.status, v.amount_due_cents, v.amount_paid_cents, v.currency, v.issued_at,
            v.hosted_invoice_url, v.invoice_pdf
          from public.invoices v where v.community_id = c.id and v.status not in ('draft', 'deleted')
          order by v.issued_at desc limit 24) i))
    from public.communities c
    cross join lateral public.plan_in_force(c.id, c.current_plan_id, c.plan_until) f
    where c.id = ((select auth.jwt()) ->> 'cid'));
end $$;
comment on function public.billing_info() is 'Plan, limits, usage, plans on offer, subscription and invoices of the caller''s community; null when it is unknown.';

-- Both settings end with the transaction. Called outside of one, that is with the statement.
create function billing.billing_info_as(p_claims jsonb) returns jsonb
  language plpgsql volatile security invoker set search_path = ''
as $$ begin
  perform set_config('request.jwt.claims', p_claims::text, true), set_config('role', 'authenticated', true);
  return public.billing_info();
end $$;
comment on function billing.billing_info_as(jsonb) is 'Billing info as the person with these claims of a session token sees it: role authenticated, so row-level security decides.';

revoke execute on function public.billing_info(), billing.billing_info_as(jsonb)
  from public, anon, authenticated, service_role;
grant execute on function public.billing_info() to authenticated;
grant execute on function billing.billing_info_as(jsonb) to billing_service;
