import assert from "node:assert/strict";
import fc from "fast-check";
import { communityIdSchema, pluginIdSchema, slugSchema } from "../ids.ts";
import { returnAddress } from "./return_address.ts";

const place = (communityId: string, pluginId: string | null = null) => ({
  parentAppUrl: "https://app.example",
  communityId: communityIdSchema.parse(communityId),
  pluginId: pluginId === null ? null : pluginIdSchema.parse(pluginId),
});

Deno.test("returnAddress() is the community's page, or the plugin's page in it", () => {
  const rows: [string, string | null, "success" | "cancel" | "portal_return", string][] = [
    ["garden", null, "success", "/c/garden/?stripe_status=success&session_id={CHECKOUT_SESSION_ID}"],
    [
      "garden",
      "p1",
      "success",
      "/c/garden/plugin/p1/?stripe_status=success&session_id={CHECKOUT_SESSION_ID}",
    ],
    ["garden", null, "cancel", "/c/garden/?stripe_status=cancel"],
    ["a/b?c", "d#e", "portal_return", "/c/a%2Fb%3Fc/plugin/d%23e/?stripe_status=portal_return"],
  ];
  for (const [communityId, pluginId, status, path] of rows) {
    assert.equal(returnAddress(place(communityId, pluginId), status), `https://app.example${path}`);
  }
});

Deno.test("returnAddress() has the slug in place of the community's id, where there is one", () => {
  const address = returnAddress({ ...place("b7c1", "p1"), slug: slugSchema.parse("river side") }, "cancel");
  assert.equal(address, "https://app.example/c/river%20side/plugin/p1/?stripe_status=cancel");
});

Deno.test("returnAddress() stays in the parent app and keeps both ids, whatever they are", () => {
  const id = fc.string({ minLength: 1, maxLength: 40, unit: "binary" })
    .filter((text) => communityIdSchema.safeParse(text).success);
  fc.assert(fc.property(id, id, (communityId, pluginId) => {
    const url = new URL(returnAddress(place(communityId, pluginId), "cancel"));
    assert.equal(url.origin, "https://app.example");
    assert.deepEqual(url.pathname.split("/").map(decodeURIComponent), [
      "",
      "c",
      communityId,
      "plugin",
      pluginId,
      "",
    ]);
    assert.equal(url.search, "?stripe_status=cancel");
  }));
});

Deno.test("communityIdSchema refuses ids that a browser resolves or cannot encode", () => {
  for (const id of ["", ".", "..", "a\nb", "\ud800", "x".repeat(129)]) {
    assert.equal(communityIdSchema.safeParse(id).success, false, JSON.stringify(id));
  }
});
