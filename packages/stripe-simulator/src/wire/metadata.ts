import type Stripe from "stripe";

/** A change of metadata as it arrives: `null` removes everything, an empty value removes its key. */
export type MetadataChange = Record<string, string> | null | undefined;

/** Merges sent metadata into what is there (https://docs.stripe.com/api/metadata). The result is a new object. */
export function mergeMetadata(current: Stripe.Metadata, change: MetadataChange): Stripe.Metadata {
  if (change === undefined) return current;
  if (change === null) return {};
  const merged = Object.entries({ ...current, ...change });
  return Object.fromEntries(merged.filter(([, value]) => value !== ""));
}
