-- Which Stripe customer belongs to which community.

-- Besides keeping two events of one object apart, the lock closes the gap between "no community has this customer, park the
-- event" and "link this customer, apply what was parked".
create function billing.lock_customer(p_customer_id text) returns void
  language sql volatile security invoker set search_path = ''
as $$ select pg_advisory_xact_lock(hashtextextended('stripe_customer:' || p_customer_id, 0)) $$;
comment on function billing.lock_customer(text) is 'Locks this customer until the transaction ends.';

create function billing.apply_parked_events(p_community_id text, p_customer_id text) returns void
  language plpgsql volatile security invoker set search_path = ''
as $$
declare
  parked record;
  result record;
begin
  for parked in
    select id, change, created_at from billing.stripe_events
    where customer_id = p_customer_id and outcome = 'parked' order by created_at, id for update
  loop
    result := billing.apply_state(
      p_community_id, parked.change ->> 'kind', parked.change -> 'state', parked.id, parked.created_at, null);
    -- An event that cannot be ordered stays pending: the caller fetches the state next (billing.open_events).
    perform billing.set_event_outcome(
      parked.id, result.outcome, coalesce(result.reason, 'applied when the customer was linked'));
  end loop;
end $$;
comment on function billing.apply_parked_events(text, text) is 'Applies the events of a customer that arrived before it was linked.';

-- Returns the customer that the community has. That is another one than p_customer_id when the community had one already,
-- and null when p_customer_id was deleted or belongs to another community. Raises PT404 for an unknown community.
create function billing.link_customer(p_community_id text, p_customer_id text) returns text
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_current text;
begin
  perform billing.lock_customer(p_customer_id);

  select stripe_customer_id into v_current from public.communities where id = p_community_id for update;
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
  perform billing.apply_parked_events(p_community_id, p_customer_id);
  return p_customer_id;
end $$;
comment on function billing.link_customer(text, text) is 'Gives a community its Stripe customer, if it has none, and applies the parked events of that customer.';

-- The community keeps its subscriptions as Stripe reports them; the next checkout makes a new customer.
-- p_community_id: for a customer that was deleted before it was linked.
create function billing.forget_customer(p_customer_id text, p_community_id text default null) returns boolean
  language plpgsql volatile security definer set search_path = ''
as $$
begin
  perform billing.lock_customer(p_customer_id);
  insert into billing.customers as known (id, community_id, deleted_at)
  select p_customer_id, p_community_id, now() where p_community_id is not null
  on conflict (id) do nothing;
  update billing.customers set deleted_at = coalesce(deleted_at, now()) where id = p_customer_id;
  if not found then return false; end if;
  update public.communities set stripe_customer_id = null where stripe_customer_id = p_customer_id;
  return true;
end $$;
comment on function billing.forget_customer(text, text) is 'Unlinks a customer that was deleted in Stripe. False when no community had it.';

revoke execute on function
  billing.lock_customer(text), billing.apply_parked_events(text, text), billing.link_customer(text, text),
  billing.forget_customer(text, text)
  from public, anon, authenticated, service_role;
-- lock_customer grants nothing by itself; the webhook holds the customer with it while it fetches a state from Stripe.
grant execute on function
  billing.lock_customer(text), billing.link_customer(text, text), billing.forget_customer(text, text)
  to billing_service;
