import { createHash } from "node:crypto";
import { z } from "zod";

/** What Stripe's objects have in common. Every key that is read has to be there: a missing one means another shape. */

/** Stripe gives an id, or the whole object where it is expanded (https://docs.stripe.com/api/expanding_objects). */
export const idOf = z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]);

/** Stripe's times are unix seconds (https://docs.stripe.com/api); accepted up to the year 9999. */
export const unixSeconds = z.number().int().nonnegative().max(253_402_300_799);

/** The database takes ISO 8601. */
export const time = unixSeconds.transform((seconds) => new Date(seconds * 1000).toISOString());

/** A list within an object. Stripe puts only the first objects into it (https://docs.stripe.com/api/pagination). */
export const listOf = <T extends z.ZodType>(element: T) =>
  z.object({ data: z.array(element), has_more: z.boolean() });

/** The object is understood, but it does not contain all that is needed: Stripe has to be asked for the rest. */
export class IncompleteObjectError extends Error {
  override name = "IncompleteObjectError";
}

/** What was read of a subscription or invoice. */
export interface ObjectReading<State extends { id: string; status: string }> {
  customerId: string;
  state: State;
  /** Equal for equal states. */
  hash: string;
}

/** A hash of what was read, which is kept with the row so that an equal state is recognised. */
export function hashOf(state: object): string {
  return createHash("sha256").update(JSON.stringify(state)).digest("base64url");
}
