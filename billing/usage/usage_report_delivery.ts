import Stripe from "stripe";
import type { Deadline } from "../deadline.ts";
import { BillingError } from "../errors.ts";
import type { Meters } from "./meters.ts";

/** A claimed usage report. It is frozen, so every attempt sends the same. */
export interface UsageReport {
  /** The meter event's identifier. Stripe counts each identifier once. */
  identifier: string;
  stripeCustomerId: string;
  meterEventName: string;
  quantity: number;
  /** Time of the first use, in unix seconds. */
  usedAt: number;
  /** How often it was claimed, this claim included. */
  attempts: number;
}

/** The outcome of one attempt. */
export type DeliveryResult =
  /** Stripe has it. */
  | { outcome: "sent" }
  /** Unknown or not now. `affectsAll`: every other report would fail in the same way now. */
  | { outcome: "retry"; error: string; retryInSeconds: number; affectsAll: boolean }
  /** Stripe rejected it. */
  | { outcome: "refused"; error: string }
  /** It is too old to be delivered. */
  | { outcome: "given_up"; error: string };

export interface DeliveryDependencies {
  stripe: Stripe;
  meters: Meters;
  /** Units delivered for the customer and meter of the report, with a timestamp in that time (unix seconds). */
  deliveredUsage(report: UsageReport, from: number, to: number): Promise<number>;
  /** By when the attempt has to be over. */
  deadline: Deadline;
}

const HOUR = 3600;
/** Stripe accepts events up to 35 days old (https://docs.stripe.com/api/billing/meter-event/create). */
const OLDEST_ACCEPTED = 35 * 24 * HOUR;
/** Stripe remembers an identifier for at least 24 hours; this is an hour less. */
const IDENTIFIER_REMEMBERED = 23 * HOUR;
/** How long sending may take. Much shorter than the lease of a claim, so that no other worker sends the same meanwhile. */
const TIMEOUT_MS = 8_000;

/**
 * Sends a usage report as one meter event, and returns the outcome. Throws errors that are not Stripe's.
 *
 * A report may have been sent before, by a worker that died or whose answer was lost. Sending it again is harmless as long
 * as Stripe remembers the identifier. After that, this first looks in Stripe's meter whether the report is counted.
 */
export async function deliverUsageReport(
  { stripe, meters, deliveredUsage, deadline }: DeliveryDependencies,
  report: UsageReport,
): Promise<DeliveryResult> {
  const age = Date.now() / 1000 - report.usedAt;
  try {
    const mayBeForgotten = report.attempts > 1 && age > IDENTIFIER_REMEMBERED;
    if (mayBeForgotten && await isCounted({ meters, deliveredUsage }, report)) return { outcome: "sent" };
    if (age > OLDEST_ACCEPTED) {
      return { outcome: "given_up", error: "older than the 35 days for which Stripe accepts usage" };
    }
    await sendMeterEvent(stripe, report, deadline);
    return { outcome: "sent" };
  } catch (error) {
    return resultOfError(error, report);
  }
}

/** Whether the meter counts, in the report's minute, this report beside the other reports of that minute. */
async function isCounted(
  { meters, deliveredUsage }: Pick<DeliveryDependencies, "meters" | "deliveredUsage">,
  report: UsageReport,
): Promise<boolean> {
  const from = report.usedAt - report.usedAt % 60;
  const to = from + 60;
  const counted = await meters.usage(report.meterEventName, report.stripeCustomerId, { from, to });
  const others = await deliveredUsage(report, from, to);
  return counted.reduce((sum, { quantity }) => sum + quantity, 0) - others >= report.quantity;
}

/**
 * The identifier is also the idempotency key, because Stripe's error reports name events by that key. When the first request
 * of a key failed inside Stripe, Stripe repeats that failure for a day (https://docs.stripe.com/api/idempotent_requests).
 * Then the event is sent once more under another key; the identifier alone keeps it from being counted twice.
 */
async function sendMeterEvent(stripe: Stripe, report: UsageReport, deadline: Deadline): Promise<void> {
  try {
    await createMeterEvent(stripe, report, report.identifier, deadline);
  } catch (error) {
    if (!isReplayedFailure(error)) throw error;
    await createMeterEvent(stripe, report, `${report.identifier}.${report.attempts}`, deadline);
  }
}

/** The identifier of a usage report, from the idempotency key of an attempt to send it. */
export const identifierOfKey = (key: string): string => key.split(".")[0];

async function createMeterEvent(
  stripe: Stripe,
  report: UsageReport,
  idempotencyKey: string,
  deadline: Deadline,
): Promise<void> {
  await stripe.billing.meterEvents.create({
    event_name: report.meterEventName,
    identifier: report.identifier,
    timestamp: report.usedAt,
    payload: { stripe_customer_id: report.stripeCustomerId, value: String(report.quantity) },
    // No retries here: the outbox counts and delays the attempts.
  }, { idempotencyKey, maxNetworkRetries: 0, timeout: Math.max(1, deadline.atMost(TIMEOUT_MS)) });
}

const isReplayedFailure = (error: unknown) =>
  error instanceof Stripe.errors.StripeError && (error.statusCode ?? 0) >= 500 &&
  error.headers?.["idempotent-replayed"] === "true";

/** What an error of Stripe's means for the report. Throws any other error. */
function resultOfError(thrown: unknown, { attempts }: UsageReport): DeliveryResult {
  const error = thrown instanceof BillingError ? thrown.cause : thrown;
  if (!(error instanceof Stripe.errors.StripeError)) throw thrown;
  const { statusCode: status = 0, code = "" } = error;
  const why = [code, error.message].filter(Boolean).join(": ");
  const retry = (retryInSeconds: number, affectsAll = false): DeliveryResult => ({
    outcome: "retry",
    error: why,
    retryInSeconds,
    affectsAll,
  });

  // No answer, a conflict with a request in progress, too many requests, or a failure inside Stripe.
  if (status === 0 || status === 409 || status === 429 || status >= 500) return retry(backOff(attempts));
  // The secret key is wrong or lacks a permission. Nothing is lost until the operator fixes it.
  if (status === 401 || status === 403) return retry(backOff(attempts), true);
  if (/already exists with identifier/i.test(error.message)) return { outcome: "sent" };
  // The meter is missing or archived. The set-up creates it.
  if (/^(no_meter|archived_meter)$/.test(code) || /no active meter/i.test(error.message)) return retry(HOUR);
  if (
    code === "timestamp_too_far_in_past" || /too far in the past|35 (calendar )?days/i.test(error.message)
  ) {
    return { outcome: "given_up", error: why };
  }
  // Our clock is ahead of Stripe's.
  if (code === "timestamp_in_future" || /in the future/i.test(error.message)) return retry(backOff(attempts));
  return { outcome: "refused", error: why };
}

/** Seconds to the next attempt: 5, 10, 20, and so on up to an hour. */
const backOff = (attempts: number) => Math.min(5 * 2 ** (attempts - 1), HOUR);
