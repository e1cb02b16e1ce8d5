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
-- customers that the community has had, customer_attempt the idempotency keys that were spent on its next one. A live
-- subscription is one that sells or sold a plan: what else the customer subscribes to is no business of a checkout, nor does it use
-- up the trial, which is for a community's first subscription only.
create function billing.checkout_context(p_community_id text, p_plan_code text default null) returns jsonb
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select jsonb_build_object(
      'community', jsonb_build_object(
        'id', c.id, 'title', c.title, 'stripe_customer_id', c.stripe_customer_id,
        'customer_generation', (select count(*) from billing.customers k where k.community_id = c.id),
        'customer_attempt', coalesce(
          (select a.attempt from billing.customer_attempts a where a.community_id = c.id), 1)),
      'plan', (
        select jsonb_build_object(
          'code', p.code, 'stripe_price_id', p.stripe_price_id,
          'metered_price_ids', (
            select coalesce(jsonb_agg(m.stripe_price_id order by m.feature), '[]')
            from billing.metered_prices m join public.features f on f.code = m.feature
            where f.is_metered and m.currency = p.currency and m.billing_interval = p.billing_interval),
          'trial_days', case
            when exists (
              select from public.subscriptions s
              where s.community_id = c.id and (s.plan_id is not null or s.former_plan_id is not null)) then 0
            else p.trial_days end)
        from public.plans p where p.code = p_plan_code and p.is_active),
      'live_subscription', (
        select jsonb_build_object('id', s.id)
        from public.subscriptions s
        where s.community_id = c.id and billing.is_live(s.status)
          and (s.plan_id is not null or s.former_plan_id is not null)
        order by s.started_at desc limit 1),
      'has_refusals', exists (
        select from billing.anomalies a
        where a.resolved_at is null and a.kind in ('stripe_refused', 'price_archived')))
    from public.communities c where c.id = p_community_id);
end $$;
comment on function billing.checkout_context(text, text) is 'Everything that a checkout or a visit to the portal needs to know beforehand: community, Stripe customer, live subscription, what the plan sells, and whether Stripe refused something before.';

-- For the subscriptions that Stripe lists before a checkout: the webhook of one may not have arrived yet.
create function billing.sells_plan(p_price_ids text[]) returns boolean
  language plpgsql stable security definer set search_path = ''
as $$
begin
  return exists (select from billing.plan_prices where stripe_price_id = any (p_price_ids))
    or exists (select from public.plans where stripe_price_id = any (p_price_ids));
end $$;
comment on function billing.sells_plan(text[]) is 'Whether a plan is or was ever sold at one of these Stripe prices.';

-- p_spent: the attempt whose idempotency key can get no other answer than the error that Stripe keeps for it. Simultaneous
-- callers that found the same attempt spent get the same next one, and so the same customer.
create function billing.next_customer_attempt(p_community_id text, p_spent bigint) returns bigint
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_attempt bigint;
begin
  insert into billing.customer_attempts as known (community_id, attempt) values (p_community_id, p_spent + 1)
  on conflict (community_id) do update set attempt = greatest(known.attempt, excluded.attempt)
  returning attempt into v_attempt;
  return v_attempt;
end $$;
comment on function billing.next_customer_attempt(text, bigint) is 'The attempt at creating a customer that follows a spent one.';

-- Clicks for the same purchase within a minute share one attempt, and so one Stripe session; any other click begins the
-- next attempt. So does a click that found this one spent:
--   p_spent_session  its session turned out to be paid, expired or gone
--   p_spent_attempt  Stripe keeps an error for its idempotency key
--
-- Returns {attempt, session_id, started_at}. No other attempt of the community, before or after, has both its number and
-- its time, also when the database was made anew.
create function billing.begin_checkout(
  p_community_id text, p_fingerprint text, p_spent_session text default null, p_spent_attempt bigint default null)
  returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_attempt billing.checkout_attempts;
