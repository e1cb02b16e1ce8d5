import assert from "node:assert/strict";
import { RateLimit } from "./rate_limit.ts";

Deno.test("RateLimit.allows() allows the given number of requests in each second", () => {
  const limit = new RateLimit();
  limit.set(2);
  assert.deepEqual([0, 100, 999, 1000, 1001].map((now) => limit.allows(now)), [
    true,
    true,
    false,
    true,
    true,
  ]);
});

Deno.test("RateLimit.allows() allows every request before a limit is set and after it is removed", () => {
  const limit = new RateLimit();
  assert.equal(limit.allows(0), true);
  limit.set(1);
  assert.equal(limit.allows(1), false);
  limit.set(null);
  assert.equal(limit.allows(2), true);
});
