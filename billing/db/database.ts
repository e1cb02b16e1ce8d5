import type { z } from "zod";
import { BillingError } from "../errors.ts";
import { ConnectionLostError, isDatabaseError, openPool, type Pool, type Row } from "./sql.ts";

export type Database = Pool;

const ROLE = "billing_service";

/**
 * What role `billing_service` is given when it logs in (`alter role … set`). PostgreSQL does not apply the settings of a
 * role that a connection switches to, so a connection of another role starts with these.
 */
const SETTINGS_OF_ROLE = {
  role: ROLE,
  statement_timeout: "15s",
  lock_timeout: "10s",
  idle_in_transaction_session_timeout: "60s",
};

/** Longer than the role's statement_timeout, so that the server gives up first and reports why. */
const ANSWER_MS = 20_000;

/**
 * Connects as role `billing_service`, which can call the functions of schema `billing` and nothing else. With the URL of
 * another role (edge functions are given the project's own), each connection switches to `billing_service` first.
 * Connections are opened when they are needed, at most `max`.
 */
export function connectDatabase(url: string, { max }: { max: number }): Database {
  const { port, username } = new URL(url);
  // Supabase's pooler in transaction mode (port 6543) gives each transaction another connection, so statements cannot be
  // prepared. Its user names end with a dot and the project's id.
  const transactionPooler = port === "6543";
  const isRole = decodeURIComponent(username).split(".")[0] === ROLE;
  return openPool(url, {
    max,
    prepare: !transactionPooler,
    answerWithin: ANSWER_MS,
    ...(isRole ? {} : { settings: SETTINGS_OF_ROLE }),
  });
}

/**
 * SQLSTATE classes after which the same call may succeed: connection, resources, operator intervention, rolled back by a
 * conflict (https://www.postgresql.org/docs/17/errcodes-appendix.html). 55P03: waited too long for a lock.
 */
const TRANSIENT_SQLSTATE = /^(08|53|57|40)|^55P03$/;

/** Whether the same call may succeed later: the database was unreachable, busy or shutting down. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return error instanceof ConnectionLostError || hasSqlState(error, TRANSIENT_SQLSTATE);
}

/**
 * SQLSTATE classes about the data itself: valid JSON that Postgres cannot store, such as \u0000
 * (https://www.postgresql.org/docs/17/datatype-json.html), or that exceeds its limits.
 */
const UNSTORABLE_SQLSTATE = /^(22|54)/;

/** Whether a call failed because Postgres cannot store what it was given. */
export function isUnstorable(error: unknown): boolean {
  return hasSqlState(error, UNSTORABLE_SQLSTATE);
}

const hasSqlState = (error: unknown, states: RegExp) =>
  isDatabaseError(error) && states.test(error.code ?? "");

/** The result of a database call. Throws `BillingError` `database_unavailable` when isDatabaseUnavailable(). */
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

/**
 * The result of one SQL function, parsed: `` callDatabase(z.boolean(), db`select billing.is_live(${status})`) ``. The query
 * has one row with one column.
 *
 * Throws `BillingError` `database_unavailable`, and `z.ZodError` when the result does not fit the schema.
 */
export async function callDatabase<T extends z.ZodType>(
  schema: T,
  query: Promise<readonly Row[]>,
): Promise<z.output<T>> {
  const [row] = await orUnavailable(query);
  return schema.parse(Object.values(row)[0]);
}
