-- Which Stripe customer belongs to which community.

-- Besides keeping two events of one object apart, the lock closes the gap between "no community has this customer, park the
-- event" and "link this customer, settle what was parked". All locks of a call are taken at once and in one order.
create function billing.lock_customers(p_customer_ids text[]) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  v_key bigint;
begin
  for v_key in
    select distinct hashtextextended('stripe_customer:' || id, 0) as key from unnest(p_customer_ids) id order by key
  loop
    perform pg_advisory_xact_lock(v_key);
  end loop;
end $$;
comment on function billing.lock_customers(text[]) is 'Locks these customers until the transaction ends.';

-- Of events that came before, only the ids were kept; they are pending from now on (billing.claim_events_of).
-- Returns the customer that the community has. That is another one than p_customer_id when the community had one already,
-- and null when p_customer_id was deleted or belongs to another community. Raises PT404 for an unknown community.
create function billing.link_customer(p_community_id text, p_customer_id text) returns text
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_current text;
begin
  perform billing.lock_customers(array[p_customer_id]);

  select stripe_customer_id into v_current from public.communities where id = p_community_id for no key update;
  if not found then
    raise sqlstate 'PT404' using message = 'unknown community', detail = p_community_id;
  end if;
  if v_current is not null then return v_current; end if;
  if exists (
    select from billing.customers
    where id = p_customer_id and (deleted_at is not null or community_id <> p_community_id)) then
    return null;
  end if;

  insert into billing.customers (id, community_id) values (p_customer_id, p_community_id) on conflict do nothing;
  update public.communities set stripe_customer_id = p_customer_id where id = p_community_id;
  update billing.stripe_events l set outcome = 'pending', next_attempt_at = now(), processed_at = null,
    reason = 'its customer was linked: Stripe is asked for the object'
  where l.customer_id = p_customer_id and l.outcome = 'parked';
  perform billing.resolve_anomaly('customer_conflict', p_customer_id);
  return p_customer_id;
end $$;
comment on function billing.link_customer(text, text) is 'Gives a community its Stripe customer, if it has none, and opens the parked events of that customer.';

-- The community keeps its subscriptions as Stripe reports them; the next checkout makes a new customer.
-- p_community_id: for a customer that was deleted before it was linked.
create function billing.forget_customer(p_customer_id text, p_community_id text default null) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform billing.lock_customers(array[p_customer_id]);
  insert into billing.customers as known (id, community_id, deleted_at)
  select p_customer_id, p_community_id, now() where p_community_id is not null
  on conflict (id) do nothing;
  update billing.customers set deleted_at = coalesce(deleted_at, now()) where id = p_customer_id;
  if not found then return false; end if;
  update public.communities set stripe_customer_id = null where stripe_customer_id = p_customer_id;
  perform billing.resolve_anomaly('missing_in_stripe', p_customer_id);
  delete from billing.object_failures f where f.object_id = p_customer_id;
  return true;
end $$;
comment on function billing.forget_customer(text, text) is 'Unlinks a customer that Stripe does not have any more. False when no community had it.';

revoke execute on function
  billing.lock_customers(text[]), billing.link_customer(text, text), billing.forget_customer(text, text)
  from public, anon, authenticated, service_role;
grant execute on function
  billing.link_customer(text, text), billing.forget_customer(text, text)
  to billing_service;
