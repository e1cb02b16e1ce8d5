-- Whose a customer is, and that one is gone, Stripe says in one event each, and keeps events for thirty days. So the
-- reconciliation compares the customers themselves, too.

alter table billing.customers add column confirmed_at timestamptz not null default now();
comment on column billing.customers.confirmed_at is 'When Stripe last listed it.';

-- p_customers: [{id, community_id}], as Stripe lists them. Those we have count as confirmed. Returned are those that may be
-- a community's and that it does not have: it may have another one, which billing.link_customer then tells.
create function billing.compare_customers(p_customers jsonb) returns jsonb
  language plpgsql volatile security definer set search_path = ''
as $$
declare
  v_strangers jsonb;
begin
  with offered as (
    select o ->> 'id' as id, o ->> 'community_id' as community_id, place
    from jsonb_array_elements(p_customers) with ordinality as given(o, place)
  ), confirmed as (
    update billing.customers k set confirmed_at = now() from offered o where k.id = o.id
  ), found_again as (
    update billing.anomalies a set resolved_at = now() from offered o
    where a.kind = 'missing_in_stripe' and a.object_id = o.id and a.resolved_at is null
  )
  select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'community_id', o.community_id) order by o.place), '[]')
  into v_strangers
  from offered o
  join public.communities c on c.id = o.community_id
  left join billing.customers k on k.id = o.id
  where c.stripe_customer_id is distinct from o.id
    and (k.id is null or k.community_id = c.id and k.deleted_at is null);
  return v_strangers;
end $$;
comment on function billing.compare_customers(jsonb) is 'Compares customers as Stripe lists them with those that are linked: confirms these, and returns those that may have to be.';

create function billing.unconfirmed_customers(p_since timestamptz) returns jsonb
  language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'community_id', c.id)), '[]')
  from public.communities c join billing.customers k on k.id = c.stripe_customer_id
  where k.confirmed_at < p_since
$$;
comment on function billing.unconfirmed_customers(timestamptz) is 'Linked customers that Stripe has not listed since then.';

revoke execute on function billing.compare_customers(jsonb), billing.unconfirmed_customers(timestamptz)
  from public, anon, authenticated, service_role;
grant execute on function billing.compare_customers(jsonb), billing.unconfirmed_customers(timestamptz) to billing_service;
