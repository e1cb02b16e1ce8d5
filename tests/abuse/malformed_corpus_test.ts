import assert from "node:assert/strict";
import { apiClient, newAdmin } from "../http/client.ts";
import { startTestStack } from "../support/stack.ts";
import { malformedRequest, numbers } from "./malformed_corpus.ts";
import { report } from "./pressing.ts";
import { openSocket, statusOf } from "./sockets.ts";

const COUNT = 2_000;
const IN_FLIGHT = 20;

Deno.test("two thousand malformed requests over all routes are answered without a 5xx or a stack trace, and the server goes on", async () => {
  const printed: string[] = [];
  await using stack = await startTestStack({
    onLine: (name, line) => name === "plugin" && printed.push(line),
  });
  const api = apiClient(stack);
  const token = await api.signIn(newAdmin());
  const routes = [
    "/",
    "/assistant",
    "/nothing",
    "/style.css",
    "/favicon.ico",
    "/api",
    "/api/nothing",
    "/api/health",
    "/api/auth/session",
    "/api/auth/common-ground",
    "/api/community/billing-info",
    "/api/stripe/create-checkout-session",
    "/api/stripe/create-portal-session",
    "/api/assistant/messages",
    "/api/webhooks/stripe",
  ];
  const seed = 20261125;
  const random = numbers(seed);
  const statuses: Record<number, number> = {};
  let left = COUNT;
  const worker = async () => {
    while (left-- > 0) {
      const { bytes, what } = malformedRequest(random, routes);
      const socket = await openSocket(stack.urls.plugin);
      await socket.writeBytes(bytes);
      // A request that is not complete is waited for by the server; its patience has its own tests.
      const answer = await socket.end(1_000);
      const status = statusOf(answer);
      statuses[status] = (statuses[status] ?? 0) + 1;
      assert.ok(status < 500, `${what}: ${answer.text.slice(0, 500)}`);
      assert.doesNotMatch(answer.text, /\bat (async )?\S+ ?\(?(file|ext|node):|\.tsx?:\d/, what);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  report(`${COUNT} malformed requests, seed ${seed}`, { statuses });
  assert.equal(Object.values(statuses).reduce((sum, count) => sum + count), COUNT);
  const traces = printed.filter((line) => /^\s+at /.test(line));
  assert.deepEqual(traces.slice(0, 5), [], "no stack trace in the log either");
  assert.equal((await api.call("GET", "/api/community/billing-info", { token })).status, 200);
  assert.equal((await api.call("GET", "/api/health")).status, 200);
});
