import assert from "node:assert/strict";
import { type Installation, shown, startInstallation } from "./rig.ts";

let it: Installation;
Deno.test.beforeAll(async () => {
  it = await startInstallation();
});
Deno.test.afterAll(async () => {
  await it?.[Symbol.asyncDispose]();
});

Deno.test("deno task doctor finds nothing wrong with a complete installation", async () => {
  const diagnosis = await it.diagnose();
  assert.deepEqual(shown(diagnosis), [
    "skipped environment/Common Ground's keys: The parent app is not Common Ground.",
    "skipped apps/the parent app's keys: Identity tokens are not verified by a JWKS.",
  ]);
});
