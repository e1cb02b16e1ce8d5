import assert from "node:assert/strict";
import { exchange, openSocket, statusOf } from "../tests/abuse/sockets.ts";
import { type Fetch, type HttpServer, listen } from "./http_server.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const hello: Fetch = async (request) => {
  const body = await request.text();
  return Response.json({ path: new URL(request.url).pathname, size: body.length });
};

async function withServer(
  limits: Parameters<typeof listen>[1]["limits"],
  test: (url: string, server: HttpServer) => Promise<void>,
  fetch = hello,
) {
  await using server = await listen(fetch, { hostname: "127.0.0.1", port: 0, limits });
  await test(`http://127.0.0.1:${server.port}`, server);
}

const GET = "GET /hello HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

Deno.test("a connection that sends no request is closed after the headers' deadline", async () => {
  await withServer({ headersMs: 300, requestMs: 600 }, async (url) => {
    const { closed, took } = await exchange(url, "");
    assert.ok(closed && took < 2_000, `closed after ${took} ms`);
  });
});

Deno.test("headers that come one by one do not extend their deadline", async () => {
  await withServer({ headersMs: 500, requestMs: 800 }, async (url) => {
    const socket = await openSocket(url);
    await socket.write("GET / HTTP/1.1\r\nHost: a.test\r\n");
    const dripping = setInterval(() => socket.write("X-More: 1\r\n"), 50);
    const answer = await socket.end(4_000);
    clearInterval(dripping);
    assert.ok(answer.closed && answer.took < 2_500, `closed after ${answer.took} ms`);
    assert.ok([0, 408].includes(statusOf(answer)), answer.text);
  });
});

Deno.test("a body that comes byte by byte does not extend the request's deadline", async () => {
  await withServer({ headersMs: 400, requestMs: 800 }, async (url) => {
    const socket = await openSocket(url);
    await socket.write("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\n");
    const dripping = setInterval(() => socket.write("x"), 50);
    const answer = await socket.end(4_000);
    clearInterval(dripping);
    assert.ok(answer.closed && answer.took < 2_500, `closed after ${answer.took} ms`);
  });
});

Deno.test("an answer that nobody takes ends with the answer's deadline", async () => {
  const large: Fetch = () => new Response(new Uint8Array(64 * 1024 * 1024));
  await withServer({ answerMs: 700 }, async (url, server) => {
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(new TextEncoder().encode(GET));
    await pause(1_500);
    assert.equal(server.counts.open, 0);
    connection.close();
  }, large);
});

Deno.test("an answer that takes longer than its deadline to begin is cut off", async () => {
  const never: Fetch = () => new Promise(() => {});
  await withServer({ answerMs: 400 }, async (url) => {
    const { closed, took } = await exchange(url, GET, 3_000);
    assert.ok(closed && took < 2_000);
  }, never);
});

Deno.test("silent connections beyond the bound make room for those that send a request", async () => {
  await withServer({ maxConnections: 20 }, async (url, server) => {
    const silent = await Promise.all(Array.from({ length: 60 }, () => openSocket(url)));
    const answers = [];
    for (let i = 0; i < 10; i++) answers.push(statusOf(await exchange(url, GET)));
    assert.deepEqual(answers, Array(10).fill(200));
    assert.ok(server.counts.open <= 20, `${server.counts.open} open`);
    assert.ok(server.counts.evicted >= 40, `${server.counts.evicted} evicted`);
    silent.forEach((socket) => socket.close());
  });
});

Deno.test("connections whose body has not come make room as well", async () => {
  await withServer({ maxConnections: 10 }, async (url) => {
    const half = await Promise.all(Array.from({ length: 30 }, () => openSocket(url)));
    await Promise.all(
      half.map((socket) => socket.write("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nx")),
    );
    assert.equal(statusOf(await exchange(url, GET)), 200);
    half.forEach((socket) => socket.close());
  });
});

Deno.test("a connection is refused while all others are being answered, and served when one is done", async () => {
  const held = Promise.withResolvers<void>();
  const slow: Fetch = async () => {
    await held.promise;
    return new Response("done");
  };
  await withServer({ maxConnections: 8 }, async (url, server) => {
    const busy = await Promise.all(Array.from({ length: 8 }, () => openSocket(url)));
    await Promise.all(busy.map((socket) => socket.write(GET)));
    await pause(200);
    assert.equal(statusOf(await exchange(url, GET)), 0);
    assert.equal(server.counts.refused, 1);
    held.resolve();
    const answers = await Promise.all(busy.map((socket) => socket.end(2_000)));
    assert.deepEqual(answers.map(statusOf), Array(8).fill(200), "those under way are not evicted");
    assert.equal(statusOf(await exchange(url, GET)), 200);
  }, slow);
});

Deno.test("what is no HTTP is answered 400 or closed, and the server goes on", async () => {
  await withServer({}, async (url, server) => {
    const faulty = [
      "\0\x01\x02\r\n\r\n",
      "GET\r\n\r\n",
      "FOO / HTTP/1.1\r\nHost: a.test\r\n\r\n",
      "GET / HTTP/9.9\r\nHost: a.test\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a.test\r\nBad Header: x\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
      `GET / HTTP/1.1\r\nHost: a.test\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      "GET / HTTP/1.1\r\nHost: [::\r\nConnection: close\r\n\r\n",
    ];
    for (const text of faulty) {
      const answer = await exchange(url, text, 3_000);
      assert.ok(
        [0, 400, 431].includes(statusOf(answer)),
        `${JSON.stringify(text.slice(0, 60))}: ${answer.text}`,
      );
      assert.doesNotMatch(answer.text, /\bat \S+:\d+/);
    }
    assert.equal(statusOf(await exchange(url, GET)), 200);
    assert.ok(server.counts.faulty >= 7);
  });
});

Deno.test("what the app throws is answered 500 without details", async () => {
  const broken: Fetch = () => Promise.reject(new Error("a secret"));
  const logged = console.error;
  console.error = () => {};
  try {
    await withServer({}, async (url) => {
      const answer = await exchange(url, GET);
      assert.equal(statusOf(answer), 500);
      assert.match(answer.text, /internal_error/);
      assert.doesNotMatch(answer.text, /secret/);
    }, broken);
  } finally {
    console.error = logged;
  }
});

Deno.test("close() answers what is under way and ends idle connections", async () => {
  const slow: Fetch = async () => {
    await pause(300);
    return new Response("done");
  };
  const server = await listen(slow, { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${server.port}`;
  const busy = await openSocket(url);
  const idle = await openSocket(url);
  await busy.write(GET);
  await pause(50);
  const closing = server.close();
  assert.equal(statusOf(await busy.end(2_000)), 200);
  idle.close();
  await closing;
});
