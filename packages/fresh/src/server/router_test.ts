import assert from "node:assert/strict";
import { Router } from "./router.ts";

const find = (router: Router<string>, path: string) => router.match(new URL(path, "http://localhost"));

Deno.test("Router: an exact path wins over a pattern registered before it", () => {
  const router = new Router<string>();
  router.add("/users/:id", "pattern");
  router.add("/users/me", "exact");
  assert.equal(find(router, "/users/me"), "exact");
  assert.equal(find(router, "/users/7"), "pattern");
  assert.equal(find(router, "/users"), undefined);
});

Deno.test("Router: the first pattern that fits decides, and the first handler of a path stays", () => {
  const router = new Router<string>();
  router.add("/:a/x", "first");
  router.add("/:b/x", "second");
  router.add("/a", "first");
  router.add("/a", "second");
  assert.equal(find(router, "/1/x"), "first");
  assert.equal(find(router, "/a"), "first");
});

Deno.test("Router: a catch-all takes its bare parent and what is not valid utf-8", () => {
  const router = new Router<string>();
  router.add("/files/:path*", "files");
  for (const path of ["/files/a%20b/c%2Fd", "/files", "/files/%ff"]) {
    assert.equal(find(router, path), "files", path);
  }
});

Deno.test("Router: an exact path answers with or without a slash at its end, a pattern does not", () => {
  const router = new Router<string>();
  router.add("/about", "about");
  router.add("/users/:id", "user");
  assert.equal(find(router, "/about/"), "about");
  assert.equal(find(router, "/users/7/"), undefined);
});
