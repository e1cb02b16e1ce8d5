import { z } from "zod";
import { type Database, orUnavailable } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { type LimitStanding, readConsumed } from "./quota_answer.ts";
import type { Feature } from "./guarded_features.ts";
import { isName } from "./feature_name.ts";
import type { Session } from "../identity/session_token.ts";
import { asJson } from "../db/sql.ts";

/** How much is to be used. */
export interface QuotaOptions {
  /** A whole number of units, 1 when left out. All of them are used, or none. */
  quantity?: number;
  /**
   * Makes a repeat free: the same key for the same feature and community is counted once, for as long as its use is
   * remembered (a year at least). Only for callers that also do the work once, such as by the id of what they store: who
   * takes keys from a browser unseen and works again for each repeat has no limit any more.
   */
  idempotencyKey?: string;
}

/** A use that was allowed and is recorded. */
export interface Consumption {
  feature: Feature;
  quantity: number;
  /** True when the idempotency key was counted before: nothing was used now. */
  repeated: boolean;
  /** The code of the plan in force. */
  plan: string;
  /** Every limit of the feature, as it stands now. */
  limits: LimitStanding[];
  /** What to keep for a release later and elsewhere: see releaseQuota. */
  usageEvent: UsageEvent;
  /**
   * Gives units back because the feature failed, all unless `quantity` says how many. They can be used again at once and
   * are not billed. Resolves to how many were given back: 0 when none are left, and for a repeat, whose units belong to
   * the first call.
   *
   * Rejects with `invalid_quantity` or `database_unavailable`.
   */
  release(quantity?: number): Promise<number>;
}

/** Where a use is recorded. The time is text, as precise as the database's. */
export interface UsageEvent {
  id: number;
  occurredAt: string;
}

type Deps = { db: Database };

/**
 * Uses a feature for the session's community, if every limit of its plan has room. One atomic call: never a unit over
 * a limit, however many call at once.
 *
 * Throws `quota_exceeded` (402, with feature, limit, used, windowSeconds, period, resetsAt, plan, upgradePlan),
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
  const [{ answer }] = await orUnavailable(
    db<[{ answer: unknown }]>`
      select billing.consume_quota(
        ${session.communityId}, ${feature}, ${quantity}, ${session.userId}, ${idempotencyKey ?? null}
      ) as answer`,
  );
  return consumption({ db }, session, feature, quantity, answer);
}

/** One use of several that are asked for together. */
export interface QuotaUse extends QuotaOptions {
  feature: Feature;
}

/** The most uses that one call takes. */
const MAX_BATCH = 1000;

/**
 * Several uses in one call: all of them, or none. Resolves to one Consumption for each, in the order given.
 *
 * Throws as requireQuota does; the problem's member `index` says which use (from 0) stands in the way.
 */
export async function requireQuotaBatch(
  { db }: Deps,
  session: Session,
  uses: QuotaUse[],
): Promise<Consumption[]> {
  if (uses.length > MAX_BATCH) {
    throw new BillingError("invalid_quantity", `At most ${MAX_BATCH} uses can be asked for together.`);
  }
  const asked = uses.map(({ feature, ...options }) => ({ feature, ...readOptions(options) }));
  const [{ answer }] = await orUnavailable(
    db<[{ answer: unknown }]>`
      select billing.consume_quota_batch(${session.communityId}, ${session.userId}, ${
      asJson(asked.map(({ feature, quantity, idempotencyKey }) => ({
        feature,
        quantity,
        idempotency_key: idempotencyKey ?? null,
      })))
    }) as answer`,
  );
  const answers = z.object({ uses: z.array(z.unknown()) }).safeParse(answer);
  if (!answers.success) throw refusedBatch(asked, answer);
  return answers.data.uses.map((each, place) =>
    consumption({ db }, session, asked[place].feature, asked[place].quantity, each)
  );
}

/** The refusal of the one use that stood in the way. */
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
 * Gives back units of a use that was recorded earlier, perhaps by another process: all that are left, unless `quantity`
 * says how many. Resolves to how many were given back.
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
  const [{ released }] = await orUnavailable(
    // As text: the driver would cut the microseconds off a time.
    db<[{ released: string }]>`
      select billing.release_quota(
        ${session.communityId}, ${feature}, ${id}, ${occurredAt}::text::timestamptz, ${units}
      ) as released`,
  );
  return Number(released);
}

const readOptions = ({ quantity = 1, idempotencyKey }: QuotaOptions) => ({
  quantity: readQuantity(quantity),
  idempotencyKey: idempotencyKey === undefined ? undefined : readKey(idempotencyKey),
});

function readQuantity(quantity: number): number {
  if (Number.isSafeInteger(quantity) && quantity >= 1) return quantity;
  throw new BillingError("invalid_quantity", `A quantity is a whole number from 1 on, not ${quantity}.`);
}

function readKey(key: string): string {
  if (isName(key)) return key;
  throw new BillingError("invalid_idempotency_key", "An idempotency key is 1 to 255 characters.");
}
