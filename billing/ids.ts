import { z } from "zod";

/**
 * Ids that the parent app chose. They become a segment of a path (`/c/{communityId}/plugin/{pluginId}/`), so they must
 * survive percent-encoding (no lone surrogates) and must not be the segments a browser resolves away.
 */
const pathSegment = z.string().min(1).max(128).refine(
  (id) => id.isWellFormed() && !/\p{Cc}/u.test(id) && id !== "." && id !== "..",
  { error: "1 to 128 characters, no control characters, not . or .." },
);

export const communityIdSchema = pathSegment.brand<"CommunityId">();
export type CommunityId = z.output<typeof communityIdSchema>;

export const pluginIdSchema = pathSegment.brand<"PluginId">();
export type PluginId = z.output<typeof pluginIdSchema>;

/** What a community goes by in the parent app's addresses, where that is not its id. May change hands; never a key. */
export const slugSchema = pathSegment.brand<"Slug">();
export type Slug = z.output<typeof slugSchema>;
