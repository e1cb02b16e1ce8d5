import assert from "node:assert/strict";
import { h } from "preact";
import { App } from "../app.ts";
import { emptyBuild } from "../build.ts";
import type { PageProps } from "../define.ts";
import { HttpError } from "../http_error.ts";
import { Head } from "../runtime.ts";
import { isRouteFile } from "./file_routes.ts";

type Module = Record<string, unknown>;

const page = (text: string) => ({ default: () => h("p", null, text) });
const layout = (name: string) => ({
  default: ({ Component }: PageProps<null>) => h("section", { id: name }, h(Component, null)),
});
const fail = (error: Error) => ({ handler: () => Promise.reject(error) });

async function get(routes: Record<string, Module>, path: string, method = "GET") {
  const files = Object.entries(routes).map(([path, module]) => ({ path, module }));
  const handler = new App().fsRoutes().handler({ ...emptyBuild(), routes: files });
  const response = await handler(new Request(`http://localhost${path}`, { method }));
  return { status: response.status, headers: response.headers, body: await response.text() };
}

Deno.test("a page lies in the layouts of its folders, groups included, and in _app", async () => {
  const app = {
    default: ({ Component }: PageProps<null>) =>
      h("html", null, h("head", null, h("title", null, "app")), h("body", null, h(Component, null))),
  };
  const routes = { "_app.tsx": app, "_layout.tsx": layout("root"), "(g)/_layout.tsx": layout("group") };
  const { body } = await get({ ...routes, "(g)/a.tsx": page("a") }, "/a");
  assert.equal(
    body,
    '<!DOCTYPE html><html><head><title>app</title></head><body><section id="root"><section id="group">' +
      "<p>a</p></section></section></body></html>",
  );
});

Deno.test("tags in <Head> replace like tags of _app, and one page's tags are not left over for the next", async () => {
  const app = {
    default: ({ Component }: PageProps<null>) =>
      h("html", null, h("head", null, h("title", null, "app")), h("body", null, h(Component, null))),
  };
  const titled = {
    default: () => h(Head, null, h("title", null, "page"), h("meta", { name: "a", content: "b" })),
  };
  const routes = { "_app.tsx": app, "titled.tsx": titled, "plain.tsx": page("plain") };
  const head = async (path: string) => (await get(routes, path)).body.match(/<head>(.*)<\/head>/)![1];
  assert.equal(await head("/titled"), '<title>page</title><meta name="a" content="b"/>');
  assert.equal(await head("/plain"), "<title>app</title>");
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

Deno.test("a method that a handler object lacks is 404; a page without handler answers every method", async () => {
  const routes = { "api.ts": { handler: { GET: () => new Response("got") } }, "page.tsx": page("any") };
  assert.equal((await get(routes, "/api", "POST")).status, 404);
  assert.equal((await get(routes, "/page", "POST")).status, 200);
});

Deno.test("tests, private folders and unknown underscore files are no routes", () => {
  const paths = ["a.tsx", "_app.tsx", "a_test.ts", "(_islands)/A.tsx", "_notes.ts", "a.d.ts", "readme.md"];
  assert.deepEqual(paths.filter(isRouteFile), ["a.tsx", "_app.tsx"]);
});
