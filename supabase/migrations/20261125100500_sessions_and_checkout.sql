-- What is remembered of sign-ins and checkouts.

create table billing.used_identity_tokens (
  issuer     text not null,
  jti        text not null,
  expires_at timestamptz not null,
  constraint used_identity_tokens_pkey primary key (issuer, jti)
);
alter table billing.used_identity_tokens enable row level security;

-- billing.open_session deletes the expired rows.
create index used_identity_tokens_expires_at on billing.used_identity_tokens (expires_at);

comment on table billing.used_identity_tokens is 'Identity tokens that were already exchanged for a session: each works once.';
comment on column billing.used_identity_tokens.issuer is 'The parent app that signed it.';
comment on column billing.used_identity_tokens.jti is 'The token''s own id (RFC 7519, 4.1.7).';
comment on column billing.used_identity_tokens.expires_at is 'The token is refused after this anyway, so the row can be deleted.';

create table billing.checkout_attempts (
  community_id text primary key constraint checkout_attempts_community_fkey references public.communities (id),
  attempt      bigint not null,
  fingerprint  text not null,
  started_at   timestamptz not null,
  session_id   text
);
alter table billing.checkout_attempts enable row level security;

comment on table billing.checkout_attempts is 'The latest checkout of each community. Clicks in quick succession share one attempt and so one Stripe session.';
comment on column billing.checkout_attempts.attempt is 'Counts up. Open sessions of lower attempts are expired.';
comment on column billing.checkout_attempts.fingerprint is 'What is bought and where Stripe returns to. Another fingerprint is another attempt.';
comment on column billing.checkout_attempts.session_id is 'Its Stripe session (cs_…); null until Stripe has created it.';

create table billing.customer_attempts (
  community_id text primary key constraint customer_attempts_community_fkey references public.communities (id),
  attempt      bigint not null constraint customer_attempts_attempt_positive check (attempt > 0)
);
alter table billing.customer_attempts enable row level security;

comment on table billing.customer_attempts is 'How often creating a Stripe customer was begun anew. A community that is not listed is at its first attempt.';
comment on column billing.customer_attempts.attempt is 'Part of Stripe''s idempotency key. Counts up when Stripe keeps an error for the key.';

revoke all on billing.used_identity_tokens, billing.checkout_attempts, billing.customer_attempts from public, anon, authenticated, service_role;