begin
  insert into billing.checkout_attempts as known (community_id, attempt, fingerprint, started_at)
  values (p_community_id, 1, p_fingerprint, now())
  on conflict (community_id) do update set (attempt, fingerprint, started_at, session_id) = (
    select known.attempt + 1, p_fingerprint, now(), null
    where known.fingerprint <> p_fingerprint or known.started_at < now() - interval '1 minute'
      or known.session_id = p_spent_session or known.attempt = p_spent_attempt
    union all
    select known.attempt, known.fingerprint, known.started_at, known.session_id
    limit 1)
  returning * into v_attempt;
  return jsonb_build_object(
    'attempt', v_attempt.attempt,
    'session_id', v_attempt.session_id,
    'started_at', extract(epoch from v_attempt.started_at)::text);
end $$;
comment on function billing.begin_checkout(text, text, text, bigint) is 'Begins a checkout, or joins the one that was begun for the same purchase within the last minute.';

-- False when another attempt has begun meanwhile: the session must not stay open beside that one's.
create function billing.finish_checkout(p_community_id text, p_attempt bigint, p_session_id text) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  update billing.checkout_attempts set session_id = p_session_id
  where community_id = p_community_id and attempt = p_attempt and coalesce(session_id, p_session_id) = p_session_id;
  return found;
end $$;
comment on function billing.finish_checkout(text, bigint, text) is 'Stores the Stripe session of a checkout attempt.';

-- p_kind   stripe_refused or price_archived
-- p_asked  what Stripe was asked for: checkout or portal
-- p_prices what a checkout was for; a refusal that concerns a price is about the first
-- p_scope  whom it concerns: 'price', 'community' or 'account'
create function billing.report_refusal(
  p_kind text, p_asked text, p_code text, p_scope text, p_community_id text, p_prices text[], p_detail text)
  returns void
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform billing.report_anomaly(
    p_kind,
    case
      when p_kind = 'price_archived' then p_prices[1]
      when p_scope = 'price' then format('%s: %s: %s', p_asked, p_code, p_prices[1])
      when p_scope = 'community' then format('%s: %s: %s', p_asked, p_code, p_community_id)
      else format('%s: %s', p_asked, p_code) end,
    case when p_scope = 'community' then p_community_id end,
    p_detail);
end $$;
comment on function billing.report_refusal(text, text, text, text, text, text[], text) is 'Opens an anomaly for what Stripe refused, or counts it again.';

-- What concerns other communities or other prices stays open. A price or product that no plan sells any more concerns nobody.
-- The products that the set-up makes are called after their plans.
create function billing.resolve_refusals(p_asked text, p_community_id text, p_prices text[]) returns void
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  update billing.anomalies a set resolved_at = now()
  where a.resolved_at is null and a.kind = 'price_archived' and (
    a.object_id = any (p_prices)
    or not exists (
      select from public.plans p
      where p.is_active and a.object_id in (p.stripe_price_id, 'dues_' || p.code)
        and p.stripe_price_id <> all (p_prices))
      and not exists (select from billing.metered_prices m where m.stripe_price_id = a.object_id));

  update billing.anomalies a set resolved_at = now()
  where a.resolved_at is null and a.kind = 'stripe_refused' and starts_with(a.object_id, p_asked || ': ') and (
    a.community_id = p_community_id
    -- The third part is the community or the price; what concerns everybody has none.
    or (a.community_id is null and split_part(a.object_id, ': ', 3) = any (array_append(p_prices, ''))));
end $$;
comment on function billing.resolve_refusals(text, text, text[]) is 'Closes the anomalies of refusals, once Stripe does the same again for this community and these prices.';

revoke execute on function
  billing.open_session(text, text, timestamptz, text, text), billing.checkout_context(text, text),
  billing.sells_plan(text[]), billing.next_customer_attempt(text, bigint),
  billing.begin_checkout(text, text, text, bigint), billing.finish_checkout(text, bigint, text),
  billing.report_refusal(text, text, text, text, text, text[], text),
  billing.resolve_refusals(text, text, text[])
  from public, anon, authenticated, service_role;
grant execute on function
  billing.open_session(text, text, timestamptz, text, text), billing.checkout_context(text, text),
  billing.sells_plan(text[]), billing.next_customer_attempt(text, bigint),
  billing.begin_checkout(text, text, text, bigint), billing.finish_checkout(text, bigint, text),
  billing.report_refusal(text, text, text, text, text, text[], text),
  billing.resolve_refusals(text, text, text[])
  to billing_service;
