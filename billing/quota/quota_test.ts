import assert from "node:assert/strict";
import type { Database } from "../db/database.ts";
import { BillingError } from "../errors.ts";
import { problemOf } from "../http/problem.ts";
import { readConsumed } from "./quota_answer.ts";
import { requireQuota, requireQuotaBatch } from "./quota.ts";
import type { Session } from "../identity/session_token.ts";

const session = { userId: "ann", communityId: "garden", isAdmin: false, pluginId: null } as Session;

/** A database that must not be called. */
const untouched = (() => assert.fail("the database was called")) as unknown as Database;

const refused = {
  outcome: "refused",
  plan: "free",
  window_seconds: 3600,
  period: "rolling",
  quota: 3,
  used: 3,
  resets_at: "2026-06-15T13:00:10.5+00:00",
  retry_after_seconds: 11,
  upgrade_plan: "pro",
};

async function problem(answer: unknown) {
  try {
    readConsumed("ai_chat_message", answer);
  } catch (error) {
    const response = problemOf(error);
    return { status: response.status, headers: response.headers, body: await response.json() };
  }
  return assert.fail("the answer was read as allowed");
}

Deno.test("requireQuota and requireQuotaBatch refuse invalid quantities and keys without a database call", async () => {
  for (const quantity of [0, -1, 1.5, NaN, Infinity, 2 ** 53, "3" as unknown as number]) {
    await assert.rejects(
      requireQuota({ db: untouched }, session, "ai_chat_message", { quantity }),
      { code: "invalid_quantity" },
      `${quantity}`,
    );
  }
  for (const idempotencyKey of ["", "x".repeat(256), "a\0b", "\ud800"]) {
    await assert.rejects(
      requireQuota({ db: untouched }, session, "ai_chat_message", { idempotencyKey }),
      { code: "invalid_idempotency_key" },
    );
  }
  const use = { feature: "ai_chat_message" as const };
  await assert.rejects(requireQuotaBatch({ db: untouched }, session, [use, { ...use, quantity: 0 }]), {
    code: "invalid_quantity",
  });
  await assert.rejects(requireQuotaBatch({ db: untouched }, session, Array(1001).fill(use)), {
    code: "invalid_quantity",
  });
});

Deno.test("quota_exceeded is a 402 with quota, used, resetsAt, Retry-After and upgradePlan", async () => {
  const { status, headers, body } = await problem(refused);
  assert.equal(status, 402);
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.equal(headers.get("retry-after"), "11");
  assert.deepEqual(body, {
    type: "about:blank",
    title: "The plan allows no more",
    status: 402,
    code: "quota_exceeded",
    detail: 'The plan "free" allows 3 "ai_chat_message" in 3600 seconds; 3 are used.',
    feature: "ai_chat_message",
    quota: 3,
    used: 3,
    windowSeconds: 3600,
    period: "rolling",
    resetsAt: "2026-06-15T13:00:10.500Z",
    plan: "free",
    upgradePlan: "pro",
  });
});

Deno.test("quota_exceeded has no Retry-After when waiting does not help", async () => {
  const { headers, body } = await problem({
    ...refused,
    resets_at: null,
    retry_after_seconds: null,
    upgrade_plan: null,
  });
  assert.equal(headers.get("retry-after"), null);
  assert.deepEqual([body.resetsAt, body.upgradePlan], [null, null]);
});

Deno.test("readConsumed throws an error with its own code and status for every other outcome", async (test) => {
  const error = console.error;
  console.error = () => {};
  try {
    for (
      const [answer, status, code] of [
        [{ outcome: "unknown_feature" }, 500, "quota_not_configured"],
        [{ outcome: "no_limit", plan: "pro" }, 500, "quota_not_configured"],
        [{ outcome: "unknown_community" }, 404, "unknown_community"],
        [{ outcome: "key_reused" }, 422, "idempotency_key_reused"],
      ] as const
    ) {
      await test.step(answer.outcome, async () => {
        const { status: answered, body } = await problem(answer);
        assert.deepEqual([answered, body.code], [status, code]);
      });
    }
  } finally {
    console.error = error;
  }
});

Deno.test("readConsumed throws for an answer of another shape", () => {
  for (const answer of [null, {}, { outcome: "perhaps" }, { outcome: "consumed" }]) {
    assert.throws(() => readConsumed("ai_chat_message", answer), (error) => !(error instanceof BillingError));
  }
});
