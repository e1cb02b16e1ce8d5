import assert from "node:assert/strict";
import { BILLING_INFO_CALL, CHECKOUT_CALL, CHECKOUT_URL, FakeApi } from "../rigs/fake_api.ts";
import { fakeStripe } from "../rigs/plugin_page.ts";
import { usePluginSite } from "../rigs/plugin_rig.ts";

const site = usePluginSite();

Deno.test("a call whose session token is refused renews the session and is repeated", async () => {
  const api = FakeApi.withCheckout();
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  api.refusedTokens = ["session-1"];
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT_URL);
  assert.equal(api.sessions, 2);
  assert.deepEqual(api.calls, [BILLING_INFO_CALL, CHECKOUT_CALL, CHECKOUT_CALL]);
});
