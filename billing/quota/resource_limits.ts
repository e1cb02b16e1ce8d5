import { z } from "zod";
import { callDatabase, type Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { readAcquired } from "./quota_answer.ts";
import type { Resource } from "./guarded_features.ts";
import { isName } from "./feature_name.ts";
import type { Session } from "../identity/session_token.ts";

/** One of the resources a community holds. */
export interface HeldResource {
  /** How many the community holds now. */
  used: number;
  /** How many it may hold at once. */
  quota: number;
  /** True when it was held before this call: it counts once. */
  alreadyHeld: boolean;
  /** Releases it. False when it is not held any more. Throws `database_unavailable`. */
  release(): Promise<boolean>;
}

/**
 * Acquires one more of a resource that the plan limits to so many at once. `resourceId` is the caller's name for it;
 * acquiring the same one again is free. It is held until it is released, or until `leaseSeconds` after it was last acquired:
 * set a lease where a crash could leave it behind.
 *
 * Throws `quota_exceeded` (402, with windowSeconds 0), `invalid_resource_id`, `unknown_community`,
 * `quota_not_configured` or `database_unavailable`, and a RangeError for an invalid lease.
 */
export async function enforceResourceLimit(
  { db }: { db: Database },
  session: Session,
  resource: Resource,
  resourceId: string,
  { leaseSeconds }: { leaseSeconds?: number } = {},
): Promise<HeldResource> {
  if (!isName(resourceId)) {
    throw new BillingError("invalid_resource_id", "A resource's id must have 1 to 255 characters.");
  }
  if (leaseSeconds !== undefined && !(leaseSeconds > 0 && Number.isFinite(leaseSeconds))) {
    throw new RangeError(`A lease must be a number of seconds above 0: it is ${leaseSeconds}`);
  }
  const answer = await callDatabase(
    z.unknown(),
    db`
      select billing.acquire_resource(
        ${session.communityId}, ${resource}, ${resourceId}, ${session.userId},
        ${leaseSeconds ?? null}::double precision * interval '1 second')`,
  );
  const { used, quota, alreadyHeld } = readAcquired(resource, answer);
  return {
    used,
    quota,
    alreadyHeld,
    release: () => releaseResource({ db }, session, resource, resourceId),
  };
}

/**
 * Releases what enforceResourceLimit acquired, perhaps by another process. False when it is not held. Throws
 * `database_unavailable`.
 */
export async function releaseResource(
  { db }: { db: Database },
  session: Session,
  resource: Resource,
  resourceId: string,
): Promise<boolean> {
  return await callDatabase(
    z.boolean(),
    db`select billing.release_resource(${session.communityId}, ${resource}, ${resourceId})`,
  );
}
