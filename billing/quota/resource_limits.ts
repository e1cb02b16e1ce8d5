import { type Database, orUnavailable } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { readAcquired } from "./quota_answer.ts";
import type { Resource } from "./guarded_features.ts";
import { isName } from "./feature_name.ts";
import type { Session } from "../identity/session_token.ts";

/** One of the resources a community holds. */
export interface HeldResource {
  /** How many the community holds now, and the most it may. */
  used: number;
  quota: number;
  /** True when it was held before: it counts once. */
  alreadyHeld: boolean;
  /** Gives it back. False when it is not held any more. Rejects with `database_unavailable`. */
  release(): Promise<boolean>;
}

/**
 * Takes one more of what the plan allows so many of at once. `resourceId` is the caller's name for it; taking the same
 * one again is free. It is held until it is released, or until `leaseSeconds` have passed since it was last taken: set
 * that for what a crash could leave behind.
 *
 * Throws `quota_exceeded` (402, with windowSeconds 0), `invalid_resource_id`, `unknown_community`,
 * `quota_not_configured` or `database_unavailable`, and a RangeError for a lease that is none.
 */
export async function enforceResourceLimit(
  { db }: { db: Database },
  session: Session,
  resource: Resource,
  resourceId: string,
  { leaseSeconds }: { leaseSeconds?: number } = {},
): Promise<HeldResource> {
  if (!isName(resourceId)) {
    throw new BillingError("invalid_resource_id", "A resource's id is 1 to 255 characters.");
  }
  if (leaseSeconds !== undefined && !(leaseSeconds > 0 && Number.isFinite(leaseSeconds))) {
    throw new RangeError(`A lease lasts for a number of seconds above 0, not ${leaseSeconds}`);
  }
  const [{ answer }] = await orUnavailable(
    db<[{ answer: unknown }]>`
      select billing.acquire_resource(
        ${session.communityId}, ${resource}, ${resourceId}, ${session.userId},
        ${leaseSeconds ?? null}::double precision * interval '1 second'
      ) as answer`,
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
 * Gives back what enforceResourceLimit took, perhaps long ago and elsewhere. False when it is not held. Throws
 * `database_unavailable`.
 */
export async function releaseResource(
  { db }: { db: Database },
  session: Session,
  resource: Resource,
  resourceId: string,
): Promise<boolean> {
  const [{ released }] = await orUnavailable(
    db<[{ released: boolean }]>`
      select billing.release_resource(${session.communityId}, ${resource}, ${resourceId}) as released`,
  );
  return released;
}
