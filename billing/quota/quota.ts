import { z } from "zod";
import { callDatabase, type Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { type LimitStanding, readConsumed } from "./quota_answer.ts";
import type { Feature } from "./guarded_features.ts";
import { isName } from "./feature_name.ts";
import type { Session } from "../identity/session_token.ts";
import { asJson } from "../db/sql.ts";

/** How much of a feature to use. */
export interface QuotaOptions {
  /** A whole number of units, 1 by default. All of them are used, or none. */
  quantity?: number;
  /**
   * Makes a repeat free: the same key for the same feature and community is counted once, for at least 13 months. Only for
   * callers that also do the work once, such as a job with the key as its id. A caller that accepts any key from a browser
   * and does the work for each repeat has no limit.
   */
  idempotencyKey?: string;
}

/** A use that was allowed and recorded. */
export interface Consumption {
  feature: Feature;
  quantity: number;
  /** True when the idempotency key was counted before: this call used nothing. */
  repeated: boolean;
  /** The code of the plan in force. */
  plan: string;
  /** Every limit of the feature, after this use. */
  limits: LimitStanding[];
  /** Identifies the use for a later release, perhaps by another process: see releaseQuota. */
  usageEvent: UsageEvent;
  /**
   * Gives units back because the feature failed: `quantity` of them, or all. They can be used again at once and are not
   * billed. Resolves to how many were given back: 0 when none are left, and for a repeat, whose units belong to the first
   * call.
   *
   * Throws `invalid_quantity` or `database_unavailable`.
   */
  release(quantity?: number): Promise<number>;
}

/** The key of a recorded use. The time is text, because a Date would lose its microseconds. */
export interface UsageEvent {
  id: number;
  occurredAt: string;
}

type Deps = { db: Database };

/**
 * Uses a feature for the session's community if every limit of its plan has room. Check and count are one transaction:
 * never a unit over a quota, however many callers there are.
 *
 * Throws `quota_exceeded` (402, with feature, quota, used, windowSeconds, period, resetsAt, plan, upgradePlan),
 * `invalid_quantity`, `invalid_idempotency_key`, `idempotency_key_reused`, `unknown_community`, `quota_not_configured`
 * when the feature or its limit is missing, and `database_unavailable`.
 */
export async function requireQuota(
  { db }: Deps,
  session: Session,
  feature: Feature,
  options: QuotaOptions = {},
): Promise<Consumption> {
  const { quantity, idempotencyKey } = readOptions(options);
  const answer = await callDatabase(
    z.unknown(),
    db`
      select billing.consume_quota(
        ${session.communityId}, ${feature}, ${quantity}, ${session.userId}, ${idempotencyKey ?? null})`,
  );
  return consumption({ db }, session, feature, quantity, answer);
}

/** One use in a batch. */
export interface QuotaUse extends QuotaOptions {
  feature: Feature;
}

/** Uses in one call. */
const MAX_BATCH = 1000;

/**
 * Several uses in one call: all of them, or none. Resolves to one Consumption for each, in the order given.
 *
 * Throws what requireQuota throws; the member `index` is the position (from 0) of the use that was refused.
 */
export async function requireQuotaBatch(
  { db }: Deps,
  session: Session,
  uses: QuotaUse[],
): Promise<Consumption[]> {
  if (uses.length > MAX_BATCH) {
    throw new BillingError("invalid_quantity", `A batch has at most ${MAX_BATCH} uses.`);
  }
  const asked = uses.map(({ feature, ...options }) => ({ feature, ...readOptions(options) }));
  const rows = asked.map(({ idempotencyKey, ...use }) => ({
    ...use,
    idempotency_key: idempotencyKey ?? null,
  }));
  const answer = await callDatabase(
    z.unknown(),
    db`select billing.consume_quota_batch(${session.communityId}, ${session.userId}, ${asJson(rows)})`,
  );
  const answers = z.object({ uses: z.array(z.unknown()) }).safeParse(answer);
  if (!answers.success) throw refusedBatch(asked, answer);
  return answers.data.uses.map((each, place) =>
    consumption({ db }, session, asked[place].feature, asked[place].quantity, each)
  );
}

/** The error for the use that was refused, with its position as `index`. */
function refusedBatch(asked: QuotaUse[], answer: unknown): unknown {
  const { index } = z.object({ index: z.int().optional() }).parse(answer);
  try {
    return readConsumed(asked[index ?? 0]?.feature ?? "", answer);
  } catch (error) {
    if (!(error instanceof BillingError)) return error;
    const { code, detail, members, retryAfterSeconds } = error;
    return new BillingError(code, detail, { members: { ...members, index }, retryAfterSeconds });
  }
}

function consumption(
  { db }: Deps,
  session: Session,
  feature: Feature,
  quantity: number,
  answer: unknown,
): Consumption {
  const { outcome, plan, limits, usageEvent } = readConsumed(feature, answer);
  const repeated = outcome === "repeated";
  return {
    feature,
    quantity,
    repeated,
    plan,
    limits,
    usageEvent,
    release: async (units) => repeated ? 0 : await releaseQuota({ db }, session, feature, usageEvent, units),
  };
}

/**
 * Gives back units of a use that was recorded earlier, perhaps by another process: `quantity` of them, or all that are
 * left. Resolves to how many were given back.
 *
 * Throws `invalid_quantity` or `database_unavailable`.
 */
export async function releaseQuota(
  { db }: Deps,
  session: Pick<Session, "communityId">,
  feature: Feature,
  { id, occurredAt }: UsageEvent,
  quantity?: number,
): Promise<number> {
  const units = quantity === undefined ? null : readQuantity(quantity);
  return await callDatabase(
    z.coerce.number(),
    // As text, because the driver would drop the microseconds of a time.
    db`
      select billing.release_quota(
        ${session.communityId}, ${feature}, ${id}, ${occurredAt}::text::timestamptz, ${units})`,
  );
}

const readOptions = ({ quantity = 1, idempotencyKey }: QuotaOptions) => ({
  quantity: readQuantity(quantity),
  idempotencyKey: idempotencyKey === undefined ? undefined : readKey(idempotencyKey),
});

function readQuantity(quantity: number): number {
  if (Number.isSafeInteger(quantity) && quantity >= 1) return quantity;
  throw new BillingError(
    "invalid_quantity",
    `A quantity must be a whole number of at least 1: it is ${quantity}.`,
  );
}

function readKey(key: string): string {
  if (isName(key)) return key;
  throw new BillingError("invalid_idempotency_key", "An idempotency key must have 1 to 255 characters.");
}
