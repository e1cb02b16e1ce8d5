import Stripe from "stripe";
import type { Meters } from "./meters.ts";

/** A usage report as it is handed out: frozen, so that every attempt says the same. */
export interface UsageReport {
  /** The meter event's identifier: Stripe counts it once. */
  identifier: string;
  stripeCustomerId: string;
  meterEventName: string;
  quantity: number;
  /** Unix seconds: when the first unit was used. */
  usedAt: number;
  /** How often it was handed out, this time included. */
  attempts: number;
}

/** What became of an attempt. */
export type Verdict =
  /** Stripe has it. */
  | { outcome: "sent" }
  /** It may or may not have it. `affectsAll`: no other report would fare better now. */
  | { outcome: "retry"; error: string; retryInSeconds: number; affectsAll: boolean }
  /** Stripe will not have it. */
  | { outcome: "refused"; error: string }
  /** It cannot be delivered any more. */
  | { outcome: "given_up"; error: string };

export interface DeliveryDependencies {
  stripe: Stripe;
  meters: Meters;
  /** What was delivered for the customer and meter of a report, stamped within that time (unix seconds). */
  deliveredUsage(report: UsageReport, from: number, to: number): Promise<number>;
}

const HOUR = 3600;
/** Stripe takes events up to 35 days old (https://docs.stripe.com/api/billing/meter-event/create). */
const OLDEST_ACCEPTED = 35 * 24 * HOUR;
/** Stripe remembers an identifier for at least 24 hours. */
const IDENTIFIER_REMEMBERED = 23 * HOUR;
/** Well within the lease of a claim, so that nobody else sends the same meanwhile. */
const TIMEOUT_MS = 20_000;

/**
 * Sends a usage report as one meter event, and says what became of it.
 *
 * A report may have been sent before by somebody who then died, or whose answer was lost. As long as Stripe remembers
 * the identifier, sending it again is harmless; after that Stripe is asked whether it counts the report already.
 */
export async function deliverUsageReport(
  { stripe, meters, deliveredUsage }: DeliveryDependencies,
  report: UsageReport,
): Promise<Verdict> {
  const age = Date.now() / 1000 - report.usedAt;
  try {
    const mayBeForgotten = report.attempts > 1 && age > IDENTIFIER_REMEMBERED;
    if (mayBeForgotten && await isCounted({ meters, deliveredUsage }, report)) return { outcome: "sent" };
    if (age > OLDEST_ACCEPTED) {
      return { outcome: "given_up", error: "older than the 35 days for which Stripe takes usage" };
    }
    await sendMeterEvent(stripe, report);
    return { outcome: "sent" };
  } catch (error) {
    return judge(error, report);
  }
}

/** Whether Stripe counts more in the report's minute than the other reports of that minute come to. */
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
 * The identifier is the idempotency key, too: error reports name events by it. Stripe answers a key whose first request
 * failed inside with that same failure for a day (https://docs.stripe.com/api/idempotent_requests), so then the event
 * goes out once more under a key of its own, and the identifier alone keeps it from counting twice.
 */
async function sendMeterEvent(stripe: Stripe, report: UsageReport): Promise<void> {
  try {
    await createMeterEvent(stripe, report, report.identifier);
  } catch (error) {
    if (!isReplayedFailure(error)) throw error;
    await createMeterEvent(stripe, report, `${report.identifier}.${report.attempts}`);
  }
}

/** The identifier of a usage report, from the idempotency key of an attempt to send it. */
export const identifierOfKey = (key: string): string => key.split(".")[0];

async function createMeterEvent(stripe: Stripe, report: UsageReport, idempotencyKey: string): Promise<void> {
  await stripe.billing.meterEvents.create({
    event_name: report.meterEventName,
    identifier: report.identifier,
    timestamp: report.usedAt,
    payload: { stripe_customer_id: report.stripeCustomerId, value: String(report.quantity) },
    // Attempts are counted and spaced out by the outbox.
  }, { idempotencyKey, maxNetworkRetries: 0, timeout: TIMEOUT_MS });
}

const isReplayedFailure = (error: unknown) =>
  error instanceof Stripe.errors.StripeError && (error.statusCode ?? 0) >= 500 &&
  error.headers?.["idempotent-replayed"] === "true";

/** What a failure means for the report. Anything that is not Stripe's is thrown on. */
function judge(error: unknown, { attempts }: UsageReport): Verdict {
  if (!(error instanceof Stripe.errors.StripeError)) throw error;
  const { statusCode: status = 0, code = "" } = error;
  const why = [code, error.message].filter(Boolean).join(": ");
  const retry = (retryInSeconds: number, affectsAll = false): Verdict => ({
    outcome: "retry",
    error: why,
    retryInSeconds,
    affectsAll,
  });

  // No answer, in conflict with a request under way, too many requests, or a failure on Stripe's side.
  if (status === 0 || status === 409 || status === 429 || status >= 500) return retry(backOff(attempts));
  // A key that is wrong or may not do this: for the operator to mend, and nothing is lost meanwhile.
  if (status === 401 || status === 403) return retry(backOff(attempts), true);
  if (/already exists with identifier/i.test(error.message)) return { outcome: "sent" };
  // As long as the meter is missing or archived; the set-up makes it.
  if (/^(no_meter|archived_meter)$/.test(code) || /no active meter/i.test(error.message)) return retry(HOUR);
  if (
    code === "timestamp_too_far_in_past" || /too far in the past|35 (calendar )?days/i.test(error.message)
  ) {
    return { outcome: "given_up", error: why };
  }
  // Our clock runs ahead of Stripe's: the moment comes.
  if (code === "timestamp_in_future" || /in the future/i.test(error.message)) return retry(backOff(attempts));
  return { outcome: "refused", error: why };
}

/** 5 seconds, 10, 20, and so on up to an hour. */
const backOff = (attempts: number) => Math.min(5 * 2 ** (attempts - 1), HOUR);
