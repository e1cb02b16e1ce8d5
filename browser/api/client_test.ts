import assert from "node:assert/strict";
import { callApi, failure } from "./client.ts";

/** Replaces `fetch` until it is disposed, and records the requests. */
class FakeFetch implements Disposable {
  readonly requests: Request[] = [];
  #real = globalThis.fetch;

  constructor(answer: () => Response | Promise<Response>) {
    globalThis.fetch = (path, init) => {
      this.requests.push(new Request(new URL(String(path), "http://plugin.test"), init));
      return Promise.resolve().then(answer);
    };
  }

  [Symbol.dispose](): void {
    globalThis.fetch = this.#real;
  }
}

Deno.test("callApi() sends the token and a JSON body, and returns the data", async () => {
  using network = new FakeFetch(() => Response.json({ url: "https://checkout.stripe.com/1" }));
  const result = await callApi("POST", "/api/x", { token: "t1", body: { planCode: "pro" } });
  assert.deepEqual(result, { ok: true, data: { url: "https://checkout.stripe.com/1" } });
  const [request] = network.requests;
  assert.equal(request.headers.get("authorization"), "Bearer t1");
  assert.equal(request.headers.get("content-type"), "application/json");
  assert.deepEqual(await request.json(), { planCode: "pro" });
});

Deno.test("callApi() returns the status, code and members of a problem document", async () => {
  const problem = { code: "quota_exceeded", title: "…", quota: 100 };
  using _network = new FakeFetch(() => Response.json(problem, { status: 402 }));
  const result = await callApi("GET", "/api/x");
  assert.deepEqual(result, { ok: false, failure: { status: 402, code: "quota_exceeded", problem } });
});

Deno.test("callApi() fails with unexpected_answer for an answer that is not JSON, or an error without a code", async () => {
  {
    using _network = new FakeFetch(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    assert.deepEqual(await callApi("GET", "/api/x"), failure("unexpected_answer"));
  }
  using _network = new FakeFetch(() => Response.json(null, { status: 502 }));
  const result = await callApi("GET", "/api/x");
  assert.deepEqual(result, {
    ok: false,
    failure: { status: 502, code: "unexpected_answer", problem: null },
  });
});

Deno.test("callApi() fails with network_error when there is no answer", async () => {
  using _network = new FakeFetch(() => Promise.reject(new TypeError("Failed to fetch")));
  assert.deepEqual(await callApi("GET", "/api/x"), failure("network_error"));
});
