import { createHash } from "node:crypto";

/**
 * Stripe's idempotency key for something that is made once. The parts say what it is: the same parts give the same key, and
 * any other parts another. It is a hash, because Stripe takes 255 characters of a header, and a community's id may be any
 * text (https://docs.stripe.com/api/idempotent_requests).
 */
export function idempotencyKey(...parts: [what: string, ...(string | number | boolean)[]]): string {
  return createHash("sha256").update(JSON.stringify(["dues", ...parts])).digest("hex");
}
