import assert from "node:assert/strict";
import { HttpConnection, requestBytes } from "./connection.ts";

async function serving(handler: Deno.ServeHandler, work: (port: number) => Promise<void>) {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  await work(server.addr.port);
}

const get = (port: number) => requestBytes({ method: "GET", path: "/", port, headers: {} });

Deno.test("exchange() sends a body and reads answers of known length, one after another", async () => {
  const echo = async (request: Request) => new Response(`${request.method} ${await request.text()} é`);
  await serving(echo, async (port) => {
    using connection = await HttpConnection.open(port);
    for (const body of ["one", "a longer one, with é"]) {
      const reply = await connection.exchange(
        requestBytes({ method: "POST", path: "/", port, headers: {}, body }),
        true,
      );
      assert.deepEqual([reply.status, reply.body], [200, `POST ${body} é`]);
      assert.ok(reply.milliseconds > 0);
    }
  });
});

Deno.test("exchange() reads chunks, also when they are larger than its buffer", async () => {
  const part = "0123456789".repeat(20_000);
  const chunked = () =>
    new Response(ReadableStream.from([part, "-", part]).pipeThrough(new TextEncoderStream()));
  await serving(chunked, async (port) => {
    using connection = await HttpConnection.open(port);
    const reply = await connection.exchange(get(port), true);
    assert.equal(reply.bytes, part.length * 2 + 1);
    assert.ok(reply.body === `${part}-${part}`);
    assert.equal((await connection.exchange(get(port))).bytes, part.length * 2 + 1);
  });
});

Deno.test("exchange() keeps the body of an answer other than 200", async () => {
  await serving(() => new Response("no such thing", { status: 404 }), async (port) => {
    using connection = await HttpConnection.open(port);
    const { status, body } = await connection.exchange(get(port));
    assert.deepEqual([status, body], [404, "no such thing"]);
  });
});

Deno.test("exchange() rejects when the server hangs up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept().then((socket) => socket.close());
  using connection = await HttpConnection.open(listener.addr.port);
  await accepted;
  await assert.rejects(connection.exchange(get(listener.addr.port)));
});
