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
  | "plan_not_for_sale"
  | "parent_unavailable"
  | "database_unavailable"
  | "stripe_unavailable";

/** An expected failure. `detail` is written for the person who reads the answer and holds no secret. */
export class BillingError extends Error {
  override name = "BillingError";

  constructor(readonly code: BillingErrorCode, readonly detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
  }
}
