import assert from "node:assert/strict";
import { lockImage, lockUrl } from "./asset_url.ts";

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

Deno.test("lockImage() locks every candidate of a srcset unless the tag forbids it", () => {
  const props = { srcset: "/a.png, /b.png 2x, https://x.test/c.png 3x" };
  lockImage("img", props, "1");
  assert.equal(props.srcset, "/a.png?__frsh_c=1, /b.png?__frsh_c=1 2x, https://x.test/c.png 3x");
  const free = { src: "/a.png", "data-fresh-disable-lock": true };
  lockImage("img", free, "1");
  assert.equal(free.src, "/a.png");
});
