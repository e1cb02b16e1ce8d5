import assert from "node:assert/strict";
import { callApi, failure } from "./api.ts";

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

Deno.test("callApi() keeps the status and the code of a problem document", async () => {
  using _network = new FakeFetch(() => Response.json({ code: "not_admin", title: "…" }, { status: 403 }));
  assert.deepEqual(await callApi("GET", "/api/x"), failure("not_admin", 403));
});

Deno.test("callApi() says unexpected_answer when an answer is no JSON or an error without a code", async () => {
  {
    using _network = new FakeFetch(() => new Response("<h1>Bad gateway</h1>", { status: 502 }));
    assert.deepEqual(await callApi("GET", "/api/x"), failure("unexpected_answer"));
  }
  using _network = new FakeFetch(() => Response.json(null, { status: 502 }));
  assert.deepEqual(await callApi("GET", "/api/x"), failure("unexpected_answer", 502));
});

Deno.test("callApi() says network_error when no answer comes", async () => {
  using _network = new FakeFetch(() => Promise.reject(new TypeError("Failed to fetch")));
  assert.deepEqual(await callApi("GET", "/api/x"), failure("network_error"));
});
