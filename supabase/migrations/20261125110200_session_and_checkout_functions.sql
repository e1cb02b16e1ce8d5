-- What the plugin server calls when somebody signs in or goes to Stripe.

create function billing.open_session(
  p_issuer text, p_jti text, p_expires_at timestamptz, p_community_id text, p_title text) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  insert into billing.used_identity_tokens (issuer, jti, expires_at) values (p_issuer, p_jti, p_expires_at)
  on conflict do nothing;
  if not found then return false; end if;

  -- A few at a time, skipping what another session is deleting. The hour is more than any clock tolerance in checking exp.
  delete from billing.used_identity_tokens where (issuer, jti) in (
    select issuer, jti from billing.used_identity_tokens
    where expires_at < now() - interval '1 hour' order by expires_at limit 20 for update skip locked);

  insert into public.communities as known (id, title, current_plan_id)
  values (p_community_id, p_title, (select id from public.plans where is_default))
  on conflict (id) do update set title = excluded.title where known.title <> excluded.title;
  return true;
end $$;
comment on function billing.open_session(text, text, timestamptz, text, text) is 'Marks an identity token as used and makes sure that its community exists, with its present title. False when the token was used before.';

-- Null when there is no such community; plan is null when no active plan has that code. customer_generation counts the
-- customers that the community has had. A trial is for a community's first subscription only.
create function billing.checkout_context(p_community_id text, p_plan_code text default null) returns jsonb
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
      select jsonb_build_object('id', s.id)
      from public.subscriptions s
      where s.community_id = c.id and billing.is_live(s.status)
      order by s.started_at desc limit 1))
  from public.communities c where c.id = p_community_id
$$;
comment on function billing.checkout_context(text, text) is 'Everything that a checkout or a visit to the portal needs to know beforehand: community, Stripe customer, live subscription, and what the plan sells.';

-- Clicks for the same purchase within a minute share one attempt, and so one Stripe session; any other click begins the
-- next attempt. p_spent_session: a session that turned out to be paid or expired, which is not shared again.
--
-- Returns {attempt, session_id, key}. key is Stripe's idempotency key: the same for every click of the attempt, and never
-- used for another.
create function billing.begin_checkout(
  p_community_id text, p_fingerprint text, p_spent_session text default null) returns jsonb
  language sql volatile security definer set search_path = ''
as $$
  insert into billing.checkout_attempts as known (community_id, attempt, fingerprint, started_at)
  values (p_community_id, 1, p_fingerprint, now())
  on conflict (community_id) do update set (attempt, fingerprint, started_at, session_id) = (
    select known.attempt + 1, p_fingerprint, now(), null
    where known.fingerprint <> p_fingerprint or known.started_at < now() - interval '1 minute'
      or known.session_id = p_spent_session
    union all
    select known.attempt, known.fingerprint, known.started_at, known.session_id
    limit 1)
  returning jsonb_build_object(
    'attempt', attempt,
    'session_id', session_id,
    'key', format('checkout:%s:%s:%s', community_id, attempt, extract(epoch from started_at)))
$$;
comment on function billing.begin_checkout(text, text, text) is 'Begins a checkout, or joins the one that was begun for the same purchase within the last minute.';

create function billing.finish_checkout(p_community_id text, p_attempt bigint, p_session_id text) returns void
  language sql volatile security definer set search_path = ''
as $$
  update billing.checkout_attempts set session_id = p_session_id
  where community_id = p_community_id and attempt = p_attempt
$$;
comment on function billing.finish_checkout(text, bigint, text) is 'Stores the Stripe session of a checkout attempt.';

revoke execute on function
  billing.open_session(text, text, timestamptz, text, text), billing.checkout_context(text, text),
  billing.begin_checkout(text, text, text), billing.finish_checkout(text, bigint, text)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.open_session(text, text, timestamptz, text, text), billing.checkout_context(text, text),
  billing.begin_checkout(text, text, text), billing.finish_checkout(text, bigint, text)
  to billing_service;
