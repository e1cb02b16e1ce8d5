import type Stripe from "stripe";

/** Metadata as a request sends it: `null` removes all keys, an empty value removes its key. */
export type MetadataChange = Record<string, string> | null | undefined;

/**
 * Merges the metadata of a request into the current metadata (https://docs.stripe.com/api/metadata). Returns a new
 * object.
 */
export function mergeMetadata(current: Stripe.Metadata, change: MetadataChange): Stripe.Metadata {
  if (change === undefined) return current;
  if (change === null) return {};
  const merged = Object.entries({ ...current, ...change });
  return Object.fromEntries(merged.filter(([, value]) => value !== ""));
}
