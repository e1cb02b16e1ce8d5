import { z } from "zod";
import { BillingError } from "../errors.ts";

const windowSchema = z.object({
  /** 0 = a resource limit: so many at once. */
  window_seconds: z.number(),
  period: z.enum(["rolling", "calendar_month"]),
  quota: z.number(),
  used: z.number(),
});

const consumedSchema = z.object({
  outcome: z.enum(["consumed", "repeated"]),
  plan: z.string(),
  limits: z.array(
    windowSchema.extend({ seconds_to_reset: z.number() }).transform((limit) => ({
      windowSeconds: limit.window_seconds,
      period: limit.period,
      quota: limit.quota,
      /** Units used, this use included. */
      used: limit.used,
      /** Seconds until the first units are free again. */
      secondsToReset: limit.seconds_to_reset,
    })),
  ),
  /** The time stays text, because a Date would lose its microseconds. */
  usage_event: z.object({ id: z.number(), occurred_at: z.string() })
    .transform(({ id, occurred_at }) => ({ id, occurredAt: occurred_at })),
}).transform(({ outcome, plan, limits, usage_event }) => ({
  outcome,
  plan,
  limits,
  usageEvent: usage_event,
}));

const acquiredSchema = z.object({
  outcome: z.enum(["acquired", "held"]),
  used: z.number(),
  quota: z.number(),
}).transform(({ outcome, ...rest }) => ({ ...rest, alreadyHeld: outcome === "held" }));

const refusedSchema = windowSchema.extend({
  outcome: z.literal("refused"),
  plan: z.string(),
  resets_at: z.string().nullable(),
  retry_after_seconds: z.number().nullable(),
  upgrade_plan: z.string().nullable(),
});

const otherSchema = z.object({
  outcome: z.enum(["unknown_community", "unknown_feature", "no_limit", "key_reused"]),
  plan: z.string().optional(),
});

/** Where a limit stands after a use. */
export type LimitStanding = z.output<typeof consumedSchema>["limits"][number];

/** The answer of `billing.consume_quota` when the use was allowed. Throws the error of `refusal` otherwise. */
export function readConsumed(feature: string, answer: unknown): z.output<typeof consumedSchema> {
  const result = z.union([consumedSchema, refusedSchema, otherSchema]).parse(answer);
  if ("usageEvent" in result) return result;
  throw refusal(feature, result);
}

/** The answer of `billing.acquire_resource` when it is held. Throws the error of `refusal` otherwise. */
export function readAcquired(feature: string, answer: unknown): z.output<typeof acquiredSchema> {
  const result = z.union([acquiredSchema, refusedSchema, otherSchema]).parse(answer);
  if ("alreadyHeld" in result) return result;
  throw refusal(feature, result);
}

/** The error for any other answer: `quota_exceeded`, `quota_not_configured`, … */
function refusal(
  feature: string,
  answer: z.output<typeof refusedSchema> | z.output<typeof otherSchema>,
): BillingError {
  switch (answer.outcome) {
    case "refused":
      return quotaExceeded(feature, answer);
    case "unknown_community":
      return new BillingError("unknown_community", "This community has not opened Dues yet.");
    case "unknown_feature":
      return new BillingError("quota_not_configured", `There is no feature "${feature}".`);
    case "no_limit":
      return new BillingError(
        "quota_not_configured",
        `The plan "${answer.plan}" has no limit for "${feature}".`,
      );
    case "key_reused":
      return new BillingError(
        "idempotency_key_reused",
        "This idempotency key was used before with another quantity.",
      );
  }
}

/**
 * A 402 with the limit that has no room, how much of it is used, and what helps: waiting until `resetsAt` (database time;
 * Retry-After has the seconds), or the plan in `upgradePlan`.
 */
function quotaExceeded(feature: string, refused: z.output<typeof refusedSchema>): BillingError {
  return new BillingError("quota_exceeded", describe(feature, refused), {
    members: {
      feature,
      quota: refused.quota,
      used: refused.used,
      windowSeconds: refused.window_seconds,
      period: refused.period,
      resetsAt: refused.resets_at && new Date(refused.resets_at).toISOString(),
      plan: refused.plan,
      upgradePlan: refused.upgrade_plan,
    },
    // Seconds, not a date, because the caller's clock may be wrong (RFC 9110, 10.2.3).
    retryAfterSeconds: refused.retry_after_seconds ?? undefined,
  });
}

function describe(feature: string, refused: z.output<typeof refusedSchema>): string {
  const span = refused.window_seconds === 0
    ? "at a time"
    : refused.period === "calendar_month"
    ? "in a month"
    : `in ${refused.window_seconds} seconds`;
  return `The plan "${refused.plan}" allows ${refused.quota} "${feature}" ${span}; ${refused.used} are used.`;
}
