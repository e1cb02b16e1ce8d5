import assert from "node:assert/strict";
import { h } from "preact";
import { App } from "../app.ts";
import { emptyBuild } from "../build.ts";
import { HttpError } from "../http_error.ts";
import type { PageProps } from "../types.ts";
import { isRouteFile } from "./file_routes.ts";

type Module = Record<string, unknown>;

const page = (text: string) => ({ default: () => h("p", null, text) });
const fail = (error: Error) => ({ handler: () => Promise.reject(error) });

async function get(routes: Record<string, Module>, path: string, method = "GET") {
  const files = Object.entries(routes).map(([path, module]) => ({ path, module }));
  const handler = new App().fsRoutes().handler({ ...emptyBuild(), routes: files });
  const response = await handler(new Request(`http://localhost${path}`, { method }));
  return { status: response.status, headers: response.headers, body: await response.text() };
}

Deno.test("a page lies in _app, rendered or by ctx.render(), and its scripts get the page's nonce", async () => {
  const app = {
    default: ({ Component }: PageProps) =>
      h("html", null, h("body", null, h(Component, null), h("script", null, "1"))),
  };
  const files = Object.entries({ "_app.tsx": app, "a.tsx": page("a") }).map(([path, module]) => ({
    path,
    module,
  }));
  const handler = new App().fsRoutes().all("/b", (ctx) => ctx.render(h("p", null, "b")))
    .handler({ ...emptyBuild(), routes: files });
  for (const name of ["a", "b"]) {
    const html = await (await handler(new Request(`http://localhost/${name}`))).text();
    assert.match(
      html,
      new RegExp(
        `^<!DOCTYPE html><html><body><p>${name}</p><script nonce="\\w{32}">1</script></body></html>$`,
      ),
    );
  }
});

Deno.test("a page that returns a Promise or a Response is a 500", async () => {
  const { error } = console;
  console.error = () => {};
  try {
    for (const result of [Promise.resolve(null), new Response()]) {
      assert.equal((await get({ "a.tsx": { default: () => result } }, "/a")).status, 500);
    }
  } finally {
    console.error = error;
  }
});

Deno.test("the most specific file wins: static before parameter before catch-all", async () => {
  const routes = { "[...all].tsx": page("all"), "a/[id].tsx": page("id"), "a/b.tsx": page("b") };
  for (const [path, text] of [["/a/b", "b"], ["/a/c", "id"], ["/a/c/d", "all"]]) {
    assert.match((await get(routes, path)).body, new RegExp(`<p>${text}</p>`));
  }
});

Deno.test("the nearest error page answers with the error's status; root middlewares do not touch it", async () => {
  const error = (name: string) => ({
    default: ({ error }: PageProps) => h("p", null, `${name}: ${(error as Error).message}`),
  });
  const routes = {
    "_error.tsx": error("root"),
    "_middleware.ts": {
      default: async (ctx: { next(): Promise<Response> }) => {
        const response = await ctx.next();
        response.headers.set("x-root", "1");
        return response;
      },
    },
    "a/_error.tsx": error("inner"),
    "a/index.ts": fail(new HttpError(402, "pay first")),
    "b.ts": fail(new Error("bug")),
  };
  const inner = await get(routes, "/a");
  assert.deepEqual([inner.status, inner.headers.get("x-root")], [402, "1"]);
  assert.match(inner.body, /inner: pay first/);
  const root = await get(routes, "/b");
  assert.deepEqual([root.status, root.headers.get("x-root")], [500, null]);
  assert.match(root.body, /root: bug/);
  assert.equal((await get(routes, "/nowhere")).status, 404);
});

Deno.test("a page answers every method", async () => {
  assert.equal((await get({ "page.tsx": page("any") }, "/page", "POST")).status, 200);
});

Deno.test("a route with an object of handlers, or with neither handler nor page, is refused at the start", () => {
  const start = (module: Module) =>
    new App().fsRoutes().handler({ ...emptyBuild(), routes: [{ path: "a.ts", module }] });
  assert.throws(() => start({ handler: { GET: () => new Response() } }), /routes\/a\.ts exports neither/);
  assert.throws(() => start({}), /routes\/a\.ts exports neither/);
});

Deno.test("tests and unknown underscore files are no routes; what only upstream knows is refused", () => {
  const paths = ["a.tsx", "_app.tsx", "a_test.ts", "_notes.ts", "a.d.ts", "readme.md"];
  assert.deepEqual(paths.filter(isRouteFile), ["a.tsx", "_app.tsx"]);
  for (const path of ["_layout.tsx", "a/_404.tsx", "(_islands)/A.tsx"]) {
    assert.throws(() => isRouteFile(path), /left out/);
  }
});
