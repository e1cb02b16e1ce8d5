/** The optional fields of Stripe's error object (https://docs.stripe.com/api/errors). */
export interface ErrorDetails {
  code?: string;
  param?: string;
  charge?: string;
  decline_code?: string;
  payment_intent?: unknown;
  payment_method?: unknown;
}

export type ErrorType = "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";

/**
 * An error reply of Stripe. The SDKs choose their error class by the HTTP status, so the status is part of the error
 * (https://docs.stripe.com/api/errors).
 */
export class StripeError extends Error {
  override readonly name = "StripeError";

  constructor(
    readonly status: number,
    readonly type: ErrorType,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
  }

  get code(): string | undefined {
    return this.details.code;
  }

  /** The body of the reply. */
  toBody() {
    const { code } = this.details;
    const docUrl = code
      ? { doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll("_", "-")}` }
      : {};
    return { error: { ...this.details, ...docUrl, message: this.message, type: this.type } };
  }
}

/** The request is invalid: 400. */
export function invalidRequest(message: string, details: ErrorDetails = {}): StripeError {
  return new StripeError(400, "invalid_request_error", message, details);
}

/** A required parameter is missing: 400 `parameter_missing`. */
export function missingParameter(param: string): StripeError {
  return invalidRequest(`Missing required param: ${param}.`, { code: "parameter_missing", param });
}

/** An id is unknown: 404 when it is in the path, 400 when it is in a parameter. */
export function noSuch(noun: string, id: string, where: { param: string } | "path"): StripeError {
  const [status, param] = where === "path" ? [404, "id"] : [400, where.param];
  return new StripeError(status, "invalid_request_error", `No such ${noun}: '${id}'`, {
    code: "resource_missing",
    param,
  });
}

/** The API key is missing, malformed or of a kind that is not accepted: 401. */
export function unauthorized(message: string, code?: string): StripeError {
  return new StripeError(401, "invalid_request_error", message, code ? { code } : {});
}
