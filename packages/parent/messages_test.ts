import assert from "node:assert/strict";
import { parsePluginMessage } from "./messages.ts";

Deno.test("parsePluginMessage() reads the plugin's three messages and drops unknown members", () => {
  assert.deepEqual(parsePluginMessage({ type: "pluginReady", pluginType: "dues", extra: 1 }), {
    type: "pluginReady",
    pluginType: "dues",
  });
  assert.deepEqual(parsePluginMessage({ type: "openUrl", url: "https://checkout.stripe.com/x" }), {
    type: "openUrl",
    url: "https://checkout.stripe.com/x",
  });
  assert.deepEqual(parsePluginMessage({ type: "pluginResize", height: 640.5 }), {
    type: "pluginResize",
    height: 640.5,
  });
});

for (
  const data of [
    null,
    undefined,
    "pluginReady",
    7,
    [],
    {},
    { type: "pluginReady" },
    { type: "pluginReady", pluginType: "other" },
    { type: "pluginContext", identityToken: "x" },
    { type: "openUrl" },
    { type: "openUrl", url: { href: "https://checkout.stripe.com/" } },
    { type: "pluginResize", height: "640" },
    { type: "pluginResize", height: 0 },
    { type: "pluginResize", height: -1 },
    { type: "pluginResize", height: NaN },
    { type: "pluginResize", height: Infinity },
    { type: "pluginResize", height: 20_001 },
  ]
) {
  Deno.test(`parsePluginMessage() ignores ${Deno.inspect(data, { breakLength: Infinity })}`, () => {
    assert.equal(parsePluginMessage(data), null);
  });
}
