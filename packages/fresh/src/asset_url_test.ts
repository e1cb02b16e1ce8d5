import assert from "node:assert/strict";
import { lockUrl } from "./asset_url.ts";

Deno.test("lockUrl() adds the build's id to paths on this host, once", () => {
  const locked = {
    "/a.css": "/a.css?__frsh_c=1",
    "/a.svg?v=2#top": "/a.svg?v=2&__frsh_c=1#top",
    "/a.css?__frsh_c=1": "/a.css?__frsh_c=1",
    "//cdn.test/a.css": "//cdn.test/a.css",
    "https://cdn.test/a.css": "https://cdn.test/a.css",
  };
  for (const [path, want] of Object.entries(locked)) assert.equal(lockUrl(path, "1"), want);
  assert.equal(lockUrl("/a.css", ""), "/a.css");
});
