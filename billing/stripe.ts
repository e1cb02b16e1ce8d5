import Stripe from "stripe";
import { BillingError } from "./errors.ts";

/** A Stripe client for the pinned API version; `apiBase` points it at a simulator. */
export function connectStripe({ secretKey, apiBase }: { secretKey: string; apiBase?: string }): Stripe {
  return new Stripe(secretKey, { telemetry: false, ...(apiBase ? address(new URL(apiBase)) : {}) });
}

const address = ({ protocol, hostname, port }: URL) => ({
  protocol: protocol === "http:" ? "http" as const : "https" as const,
  host: hostname,
  port: port || (protocol === "http:" ? 80 : 443),
});

/**
 * Runs calls to Stripe; an outage (no connection, 5xx, rate limit) becomes `BillingError` `stripe_unavailable`.
 * Stripe's refusals pass through: they are our mistake and must be seen.
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

/** Whether Stripe says that there is no such object (https://docs.stripe.com/error-codes#resource-missing). */
export const isMissing = (error: unknown): error is Stripe.errors.StripeInvalidRequestError =>
  error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "resource_missing";
