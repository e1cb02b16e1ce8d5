import { z } from "zod";

/**
 * Ids that the parent app chooses. Each becomes one segment of a path (`/c/{communityId}/plugin/{pluginId}/`), so it must
 * survive percent-encoding (no lone surrogates) and must not be `.` or `..`, which a browser resolves.
 */
const pathSegment = z.string().min(1).max(128).refine(
  (id) => id.isWellFormed() && !/\p{Cc}/u.test(id) && id !== "." && id !== "..",
  { error: "1 to 128 characters, no control characters, not . or .." },
);

export const communityIdSchema = pathSegment.brand<"CommunityId">();
export type CommunityId = z.output<typeof communityIdSchema>;

export const pluginIdSchema = pathSegment.brand<"PluginId">();
export type PluginId = z.output<typeof pluginIdSchema>;

/**
 * A community's name in the parent app's addresses, where that is not its id. Another community may take it over, so it is
 * never a key.
 */
export const slugSchema = pathSegment.brand<"Slug">();
export type Slug = z.output<typeof slugSchema>;
