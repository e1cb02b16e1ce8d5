import assert from "node:assert/strict";
import { App } from "./app.ts";
import { HttpError } from "./http_error.ts";
import type { Middleware } from "./types.ts";

const say = (text: string): Middleware => () => new Response(text);
const mark = (name: string): Middleware => async (ctx) => {
  const response = await ctx.next();
  response.headers.append("x-mark", name);
  return response;
};

async function ask(app: App, path: string, method = "GET"): Promise<[number, string, string | null]> {
  const response = await app.handler()(new Request(`http://localhost${path}`, { method }));
  return [response.status, await response.text(), response.headers.get("x-mark")];
}

Deno.test("App: a route sees only the middlewares registered before it, the first outermost", async () => {
  const app = new App()
    .all("/early", say("early"))
    .use(mark("outer"), mark("inner"))
    .all("/a/late", mark("own"), say("late"));
  assert.deepEqual(await ask(app, "/early"), [200, "early", null]);
  assert.deepEqual(await ask(app, "/a/late"), [200, "late", "own, inner, outer"]);
});

Deno.test("App.all() answers every method, HEAD without a body; an unknown path is 404", async () => {
  const app = new App().all("/a", say("got"));
  assert.deepEqual(await ask(app, "/b"), [404, "Not Found", null]);
  assert.deepEqual(await ask(app, "/a", "DELETE"), [200, "got", null]);
  assert.deepEqual(await ask(app, "/a", "HEAD"), [200, "", null]);
});

Deno.test("App.all() refuses a pattern", () => {
  assert.throws(() => new App().all("/users/:id", say("user")), /\/users\/:id: patterns are for files/);
});

Deno.test("App: only an HttpError shows its message; anything else is logged and a bare 500", async (t) => {
  const fail = (error: Error): Middleware => () => {
    throw error;
  };
  const app = new App()
    .all("/http", fail(new HttpError(418, "short and stout")))
    .all("/bug", fail(new Error("secret")))
    .all("/none", (() => "text") as unknown as Middleware);
  const logged: unknown[] = [];
  const { error } = console;
  console.error = (...args) => logged.push(...args);
  try {
    await t.step(
      "http",
      async () => assert.deepEqual(await ask(app, "/http"), [418, "short and stout", null]),
    );
    await t.step(
      "bug",
      async () => assert.deepEqual(await ask(app, "/bug"), [500, "Internal server error", null]),
    );
    await t.step("none", async () => assert.equal((await ask(app, "/none"))[0], 500));
  } finally {
    console.error = error;
  }
  assert.equal(logged.length, 2);
});

Deno.test("Context: slashes that follow one another in the request's path are one", async () => {
  const app = new App().all("/a/b", (ctx) => new Response(ctx.url.pathname));
  assert.deepEqual(await ask(app, "//a///b"), [200, "/a/b", null]);
});

Deno.test("Context.next() may be called again after it failed", async () => {
  let attempts = 0;
  const app = new App()
    .use((ctx) => ctx.next().catch(() => ctx.next()))
    .all("/", () => {
      if (++attempts === 1) throw new Error("first");
      return new Response(`attempt ${attempts}`);
    });
  assert.deepEqual(await ask(app, "/"), [200, "attempt 2", null]);
});
