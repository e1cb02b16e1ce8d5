import { lockUrl } from "./asset_url.ts";
import { currentBuildId } from "./server/current_build.ts";

/** `path` with a query parameter that stands for this build, so that it may be cached for good. */
export function asset(path: string): string {
  return lockUrl(path, currentBuildId());
}
