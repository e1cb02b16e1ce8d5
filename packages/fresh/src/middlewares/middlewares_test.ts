import assert from "node:assert/strict";
import { h } from "preact";
import { App } from "../app.ts";
import { type Build, emptyBuild, type StaticFile } from "../build.ts";
import { csp } from "./csp.ts";
import { staticFiles } from "./static_files.ts";

const request = (path: string, init?: RequestInit) => new Request(`http://localhost${path}`, init);

Deno.test("csp() replaces defaults by name and allows inline code by a nonce new for each page", async () => {
  const app = new App()
    .use(csp({ useNonce: true, csp: ["frame-ancestors https://parent.test"] }))
    .all("/", (ctx) => ctx.render(h("body", null, h("script", null, "1"))));
  const nonces = [];
  for (let i = 0; i < 2; i++) {
    const response = await app.handler()(request("/"));
    const policy = response.headers.get("content-security-policy")!;
    const [, nonce] = policy.match(/script-src 'self' 'nonce-(\w{32})'/)!;
    assert.match(await response.text(), new RegExp(`<script nonce="${nonce}">1</script>`));
    assert.match(policy, /frame-ancestors https:\/\/parent\.test/);
    assert.doesNotMatch(policy, /unsafe-inline|frame-ancestors 'none'/);
    nonces.push(nonce);
  }
  assert.notEqual(nonces[0], nonces[1]);
});

Deno.test("staticFiles() revalidates by etag, caches for good under the build's id, and redirects stale ids", async () => {
  const file: StaticFile = {
    type: "text/plain",
    etag: 'W/"1"',
    immutable: false,
    read: () => Promise.resolve(new TextEncoder().encode("text")),
  };
  const build: Build = { ...emptyBuild(), id: "now", files: new Map([["/a b.txt", file]]) };
  const handler = new App().use(staticFiles()).handler(build);
  const get = (path: string, headers?: HeadersInit) => handler(request(path, { headers }));

  const plain = await get("/a%20b.txt");
  assert.deepEqual([await plain.text(), plain.headers.get("content-length")], ["text", "4"]);
  assert.match(plain.headers.get("cache-control")!, /no-store/);
  assert.equal((await get("/a%20b.txt", { "if-none-match": 'W/"1"' })).status, 304);
  assert.match((await get("/a%20b.txt?__frsh_c=now")).headers.get("cache-control")!, /immutable/);
  const stale = await get("/a%20b.txt?v=1&__frsh_c=old");
  assert.deepEqual([stale.status, stale.headers.get("location")], [307, "/a%20b.txt?v=1"]);
  assert.equal((await get("/..%2fmain.ts")).status, 404);
});
