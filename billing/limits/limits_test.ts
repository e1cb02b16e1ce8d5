import assert from "node:assert/strict";
import { rates } from "./rates.ts";
import { stripeBudget } from "./stripe_budget.ts";
import { stripeVisits } from "./stripe_visits.ts";
import { turns } from "./turns.ts";
import type { Session } from "../identity/session_token.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const refused = { code: "too_many_requests" };

Deno.test("take() refuses beyond a limit, tells the seconds to wait, and leaves everybody else's limit", async () => {
  const { take } = rates({
    session: { address: 3 },
    identity_request: { address: 10, everybody: 2 },
    checkout: {},
    portal: {},
    quota: {},
  });
  for (let i = 0; i < 3; i++) await take("session", { address: "a" });
  await assert.rejects(
    take("session", { address: "a" }),
    (error: { code: string; retryAfterSeconds: number }) => {
      assert.equal(error.code, "too_many_requests");
      assert.ok(error.retryAfterSeconds >= 1 && error.retryAfterSeconds <= 60);
      return true;
    },
  );
  await take("session", { address: "b" });
  await take("session", {});
  await take("checkout", { address: "a" });
  await take("identity_request", { address: "a" });
  await take("identity_request", { address: "b" });
  await assert.rejects(take("identity_request", { address: "c" }), refused);
});

Deno.test("run() gives each owner a turn: one that brings many works delays another by one of them at most", async () => {
  const queue = turns({ max: 2, maxEach: 1, maxWaiting: 100, waitMs: 5_000 });
  const order: string[] = [];
  const work = (owner: string) =>
    queue.run(owner, async () => {
      await pause(5);
      order.push(owner);
    });
  await Promise.all([...Array(40).fill("greedy"), "a", "b", "c", "d"].map(work));
  for (const honest of ["a", "b", "c", "d"]) assert.ok(order.indexOf(honest) < 12, `${honest}: ${order}`);
  assert.equal(order.length, 44);
});

Deno.test("run() refuses what would wait for too long or behind too many of its owner, and frees its place after a failure", async () => {
  const queue = turns({ max: 1, maxEach: 1, maxWaiting: 2, waitMs: 30 });
  const held = Promise.withResolvers<void>();
  const first = queue.run("a", () => held.promise);
  const waiting = [queue.run("a", () => pause(0)), queue.run("a", () => pause(0))].map((run) =>
    assert.rejects(run, refused)
  );
  await assert.rejects(queue.run("a", () => pause(0)), refused);
  await Promise.all(waiting);
  held.resolve();
  await first;
  await assert.rejects(queue.run("a", () => Promise.reject(new Error("broken"))), /broken/);
  assert.equal(await queue.run("b", () => Promise.resolve(7)), 7);
});

Deno.test("a budget lets so many calls a second through, and a flood of one share leaves the other its part", async () => {
  const original = globalThis.fetch;
  const calls: string[] = [];
  globalThis.fetch = ((input: string) => {
    calls.push(input);
    return Promise.resolve(new Response());
  }) as typeof fetch;
  try {
    const budget = stripeBudget({ perSecond: 20 });
    const call = (share: "people" | "webhooks") => budget.as(share, "", () => budget.fetch(share));
    const began = performance.now();
    const flood = Array.from({ length: 60 }, () => call("people"));
    const hooks = Array.from({ length: 8 }, () => call("webhooks"));
    await Promise.all(hooks);
    const afterHooks = performance.now() - began;
    assert.ok(calls.filter((share) => share === "people").length < 50, `${calls}`);
    assert.ok(afterHooks < 1_800, `${afterHooks} ms`);
    await Promise.all(flood);
    const took = performance.now() - began;
    assert.ok(took > 1_900, `68 calls in ${took} ms`);
  } finally {
    globalThis.fetch = original;
  }
});

Deno.test("a call that is given up while it waits for the budget takes no place in it", async () => {
  const budget = stripeBudget({ perSecond: 1 });
  const original = globalThis.fetch;
  globalThis.fetch = () => Promise.resolve(new Response());
  try {
    await budget.fetch("one");
    await assert.rejects(budget.fetch("two", { signal: AbortSignal.timeout(20) }), { name: "TimeoutError" });
    await budget.fetch("three");
  } finally {
    globalThis.fetch = original;
  }
});

Deno.test("checkout() answers equal clicks with one visit, counts it once, and never makes others wait for a community", async () => {
  const limits = rates({
    session: {},
    identity_request: {},
    checkout: { community: 3 },
    portal: {},
    quota: {},
  });
  const visits = stripeVisits({ limits, budget: stripeBudget({ perSecond: 100 }) });
  const session = (communityId: string) =>
    ({ communityId, userId: "ann", isAdmin: true, pluginId: null }) as unknown as Session;
  const request = { planCode: "pro", uiMode: "hosted" } as const;
  let opened = 0;
  const open = async () => {
    opened++;
    await pause(10);
    return opened;
  };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => visits.checkout(session("a"), request, {}, open)),
  );
  assert.deepEqual([opened, new Set(answers).size], [1, 1]);
  await visits.checkout(session("a"), request, {}, open);
  await visits.checkout(session("a"), request, {}, open);
  await assert.rejects(visits.checkout(session("a"), request, {}, open), refused);
  await visits.checkout(session("b"), request, {}, open);
  assert.equal(opened, 4);
});

Deno.test("the calls of one owner, however many, delay another's by one", async () => {
  const original = globalThis.fetch;
  const order: string[] = [];
  globalThis.fetch = ((input: string) => {
    order.push(input);
    return Promise.resolve(new Response());
  }) as typeof fetch;
  try {
    const budget = stripeBudget({ perSecond: 50 });
    const call = (owner: string) => budget.as("people", owner, () => budget.fetch(owner));
    const greedy = Array.from({ length: 120 }, () => call("greedy"));
    await Promise.all(["a", "b", "c"].map(call));
    assert.ok(order.length < 70, `after ${order.length} calls`);
    await Promise.all(greedy);
  } finally {
    globalThis.fetch = original;
  }
});
