import Stripe from "stripe";
import type { Deadline } from "./deadline.ts";
import { BillingError } from "./errors.ts";
import { refusedByStripe } from "./stripe/refusals.ts";

/** How long one try may take, from the connection to the last byte of the answer. */
const TRY_MS = 8_000;

/**
 * A Stripe client for the API version of the SDK. `apiBase` is the address of a simulator; `fetchBy` makes the calls in place of
 * `fetch`. A call that is given no deadline is tried twice, and each try may take eight seconds.
 */
export function connectStripe(
  { secretKey, apiBase }: { secretKey: string; apiBase?: string },
  fetchBy?: typeof fetch,
): Stripe {
  return new Stripe(secretKey, {
    telemetry: false,
    timeout: TRY_MS,
    maxNetworkRetries: 1,
    ...(apiBase ? address(new URL(apiBase)) : {}),
    ...(fetchBy ? { httpClient: Stripe.createFetchHttpClient(fetchBy) } : {}),
  });
}

const address = ({ protocol, hostname, port }: URL) => ({
  protocol: protocol === "http:" ? "http" as const : "https" as const,
  host: hostname,
  port: port || (protocol === "http:" ? 80 : 443),
});

/** Whether a secret or restricted key is one of live mode (https://docs.stripe.com/keys). */
export const isLiveKey = (secretKey: string): boolean => /^[a-z]+_live_/.test(secretKey);

/** The pause before the second try; it doubles with each further one. */
const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;
/** How often a call is tried that fails for a reason on Stripe's side. */
const TRIES = 3;

/**
 * The result of a call to Stripe, which is tried again where that may help and the deadline allows it: a few times after a
 * lost connection, an error inside Stripe or too many requests; until the deadline while another request with the same
 * idempotency key, or on the same object, is in progress.
 *
 *     await askStripe(deadline, (options) => stripe.customers.retrieve(id, {}, options))
 *
 * No try takes longer than eight seconds, and all of them end by the deadline. What may succeed later is thrown as
 * `BillingError`: `stripe_unavailable` without an answer or after a failure inside Stripe, `stripe_busy` after too many requests.
 * Refusals are thrown as they are: `billing/stripe/refusals.ts` says what each means.
 */
export async function askStripe<T>(
  deadline: Deadline,
  call: (options: Stripe.RequestOptions) => Promise<T>,
  idempotencyKey?: string,
): Promise<T> {
  let pause = PAUSE_MS;
  for (let failures = 0;;) {
    const timeout = deadline.atMost(TRY_MS);
    if (timeout === 0) throw noAnswer();
    try {
      // The SDK tries again by itself when a connection was closed, so the deadline is kept here, too.
      return await deadline.orLate(
        call({ timeout, maxNetworkRetries: 0, ...(idempotencyKey ? { idempotencyKey } : {}) }),
        noAnswer,
      );
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (isKeySpent(error) || !isInProgress(error) && ++failures === TRIES) throw refusedByStripe(error);
      const wait = pause * (0.5 + Math.random() / 2);
      if (wait >= deadline.remaining) throw refusedByStripe(error);
      await new Promise((resolve) => setTimeout(resolve, wait));
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }
}

/** The most objects that Stripe returns on a page. */
const PAGE = 100;

/**
 * All pages of a list (https://docs.stripe.com/api/pagination). Throws like askStripe().
 *
 *     await listAll(deadline, (page, options) => stripe.subscriptions.list({ customer, ...page }, options))
 */
export async function listAll<T extends { id: string }>(
  deadline: Deadline,
  list: (
    page: { limit: number; starting_after?: string },
    options: Stripe.RequestOptions,
  ) => Promise<Stripe.ApiList<T>>,
): Promise<T[]> {
  const all: T[] = [];
  while (true) {
    const after = all.at(-1)?.id;
    const page = { limit: PAGE, ...(after ? { starting_after: after } : {}) };
    const { data, has_more } = await askStripe(deadline, (options) => list(page, options));
    all.push(...data);
    if (!has_more || data.length === 0) return all;
  }
}

/** The deadline has passed, and Stripe has not answered. */
const noAnswer = () =>
  refusedByStripe(new Stripe.errors.StripeConnectionError({ message: "no answer in time" }))!;

/** Whether a call failed although nothing may be wrong with it. */
const isOutage = (error: unknown) => refusedByStripe(error)?.row.isRetryable ?? false;

/** Another request with this idempotency key, or on this object, is in progress (https://docs.stripe.com/api/errors). */
const isInProgress = (error: unknown) =>
  error instanceof Stripe.errors.StripeError && error.statusCode === 409;

/** Stripe repeats the answer that it has kept for the idempotency key (https://docs.stripe.com/api/idempotent_requests). */
const isReplayed = (error: unknown) =>
  error instanceof Stripe.errors.StripeError && error.headers?.["idempotent-replayed"] === "true";

/**
 * Whether nothing but another idempotency key can help: Stripe repeats an error that it has kept for this one, for a day and
 * whatever has been repaired since, or has kept it for a request with other parameters.
 */
export function isKeySpent(error: unknown): boolean {
  const thrown = error instanceof BillingError ? error.cause : error;
  return isReplayed(thrown) || thrown instanceof Stripe.errors.StripeIdempotencyError;
}

/** Whether Stripe does not have the object (https://docs.stripe.com/error-codes#resource-missing). */
export const isMissing = (error: unknown): error is Stripe.errors.StripeInvalidRequestError =>
  error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "resource_missing";

/** Whether Stripe refuses a request as it is (https://docs.stripe.com/api/errors). */
export const isInvalidRequest = (error: unknown): error is Stripe.errors.StripeInvalidRequestError =>
  error instanceof Stripe.errors.StripeInvalidRequestError;
