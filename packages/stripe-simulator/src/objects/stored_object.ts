import type Stripe from "stripe";

/**
 * A Stripe object as the simulator keeps and sends it: the SDK's type, with references as ids until a request expands
 * them and decimals as the text that goes over the wire. Stored objects are replaced, never changed in place, so that
 * an event can hold on to the state of its moment.
 */
export type Stored<T> = { [Key in keyof T as Key extends "deleted" ? never : Key]: Reference<T[Key]> };

type Reference<Value> = [Extract<Value, string>] extends [never] ? Wire<Value>
  : Extract<Value, string | null | undefined>;

type Wire<Value> = [Extract<Value, Stripe.Decimal>] extends [never] ? Value
  : string | Exclude<Value, Stripe.Decimal>;

/** What remains of a deleted object. */
export interface Deleted {
  id: string;
  object: string;
  deleted: true;
}

/** The API version of the SDK whose types these objects have. An upgrade of the SDK fails to compile here first. */
export const apiVersion: Stripe.LatestApiVersion = "2026-10-28.endive";

/** A moment as the v2 API writes it; v1 has seconds. */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** The id of the one account there is. */
export const accountId = "acct_simulated";
