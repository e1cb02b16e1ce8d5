import assert from "node:assert/strict";
import { App } from "./app.ts";
import type { Middleware } from "./define.ts";
import { HttpError } from "./http_error.ts";

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

Deno.test("a route sees only the middlewares registered before it, the outer ones around the inner ones", async () => {
  const app = new App()
    .get("/early", say("early"))
    .use("/a", mark("a"))
    .use(mark("root"))
    .get("/a/:id", say("late"));
  assert.deepEqual(await ask(app, "/early"), [200, "early", null]);
  assert.deepEqual(await ask(app, "/a/1"), [200, "late", "a, root"]);
});

Deno.test("use(path) goes by the route's pattern, not by the address asked for", async () => {
  const app = new App().use("/a", mark("a")).get("/:x/b", say("pattern"));
  assert.deepEqual(await ask(app, "/a/b"), [200, "pattern", null]);
});

Deno.test("an unknown path is 404, a known one without the method 405, and OPTIONS names the methods", async () => {
  const app = new App().get("/a", say("got")).post("/a", say("posted"));
  assert.deepEqual(await ask(app, "/b"), [404, "Not Found", null]);
  assert.deepEqual(await ask(app, "/a", "DELETE"), [405, "Method Not Allowed", null]);
  assert.deepEqual(await ask(app, "/a", "HEAD"), [200, "", null]);
  const options = await app.handler()(new Request("http://localhost/a", { method: "OPTIONS" }));
  assert.deepEqual([options.status, options.headers.get("allow")], [204, "GET, POST"]);
});

Deno.test("only an HttpError shows its message; anything else is logged and a bare 500", async (t) => {
  const fail = (error: Error): Middleware => () => {
    throw error;
  };
  const app = new App()
    .get("/http", fail(new HttpError(418, "short and stout")))
    .get("/bug", fail(new Error("secret")))
    .get("/none", (() => "text") as unknown as Middleware);
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

Deno.test("ctx.redirect() keeps a path on this host, whatever slashes it has", async () => {
  const app = new App().get("/go", (ctx) => ctx.redirect(ctx.url.searchParams.get("to")!, 303));
  const targets = {
    "//evil.test/a": "/evil.test/a",
    "/\\evil.test": "/evil.test",
    "/\t/evil.test": "/evil.test",
    "/a//b?next=//c": "/a/b?next=//c",
    "https://x.test//a": "https://x.test//a",
  };
  for (const [to, location] of Object.entries(targets)) {
    const response = await app.handler()(new Request(`http://localhost/go?to=${encodeURIComponent(to)}`));
    assert.deepEqual([response.status, response.headers.get("location")], [303, location]);
  }
});

Deno.test("next() may be called again after it failed", async () => {
  let attempts = 0;
  const app = new App()
    .use((ctx) => ctx.next().catch(() => ctx.next()))
    .get("/", () => {
      if (++attempts === 1) throw new Error("first");
      return new Response(`attempt ${attempts}`);
    });
  assert.deepEqual(await ask(app, "/"), [200, "attempt 2", null]);
});
