import assert from "node:assert/strict";
import { Router } from "./router.ts";

const find = (router: Router<string>, path: string, method = "GET") =>
  router.match(method, new URL(path, "http://localhost"));

Deno.test("an exact path wins over a pattern registered before it", () => {
  const router = new Router<string>();
  router.add("GET", "/users/:id", "pattern");
  router.add("GET", "/users/me", "exact");
  assert.deepEqual(find(router, "/users/me"), { kind: "found", handler: "exact", params: {} });
  assert.deepEqual(find(router, "/users/7"), { kind: "found", handler: "pattern", params: { id: "7" } });
});

Deno.test("the first pattern that fits decides, even when it lacks the method", () => {
  const router = new Router<string>();
  router.add("GET", "/:a/x", "first");
  router.add("POST", "/:b/x", "second");
  assert.deepEqual(find(router, "/1/x", "POST"), { kind: "wrong method", allow: "GET" });
});

Deno.test("the first handler of a method and path stays", () => {
  const router = new Router<string>();
  router.add("GET", "/a", "first");
  router.add("GET", "/a", "second");
  router.add("ALL", "/a", "all");
  router.add("PUT", "/a", "too late");
  const handlers = ["GET", "HEAD", "PUT"].map((method) => find(router, "/a", method));
  assert.deepEqual(handlers.map((match) => match.kind === "found" && match.handler), ["first", "all", "all"]);
});

Deno.test("parameters are decoded with decodeURI, and kept as sent when that is impossible", () => {
  const router = new Router<string>();
  router.add("GET", "/files/:path*", "files");
  const paths = { "/files/a%20b/c%2Fd": "a b/c%2Fd", "/files": "", "/files/%ff": "%ff" };
  for (const [address, path] of Object.entries(paths)) {
    assert.deepEqual(find(router, address), { kind: "found", handler: "files", params: { path } });
  }
});

Deno.test("an exact path answers with or without a slash at its end, a pattern does not", () => {
  const router = new Router<string>();
  router.add("GET", "/about", "about");
  router.add("GET", "/users/:id", "user");
  assert.equal(find(router, "/about/").kind, "found");
  assert.equal(find(router, "/users/7/").kind, "unknown");
});
