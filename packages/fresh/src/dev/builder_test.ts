import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Builder } from "./builder.ts";

const root = fileURLToPath(import.meta.resolve("../../testdata/app"));
const removeBuild = () => Deno.remove(`${root}/_fresh`, { recursive: true });

Deno.test("build() writes a server that serves pages, islands and files without the Builder", async () => {
  await new Builder({ root }).build();
  try {
    const { default: server } = await import(`file://${root}/_fresh/server.js`);
    const get = (path: string): Promise<Response> =>
      server.fetch(new Request(new URL(path, "http://localhost")));

    const home = await get("/");
    assert.match(await home.text(), /<button type="button"\s*>3<\/button>/);
    const scripts = home.headers.get("link")!.match(/(?<=<)[^>]+/g)!;
    for (const script of scripts) {
      const answer = await get(script);
      assert.deepEqual([answer.status, answer.headers.get("content-type")], [
        200,
        "text/javascript; charset=utf-8",
      ]);
      assert.match(answer.headers.get("cache-control")!, /immutable/);
      await answer.body?.cancel();
    }
    assert.equal((await get("/plain")).headers.get("link"), null);
    assert.match(await (await get("/style.css")).text(), /url\("\/logo\.svg"\)/);
  } finally {
    await removeBuild();
  }
});

Deno.test("build() bundles registered islands with those of the folder, as one file", async () => {
  const builder = new Builder({ root });
  builder.registerIsland(import.meta.resolve("../../testdata/app/components/Registered.tsx"));
  await builder.build();
  try {
    const { client, files } = JSON.parse(await Deno.readTextFile(`${root}/_fresh/manifest.json`));
    assert.deepEqual(Object.keys(files).filter((url) => url.endsWith(".js")), [client.url]);
    const code = await Deno.readTextFile(`${root}/_fresh/public${client.url}`);
    assert.match(code, /"output"/);
    assert.match(code, /"meter"/);
  } finally {
    await removeBuild();
  }
});

Deno.test("build() refuses an island that imports Fresh", async () => {
  const builder = new Builder({ root });
  builder.registerIsland(import.meta.resolve("../../testdata/app/main.ts"));
  await assert.rejects(builder.build(), /fresh is for the server: an island cannot import it/);
});

Deno.test("listen() serves from source, uncached, with the code that reloads pages", async () => {
  const stop = new AbortController();
  const { promise: listening, resolve: onListen } = Promise.withResolvers<Deno.NetAddr>();
  const finished = new Builder({ root }).listen(
    () => import("../../testdata/app/main.ts"),
    { port: 0, onListen, signal: stop.signal },
  );
  try {
    const { hostname, port } = await listening;
    assert.equal(hostname, "127.0.0.1");
    const origin = `http://127.0.0.1:${port}`;
    const css = await fetch(`${origin}/style.css`);
    assert.deepEqual([css.headers.get("etag"), await css.text()].map(Boolean), [false, true]);
    const plain = await (await fetch(`${origin}/plain`)).text();
    const [, reload] = plain.match(/import"([^"]+reload\.js)"/)!;
    assert.match(await (await fetch(origin + reload)).text(), /WebSocket/);

    const socket = new WebSocket(`ws://127.0.0.1:${port}/_fresh/alive`);
    const message = await new Promise<MessageEvent>((resolve) => socket.onmessage = resolve);
    assert.ok(reload.includes(message.data), "pages know a run of the server by its build");
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.close();
    await closed;
  } finally {
    stop.abort();
    await finished;
  }
});
