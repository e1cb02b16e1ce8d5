/** Everything Dues itself refuses or fails at, each with the code that browsers and logs branch on. */
export type BillingErrorCode =
  | "missing_token"
  | "invalid_token"
  | "expired_token"
  | "invalid_identity_token"
  | "expired_identity_token"
  | "used_identity_token"
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
  | "parent_unavailable"
  | "database_unavailable"
  | "stripe_unavailable";

interface BillingErrorOptions extends ErrorOptions {
  members?: Record<string, unknown>;
  headers?: HeadersInit;
}

/** An expected failure. `detail` is written for the person who reads the answer and holds no secret. */
export class BillingError extends Error {
  override name = "BillingError";

  /** More that the answer says: members of the problem document (RFC 9457, 3.2) and headers. */
  readonly members: Record<string, unknown>;
  readonly headers: HeadersInit;

  constructor(readonly code: BillingErrorCode, readonly detail: string, options: BillingErrorOptions = {}) {
    super(`${code}: ${detail}`, options);
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}
