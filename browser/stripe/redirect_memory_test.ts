import assert from "node:assert/strict";
import { FakeClock } from "../testing/fake_clock.ts";
import { rememberRedirect, takeRememberedRedirect } from "./redirect_memory.ts";

Deno.test("takeRememberedRedirect() returns true once after rememberRedirect()", () => {
  assert.equal(takeRememberedRedirect(), false);
  rememberRedirect();
  assert.equal(takeRememberedRedirect(), true);
  assert.equal(takeRememberedRedirect(), false);
});

Deno.test("takeRememberedRedirect() returns false for a redirect more than an hour ago", async () => {
  using clock = new FakeClock();
  rememberRedirect();
  await clock.pass(3_600_001);
  assert.equal(takeRememberedRedirect(), false);
});
