import { BillingError, type BillingErrorCode } from "../errors.ts";
import { noteRefusal } from "./request_log.ts";
import { refusedByStripe } from "../stripe/refusals.ts";

/** Faults of a request that are found before the domain is called. */
export type RequestFaultCode =
  | "invalid_json"
  | "invalid_request"
  | "payload_too_large"
  | "invalid_signature"
  | "invalid_event"
  | "unreadable_event"
  | "method_not_allowed"
  | "not_found"
  | "foreign_origin"
  | "body_timeout"
  | "incomplete_body"
  | "internal_error";

export type ProblemCode = BillingErrorCode | RequestFaultCode;

/** The HTTP status and title of every code. */
const problems: Record<ProblemCode, [status: number, title: string]> = {
  invalid_json: [400, "The body is not JSON"],
  invalid_request: [400, "The request is not of the expected shape"],
  incomplete_body: [400, "The body is not complete"],
  invalid_signature: [400, "The signature does not match the body"],
  invalid_event: [400, "The body is not a Stripe event"],
  invalid_quantity: [400, "The quantity is not valid"],
  invalid_idempotency_key: [400, "The idempotency key is not valid"],
  invalid_resource_id: [400, "The resource's id is not valid"],
  invalid_text: [400, "The request contains text that cannot be stored"],
  missing_token: [401, "No session token"],
  invalid_token: [401, "The session token is not valid"],
  expired_token: [401, "The session token has expired"],
  stale_session: [401, "The session is too old for this"],
  invalid_identity_token: [401, "The identity token is not valid"],
  expired_identity_token: [401, "The identity token has expired"],
  used_identity_token: [401, "The identity token was used before"],
  parent_clock_ahead: [401, "The parent app's clock is ahead"],
  invalid_identity_answer: [401, "Common Ground's answers are not valid"],
  expired_identity_request: [401, "The request to Common Ground has expired"],
  quota_exceeded: [402, "The plan allows no more"],
  not_admin: [403, "Only admins may do this"],
  not_member: [403, "Only members may do this"],
  foreign_origin: [403, "Only the plugin's own page may ask this"],
  not_found: [404, "There is nothing here"],
  unknown_community: [404, "Unknown community"],
  unknown_plan: [404, "Unknown plan"],
  method_not_allowed: [405, "This method is not allowed here"],
  body_timeout: [408, "The body did not arrive in time"],
  already_subscribed: [409, "The community has a subscription already"],
  no_subscription: [409, "The community has no subscription"],
  no_customer: [409, "The community has no billing account yet"],
  plan_not_for_sale: [409, "The plan is not for sale"],
  currency_conflict: [409, "The community pays in another currency"],
  subscription_limit: [409, "The community has too many subscriptions in Stripe"],
  address_required: [409, "Stripe needs the community's address"],
  price_archived: [409, "The plan's price is archived in Stripe"],
  price_missing: [409, "Stripe does not have the plan's price"],
  price_amount_refused: [409, "Stripe does not accept the plan's amount"],
  payload_too_large: [413, "The body is too large"],
  unreadable_event: [422, "The Stripe event was not understood"],
  idempotency_key_reused: [422, "The idempotency key belongs to another use"],
  too_many_requests: [429, "Too many requests"],
  internal_error: [500, "Something went wrong"],
  quota_not_configured: [500, "The limits are not set up"],
  parent_unavailable: [503, "The parent app cannot be reached"],
  database_unavailable: [503, "The database cannot be reached"],
  stripe_unavailable: [503, "Stripe cannot be reached"],
  stripe_busy: [503, "Stripe takes no more requests at the moment"],
  stripe_key_refused: [503, "Stripe does not accept the secret key"],
  stripe_permission_missing: [503, "The Stripe key lacks a permission"],
  stripe_mode_mismatch: [503, "The Stripe key is of the other mode"],
  stripe_account_not_activated: [503, "The Stripe account is not activated"],
  tax_not_configured: [503, "Stripe Tax is not set up"],
  payment_methods_not_configured: [503, "No payment method is switched on in Stripe"],
  portal_not_configured: [503, "The billing portal is not set up"],
  return_address_refused: [503, "Stripe does not accept the address to return to"],
  customer_missing: [503, "Stripe does not have the community's customer"],
  stripe_refused: [503, "Stripe refused the request"],
  request_timed_out: [503, "The request took too long"],
};

/** The answers of status 503 after which the same request may succeed by itself. */
const passing: ProblemCode[] = [
  "parent_unavailable",
  "database_unavailable",
  "stripe_unavailable",
  "stripe_busy",
  "request_timed_out",
];

/** A fault of the request itself. */
export class RequestFault extends Error {
  override name = "RequestFault";

  constructor(readonly code: RequestFaultCode, readonly detail?: string, readonly headers: HeadersInit = {}) {
    super(detail ?? code);
  }
}

/** An error as `application/problem+json` with a stable `code` (RFC 9457). */
export function problemResponse(
  code: ProblemCode,
  detail?: string,
  headers: HeadersInit = {},
  members: Record<string, unknown> = {},
): Response {
  const [status, title] = problems[code];
  const all = new Headers(headers);
  all.set("content-type", "application/problem+json");
  all.set("cache-control", "no-store");
  // RFC 6750, 3: the answer to a refused token names the scheme to authenticate with.
  if (status === 401) all.set("www-authenticate", "Bearer");
  if (passing.includes(code) && !all.has("retry-after")) all.set("retry-after", "5");
  const body = JSON.stringify({ type: "about:blank", title, status, code, detail, ...members });
  return noteRefusal(new Response(body, { status, headers: all }), code, detail);
}

/**
 * The answer to a request whose handling threw this. Expected errors and Stripe's refusals are answered with their code.
 * Anything else is logged and answered with a 500 without details, because these may be confidential.
 */
export function problemOf(thrown: unknown): Response {
  const error = refusedByStripe(thrown) ?? thrown;
  if (error instanceof RequestFault) return problemResponse(error.code, error.detail, error.headers);
  if (error instanceof BillingError) {
    // What is away is told by the line of the refusal (request_log.ts), with its cause.
    if (problems[error.code][0] >= 500 && !passing.includes(error.code)) console.error(error);
    // RFC 9110, 10.2.3: in seconds, because a date would be read by the caller's clock.
    const { retryAfterSeconds: seconds } = error;
    const headers = seconds === undefined ? undefined : { "retry-after": `${seconds}` };
    const response = problemResponse(error.code, error.detail, headers, error.members);
    const { cause } = error;
    // For the log only: what a person may read does not tell which password or host was wrong.
    if (!(cause instanceof Error)) return response;
    return noteRefusal(response, error.code, `${error.detail} Cause: ${cause.message}`);
  }
  console.error(error);
  return problemResponse("internal_error");
}
