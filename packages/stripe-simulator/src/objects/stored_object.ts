import type Stripe from "stripe";

/**
 * A Stripe object as the simulator stores and sends it: the SDK's type, with references as ids (until a request
 * expands them) and decimals as strings. Stored objects are replaced, never modified, so an event keeps the state at
 * its time.
 */
export type Stored<T> = { [Key in keyof T as Key extends "deleted" ? never : Key]: Reference<T[Key]> };

type Reference<Value> = [Extract<Value, string>] extends [never] ? Wire<Value>
  : Extract<Value, string | null | undefined>;

type Wire<Value> = [Extract<Value, Stripe.Decimal>] extends [never] ? Value
  : string | Exclude<Value, Stripe.Decimal>;

/** The reply for a deleted object. */
export interface Deleted {
  id: string;
  object: string;
  deleted: true;
}

/**
 * The API version of the SDK whose types these objects have. When the SDK is upgraded, type checking fails here
 * first.
 */
export const apiVersion: Stripe.LatestApiVersion = "2026-10-28.endive";

/** Unix time in seconds as an ISO 8601 string, as the v2 API writes it. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** The id of the simulated account. */
export const accountId = "acct_simulated";
