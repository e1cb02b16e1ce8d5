import assert from "node:assert/strict";
import { callApi, failure } from "./client.ts";

/** Answers fetch with this until disposed, and keeps what was asked. */
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

Deno.test("callApi() sends the token and the body as JSON, and returns the data", async () => {
  using network = new FakeFetch(() => Response.json({ url: "https://checkout.stripe.com/1" }));
  const result = await callApi("POST", "/api/x", { token: "t1", body: { planCode: "pro" } });
  assert.deepEqual(result, { ok: true, data: { url: "https://checkout.stripe.com/1" } });
  const [request] = network.requests;
  assert.equal(request.headers.get("authorization"), "Bearer t1");
  assert.equal(request.headers.get("content-type"), "application/json");
  assert.deepEqual(await request.json(), { planCode: "pro" });
});

Deno.test("callApi() keeps the status, the code and the members of a problem document", async () => {
  const problem = { code: "quota_exceeded", title: "…", quota: 100 };
  using _network = new FakeFetch(() => Response.json(problem, { status: 402 }));
  const result = await callApi("GET", "/api/x");
  assert.deepEqual(result, { ok: false, failure: { status: 402, code: "quota_exceeded", problem } });
});

Deno.test("callApi() says unexpected_answer when an answer is no JSON or an error without a code", async () => {
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

Deno.test("callApi() says network_error when no answer comes", async () => {
  using _network = new FakeFetch(() => Promise.reject(new TypeError("Failed to fetch")));
  assert.deepEqual(await callApi("GET", "/api/x"), failure("network_error"));
});
