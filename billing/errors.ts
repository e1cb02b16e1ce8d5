/** The codes of all expected failures. Browsers and logs branch on these, never on texts. */
export type BillingErrorCode =
  | "missing_token"
  | "invalid_token"
  | "expired_token"
  | "invalid_identity_token"
  | "expired_identity_token"
  | "used_identity_token"
  | "parent_clock_ahead"
  | "invalid_identity_answer"
  | "expired_identity_request"
  | "not_member"
  | "not_admin"
  | "unknown_community"
  | "unknown_plan"
  | "already_subscribed"
  | "no_customer"
  | "no_subscription"
  | "plan_not_for_sale"
  | "quota_exceeded"
  | "quota_not_configured"
  | "invalid_quantity"
  | "invalid_idempotency_key"
  | "invalid_resource_id"
  | "idempotency_key_reused"
  | "too_many_requests"
  | "stale_session"
  | "invalid_text"
  | "parent_unavailable"
  | "database_unavailable"
  | StripeErrorCode
  | "request_timed_out";

/** What Stripe's errors are answered with, by who can do something about it (`billing/stripe/refusals.ts`). */
export type StripeErrorCode =
  // nobody: it passes
  | "stripe_unavailable"
  | "stripe_busy"
  // an admin of the community
  | "currency_conflict"
  | "subscription_limit"
  | "address_required"
  // the operator
  | "price_archived"
  | "price_missing"
  | "price_amount_refused"
  | "stripe_key_refused"
  | "stripe_permission_missing"
  | "stripe_mode_mismatch"
  | "stripe_account_not_activated"
  | "tax_not_configured"
  | "payment_methods_not_configured"
  | "portal_not_configured"
  | "return_address_refused"
  | "customer_missing"
  // unknown to us
  | "stripe_refused";

interface BillingErrorOptions extends ErrorOptions {
  members?: Record<string, unknown>;
  retryAfterSeconds?: number;
}

/** An expected failure. `detail` is written for the person who reads the answer; it contains no secret. */
export class BillingError extends Error {
  override name = "BillingError";

  /** Further members of the problem document that the server answers (RFC 9457, 3.2). */
  readonly members: Record<string, unknown>;
  /** After how many seconds the same request may succeed, where that is known. */
  readonly retryAfterSeconds?: number;

  constructor(readonly code: BillingErrorCode, readonly detail: string, options: BillingErrorOptions = {}) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.members = options.members ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Something is wrong in several places, all reported at once. The message has one line for each fault. */
export class FaultsError extends Error {
  override name = "FaultsError";

  constructor(readonly faults: string[], options: ErrorOptions & { heading: string; advice?: string }) {
    const { heading, advice, ...rest } = options;
    super([heading, ...faults.map((fault) => `  ${fault}`), ...(advice ? [advice] : [])].join("\n"), rest);
  }
}
