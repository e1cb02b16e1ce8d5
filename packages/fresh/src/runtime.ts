// The server's side of `fresh/runtime`; islands are bundled with client/runtime.ts in its place.
import type { ComponentChildren } from "preact";
import { lockUrl } from "./asset_url.ts";
import { currentBuildId } from "./server/build_id.ts";
import { addToHead } from "./server/head.ts";

/** Whether this code runs in the browser. */
export const IS_BROWSER: boolean = false;

/** `path` with a query parameter that stands for this build, so that it may be cached for good. */
export function asset(path: string): string {
  return lockUrl(path, currentBuildId());
}

/** Moves its children to the document's `<head>`, where they win over like tags of `_app`. */
export function Head({ children }: { children?: ComponentChildren }): null {
  addToHead(children);
  return null;
}
