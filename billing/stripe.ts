import Stripe from "stripe";
import { BillingError } from "./errors.ts";

/**
 * A Stripe client for the API version of the SDK. `apiBase` is the address of a simulator; `fetchBy` makes the calls in place of
 * `fetch`.
 */
export function connectStripe(
  { secretKey, apiBase }: { secretKey: string; apiBase?: string },
  fetchBy?: typeof fetch,
): Stripe {
  return new Stripe(secretKey, {
    telemetry: false,
    ...(apiBase ? address(new URL(apiBase)) : {}),
    ...(fetchBy ? { httpClient: Stripe.createFetchHttpClient(fetchBy) } : {}),
  });
}

const address = ({ protocol, hostname, port }: URL) => ({
  protocol: protocol === "http:" ? "http" as const : "https" as const,
  host: hostname,
  port: port || (protocol === "http:" ? 80 : 443),
});

/**
 * The result of a call to Stripe. An outage (no connection, 5xx, rate limit) is thrown as `BillingError`
 * `stripe_unavailable`. Stripe's refusals are thrown as they are: they are mistakes of this project and must be seen.
 */
export async function orStripeUnavailable<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (
      error instanceof Stripe.errors.StripeConnectionError ||
      error instanceof Stripe.errors.StripeAPIError ||
      error instanceof Stripe.errors.StripeRateLimitError
    ) {
      throw new BillingError("stripe_unavailable", "Stripe cannot be reached. Try again in a moment.", {
        cause: error,
      });
    }
    throw error;
  }
}

/** Whether Stripe does not have the object (https://docs.stripe.com/error-codes#resource-missing). */
export const isMissing = (error: unknown): error is Stripe.errors.StripeInvalidRequestError =>
  error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "resource_missing";

/** Whether Stripe refuses a request as it is (https://docs.stripe.com/api/errors). */
export const isInvalidRequest = (error: unknown): error is Stripe.errors.StripeInvalidRequestError =>
  error instanceof Stripe.errors.StripeInvalidRequestError;
