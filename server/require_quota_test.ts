import assert from "node:assert/strict";
import type { Context } from "fresh";
import { z } from "zod";
import { BillingError } from "../billing/errors.ts";
import type { QuotaOptions } from "../billing/quota/quota.ts";
import type { State } from "./page_context.ts";
import { requireQuota } from "./require_quota.ts";

/** The context of a request to a feature that answers with `feature`, and what the middleware did. */
function scene(
  { feature, refusal, releaseFails = false }: {
    feature: () => Response | Promise<Response>;
    refusal?: Error;
    releaseFails?: boolean;
  },
) {
  const seen = { asked: [] as (QuotaOptions | undefined)[], ran: 0, released: 0 };
  const billing = {
    limit: () => Promise.resolve(),
    authenticate: () => Promise.resolve({ userId: "ann", communityId: "garden" }),
    requireQuota: (_session: unknown, _feature: string, options?: QuotaOptions) => {
      if (refusal) return Promise.reject(refusal);
      seen.asked.push(options);
      return Promise.resolve({
        feature: "ai_chat_message",
        quantity: 1,
        limits: [{ windowSeconds: 60, period: "rolling", quota: 5, used: 2, secondsToReset: 30 }],
        release: () => {
          seen.released++;
          return releaseFails ? Promise.reject(new Error("no database")) : Promise.resolve(1);
        },
      });
    },
  };
  const ctx = {
    state: { billing },
    req: new Request("https://billing.example/api/assistant/messages?units=3"),
    next: () => {
      seen.ran++;
      return Promise.resolve().then(feature);
    },
  } as unknown as Context<State>;
  return { ctx, seen };
}

const guard = requireQuota("ai_chat_message");
const answerOf = (status: number) => () => new Response(null, { status });

Deno.test("requireQuota keeps the units of a feature that succeeds, and adds RateLimit headers", async () => {
  const { ctx, seen } = scene({ feature: answerOf(200) });
  const response = await guard(ctx);
  assert.equal(response.headers.get("ratelimit"), `"ai_chat_message-60s";r=3;t=30`);
  assert.deepEqual(seen, { asked: [{}], ran: 1, released: 0 });
});

Deno.test("requireQuota keeps the units of a feature that redirects", async () => {
  const { ctx, seen } = scene({ feature: answerOf(303) });
  await guard(ctx);
  assert.equal(seen.released, 0);
});

Deno.test("requireQuota gives the units back when the feature answers with an error", async () => {
  for (const status of [400, 404, 500, 503]) {
    const { ctx, seen } = scene({ feature: answerOf(status) });
    const response = await guard(ctx);
    assert.deepEqual([response.status, seen.released], [status, 1]);
    assert.equal(response.headers.get("ratelimit"), null);
  }
});

Deno.test("requireQuota gives the units back when the feature throws, and passes its error on", async () => {
  const failure = new Error("the model is away");
  const { ctx, seen } = scene({ feature: () => Promise.reject(failure) });
  await assert.rejects(async () => await guard(ctx), failure);
  assert.equal(seen.released, 1);
});

Deno.test("requireQuota logs a release that fails, and passes the feature's error on", async () => {
  const logged: unknown[][] = [];
  const original = console.error;
  console.error = (...parts) => logged.push(parts);
  try {
    const failure = new Error("the model is away");
    const { ctx } = scene({ feature: () => Promise.reject(failure), releaseFails: true });
    await assert.rejects(async () => await guard(ctx), failure);
  } finally {
    console.error = original;
  }
  assert.match(String(logged[0][0]), /1 ai_chat_message could not be given back/);
});

Deno.test("requireQuota does not run the feature when the quota is exceeded", async () => {
  const refusal = new BillingError("quota_exceeded", "no more");
  const { ctx, seen } = scene({ feature: answerOf(200), refusal });
  await assert.rejects(async () => await guard(ctx), refusal);
  assert.deepEqual([seen.ran, seen.released], [0, 0]);
});

Deno.test("requireQuota takes quantity and idempotency key from the request", async () => {
  const { ctx, seen } = scene({ feature: answerOf(200) });
  const guard = requireQuota("ai_chat_message", ({ req }) => ({
    quantity: Number(new URL(req.url).searchParams.get("units")),
    idempotencyKey: "message 7",
  }));
  await guard(ctx);
  assert.deepEqual(seen.asked, [{ quantity: 3, idempotencyKey: "message 7" }]);
});

Deno.test("requireQuota takes no units for a body that is malformed, of another method, or that does not arrive", async () => {
  const guard = requireQuota("ai_chat_message", { body: z.strictObject({ message: z.string() }) });
  const requests: [RequestInit, string][] = [
    [{ method: "POST", body: "{" }, "invalid_json"],
    [{ method: "POST", body: '{"message":7}' }, "invalid_request"],
    [{ method: "POST", body: "x".repeat(20_000) }, "payload_too_large"],
    [{ method: "PUT", body: '{"message":"a"}' }, "method_not_allowed"],
    [{ method: "GET" }, "method_not_allowed"],
    [
      {
        method: "POST",
        body: new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) }),
      },
      "incomplete_body",
    ],
  ];
  for (const [init, code] of requests) {
    const { ctx, seen } = scene({ feature: answerOf(200) });
    Object.assign(ctx, { req: new Request("https://billing.example/api/assistant/messages", init) });
    await assert.rejects(async () => await guard(ctx), { code });
    assert.deepEqual(seen, { asked: [], ran: 0, released: 0 });
  }
});

Deno.test("requireQuota hands the checked body to the feature, and lets it read any other itself", async () => {
  const { ctx, seen } = scene({ feature: answerOf(200) });
  const body = JSON.stringify({ message: "hello" });
  Object.assign(ctx, { req: new Request("https://billing.example/", { method: "POST", body }) });
  await requireQuota("ai_chat_message", { body: z.strictObject({ message: z.string() }) })(ctx);
  assert.deepEqual([ctx.state.body, seen.ran], [{ message: "hello" }, 1]);

  const other = scene({ feature: async () => new Response(await other.ctx.req.text()) });
  Object.assign(other.ctx, { req: new Request("https://billing.example/", { method: "POST", body: "any" }) });
  assert.equal(await (await requireQuota("ai_chat_message")(other.ctx)).text(), "any");
});

Deno.test("requireQuota asks the limits before the database", async () => {
  const { ctx, seen } = scene({ feature: answerOf(200) });
  const refusal = new BillingError("too_many_requests", "wait");
  Object.assign(ctx.state.billing, { limit: () => Promise.reject(refusal) });
  await assert.rejects(async () => await guard(ctx), refusal);
  assert.deepEqual(seen, { asked: [], ran: 0, released: 0 });
});
