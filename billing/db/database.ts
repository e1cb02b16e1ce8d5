import { BillingError } from "../errors.ts";
import { ConnectionLostError, isDatabaseError, openPool, type Pool } from "./sql.ts";

export type Database = Pool;

const ROLE = "billing_service";

/** Above the role's own time limit for a statement, so that the server gives up first and says why. */
const ANSWER_MS = 20_000;

/**
 * Connects as role `billing_service`, which can call the functions of schema `billing` and nothing else.
 * A URL of another role (edge functions are handed the project's own) steps down to it at once.
 * Connections open when first used; `max` bounds them.
 */
export function connectDatabase(url: string, { max }: { max: number }): Database {
  const { port, username } = new URL(url);
  // Supabase's pooler in transaction mode (port 6543) gives each transaction another connection, so
  // nothing may be prepared on one; its user names carry the project after a dot.
  const transactionPooler = port === "6543";
  const isRole = decodeURIComponent(username).split(".")[0] === ROLE;
  return openPool(url, {
    max,
    prepare: !transactionPooler,
    answerWithin: ANSWER_MS,
    ...(isRole ? {} : { role: ROLE }),
  });
}

/**
 * SQLSTATE classes after which the same call may well succeed: connection, resources, operator intervention,
 * rolled back by a conflict (https://www.postgresql.org/docs/17/errcodes-appendix.html). 55P03 is a lock
 * waited for too long.
 */
const PASSING_SQLSTATE = /^(08|53|57|40)|^55P03$/;

/** Whether a failed call may succeed later, as it is: the database was away, busy or shutting down. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return error instanceof ConnectionLostError || hasSqlState(error, PASSING_SQLSTATE);
}

/**
 * SQLSTATE classes that are about the data itself: such text or numbers are JSON, and yet Postgres can store them nowhere
 * (https://www.postgresql.org/docs/17/datatype-json.html), or they go beyond its limits.
 */
const UNSTORABLE_SQLSTATE = /^(22|54)/;

/** Whether a failed call was given what Postgres cannot store. */
export function isUnstorable(error: unknown): boolean {
  return hasSqlState(error, UNSTORABLE_SQLSTATE);
}

const hasSqlState = (error: unknown, states: RegExp) =>
  isDatabaseError(error) && states.test(error.code ?? "");

/** Runs database calls; a database that is away becomes `BillingError` `database_unavailable`. */
export async function orUnavailable<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    throw new BillingError("database_unavailable", "The database cannot be reached. Try again in a moment.", {
      cause: error,
    });
  }
}
