import assert from "node:assert/strict";
import { parseParentMessage } from "./messages.ts";

for (
  const message of [
    { type: "pluginContext", identityToken: "a.b.c" },
    { type: "stripeCallback", status: "success", sessionId: "cs_test_1" },
    { type: "stripeCallback", status: "success" },
    { type: "stripeCallback", status: "cancel" },
    { type: "stripeCallback", status: "portal_return" },
  ]
) {
  Deno.test(`parseParentMessage() reads ${JSON.stringify(message)} and drops unknown members`, () => {
    assert.deepEqual(parseParentMessage({ ...message, isAdmin: true }), message);
  });
}

for (
  const data of [
    null,
    undefined,
    "pluginContext",
    [],
    {},
    { type: "pluginContext" },
    { type: "pluginContext", identityToken: 7 },
    { type: "pluginContext", identityToken: null },
    { type: "stripeCallback" },
    { type: "stripeCallback", status: "paid" },
    { type: "stripeCallback", status: ["success"] },
    { type: "stripeCallback", status: "success", sessionId: 7 },
    { type: "pluginReady", pluginType: "dues" },
  ]
) {
  Deno.test(`parseParentMessage() ignores ${Deno.inspect(data, { breakLength: Infinity })}`, () => {
    assert.equal(parseParentMessage(data), null);
  });
}
