/** The optional fields of Stripe's error object (https://docs.stripe.com/api/errors). */
export interface ErrorDetails {
  advice_code?: string;
  code?: string;
  param?: string;
  charge?: string;
  decline_code?: string;
  network_decline_code?: string;
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

  /** The body of the reply. `more` are fields that depend on the request. */
  toBody(more: { request_log_url?: string } = {}) {
    const { code } = this.details;
    const docUrl = code
      ? { doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll("_", "-")}` }
      : {};
    return { error: { ...this.details, ...docUrl, message: this.message, ...more, type: this.type } };
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

/** The error for an unknown id. */
export class MissingObject extends StripeError {
  constructor(status: number, readonly noun: string, readonly id: string, param: string, hint = "") {
    super(status, "invalid_request_error", `No such ${noun}: '${id}'${hint}`, {
      code: "resource_missing",
      param,
    });
  }

  /** The same error when the id exists in live mode. */
  inLiveMode(): MissingObject {
    const hint = `; a similar object exists in live mode, but a test mode key was used to make this request.`;
    return new MissingObject(this.status, this.noun, this.id, this.details.param ?? "id", hint);
  }
}

/**
 * An id is unknown: 404 when it is in the path, 400 when it is in a parameter. Stripe names the parameter also for an
 * id in the path: `id`, or the word that the endpoint's documentation uses for it.
 */
export function noSuch(noun: string, id: string, where: { param: string } | "path"): StripeError {
  const [status, param] = where === "path" ? [404, pathParams.get(noun) ?? "id"] : [400, where.param];
  return new MissingObject(status, noun, id, param);
}

/** How `param` calls an id in the path where it is not `id`. */
const pathParams = new Map([
  ["PaymentMethod", "payment_method"],
  ["checkout.session", "session"],
  ["invoice", "invoice"],
  ["payment_intent", "intent"],
  ["price", "price"],
  ["setup_intent", "intent"],
]);

/** The API key is missing, malformed or of a kind that is not accepted: 401. */
export function unauthorized(message: string, code?: string): StripeError {
  return new StripeError(401, "invalid_request_error", message, code ? { code } : {});
}
