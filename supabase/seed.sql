-- The plans of plans.toml, for a database without Stripe. The Stripe set-up task updates them from that file and adds the
-- Stripe ids.

insert into public.plans (code, name, rank, price_cents, currency, billing_interval, is_default) values
  ('free', 'Free', 0, 0, 'usd', null, true),
  ('pro', 'Pro', 10, 2900, 'usd', 'month', false)
on conflict (code) do nothing;

insert into public.features (code, name, unit) values
  ('ai_chat_message', 'AI chat messages', 'message'),
  ('active_wizard', 'Active wizards', 'wizard')
on conflict (code) do nothing;

insert into public.plan_limits (plan_id, feature, quota_window, quota)
select p.id, l.feature, l.quota_window, l.quota
from (values
  ('free', 'ai_chat_message', interval '30 days', 100),
  ('free', 'active_wizard', interval '0', 1),
  ('pro', 'ai_chat_message', interval '30 days', 10000),
  ('pro', 'active_wizard', interval '0', 20)
) as l (plan_code, feature, quota_window, quota)
join public.plans p on p.code = l.plan_code
on conflict (plan_id, feature, quota_window, period) do nothing;
