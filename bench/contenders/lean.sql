-- The least that a webhook of this kind can do and be right: the event is logged once, the subscription follows the newest
-- event, and its community gets the plan of its price. One function, one transaction.

create table plans (
  id       integer generated always as identity primary key,
  code     text not null unique,
  price_id text not null unique
);
insert into plans (code, price_id) values ('basic', 'price_basic'), ('pro', 'price_pro');

create table communities (
  id              text primary key,
  customer_id     text not null unique,
  current_plan_id integer not null references plans (id)
);

create table events (
  id         text primary key,
  type       text not null,
  created_at timestamptz not null,
  outcome    text not null,
  logged_at  timestamptz not null default now()
);

create table subscriptions (
  id                 text primary key,
  customer_id        text not null,
  price_id           text not null,
  status             text not null,
  current_period_end timestamptz not null,
  as_of              timestamptz not null
);

create function apply_event(
  p_id text, p_type text, p_created bigint, p_subscription text, p_customer text, p_price text, p_status text,
  p_period_end bigint) returns text
  language plpgsql
as $$
declare
  v_outcome text := 'applied';
begin
  insert into events (id, type, created_at, outcome) values (p_id, p_type, to_timestamp(p_created), 'applied')
  on conflict (id) do nothing;
  if not found then return 'duplicate'; end if;

  insert into subscriptions as known values (
    p_subscription, p_customer, p_price, p_status, to_timestamp(p_period_end), to_timestamp(p_created))
  on conflict (id) do update set
    price_id = excluded.price_id, status = excluded.status, current_period_end = excluded.current_period_end,
    as_of = excluded.as_of
  where known.as_of < excluded.as_of;
  if not found then
    v_outcome := 'stale';
  else
    update communities c set current_plan_id = p.id from plans p
    where c.customer_id = p_customer and p.price_id = p_price;
    if not found then v_outcome := 'parked'; end if;
  end if;
  if v_outcome <> 'applied' then
    update events set outcome = v_outcome where id = p_id;
  end if;
  return v_outcome;
end $$;
