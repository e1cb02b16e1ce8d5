import assert from "node:assert/strict";
import { billingInfo, pro } from "../../../browser/testing/billing_info.ts";
import { BILLING_INFO_CALL, CHECKOUT_CALL, CHECKOUT_URL, FakeApi } from "../rigs/fake_api.ts";
import { fakeStripe, upgradeUntilStuck } from "../rigs/plugin_page.ts";
import { usePluginSite } from "../rigs/plugin_rig.ts";

const site = usePluginSite();

/** Opens a page that cannot navigate to Stripe, until it offers a new tab. `newTab` is Stripe's answer in that tab. */
async function openStuck(newTab: { status?: number; headers?: Record<string, string>; body?: string }) {
  const api = FakeApi.withCheckout();
  const open = await site.open(api, { clock: true });
  await open.page.context().route(CHECKOUT_URL, (route) => route.fulfill(newTab));
  await open.page.route(CHECKOUT_URL, (route) => route.fulfill({ status: 204 }));
  const link = await upgradeUntilStuck(open);
  return { api, open, link, [Symbol.asyncDispose]: () => open[Symbol.asyncDispose]() };
}

Deno.test("a double click on the upgrade button opens one checkout", async () => {
  const api = FakeApi.withCheckout();
  await using open = await site.open(api);
  const visits = await fakeStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).dblclick();
  await open.page.waitForURL(CHECKOUT_URL);
  assert.deepEqual(api.calls, [BILLING_INFO_CALL, CHECKOUT_CALL]);
  assert.deepEqual(visits, [CHECKOUT_URL]);
});

Deno.test("the parent page opens the checkout, once, when the sandbox forbids the iframe to navigate", async () => {
  const api = FakeApi.withCheckout();
  await using open = await site.open(api);
  const visits = await fakeStripe(open.page.context());
  const reloaded = open.page.waitForEvent("framenavigated", (frame) => frame.url().endsWith("?reloaded"));
  await open.page.locator("iframe").evaluate((frame) => {
    (frame as HTMLIFrameElement).sandbox.remove("allow-top-navigation-by-user-activation");
    (frame as HTMLIFrameElement).src += "?reloaded"; // a sandbox counts from the next navigation on
    addEventListener("message", ({ data }) => data.type === "openUrl" && console.log("asked to open"));
  });
  await reloaded;
  const asked = open.page.waitForEvent("console", (message) => message.text() === "asked to open");
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await asked;
  await open.page.waitForURL(CHECKOUT_URL);
  assert.deepEqual(visits, [CHECKOUT_URL]);
});

Deno.test("a new tab is offered when no window navigates to Stripe, and a payment made there appears", async () => {
  await using stuck = await openStuck({ body: "Stripe" });
  const { api, open, link } = stuck;
  assert.match(await open.plugin.locator(":focus").innerText(), /^Stripe could not be opened here/);
  const tab = open.page.context().waitForEvent("page");
  await link.click();
  assert.equal((await tab).url(), CHECKOUT_URL);
  await open.plugin.getByText("This page updates itself").waitFor();
  api.info = billingInfo(pro);
  await open.page.clock.runFor(60_000);
  await open.plugin.getByRole("status").getByText("Payment received.").waitFor();
  await open.plugin.getByText("Renews on June 15, 2027.").waitFor();
  assert.equal(api.calls.filter((call) => call === CHECKOUT_CALL).length, 1);
});

Deno.test("polling for another tab loads at once on return, ends by itself, and can be stopped", async () => {
  await using stuck = await openStuck({ status: 204 });
  const { api, open, link } = stuck;
  const upgrade = open.plugin.getByRole("button", { name: "Upgrade to Pro" });

  await link.click();
  const calls = api.calls.length;
  const looked = open.page.waitForResponse("**/api/community/billing-info");
  await open.plugin.locator("html").evaluate(() => dispatchEvent(new Event("focus")));
  await looked;
  assert.equal(api.calls.length, calls + 1);

  while (await upgrade.count() === 0) await open.page.clock.runFor(120_000);
  const callsAtTheEnd = api.calls.length;
  await open.page.clock.runFor(3_600_000);
  assert.equal(api.calls.length, callsAtTheEnd);
  assert.ok(callsAtTheEnd < 60, `${callsAtTheEnd} calls`);

  await (await upgradeUntilStuck(open)).click();
  await open.plugin.getByRole("button", { name: "Back to the plan" }).click();
  await upgrade.waitFor();
});

Deno.test("a return in another tab is announced once in the tab that waits", async () => {
  const location = `${site.parentUrl}/c/garden/?stripe_status=success&session_id=cs_test_1`;
  await using stuck = await openStuck({ status: 302, headers: { location } });
  const { api, open, link } = stuck;
  await open.page.evaluate("globalThis.stayed = true");
  api.info = billingInfo(pro);
  const tab = open.page.context().waitForEvent("page");
  await link.click();
  await (await tab).waitForURL(`${site.parentUrl}/c/garden/`);
  const status = open.plugin.getByRole("status");
  await status.getByText("Payment received.").waitFor();
  assert.equal(await status.getByRole("button", { name: "Dismiss" }).count(), 1);
  assert.equal(await open.page.evaluate("globalThis.stayed"), true);
});

Deno.test("the upgrade button works again after the back button", async () => {
  const api = FakeApi.withCheckout();
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT_URL);
  await open.page.goBack();
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT_URL);
});

Deno.test("a checkout that the server refuses shows the reason and can be tried again", async () => {
  const api = new FakeApi();
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.plugin.getByRole("status").getByText("The payment service is not responding.").waitFor();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT_URL };
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT_URL);
});

Deno.test("a connection that is lost during an upgrade shows a notice, and the upgrade can be tried again", async () => {
  const api = FakeApi.withCheckout();
  await using open = await site.open(api);
  const visits = await fakeStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  await open.page.route("**/api/stripe/**", (route) => route.abort("internetdisconnected"));
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.plugin.getByRole("status").getByText("The connection failed. Nothing was charged").waitFor();
  assert.deepEqual(visits, []);
  await open.page.unroute("**/api/stripe/**");
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT_URL);
});

Deno.test("an upgrade answered already_subscribed shows the reason and the current plan", async () => {
  const api = new FakeApi();
  api.checkout = { code: "already_subscribed", status: 409 };
  await using open = await site.open(api);
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  api.info = billingInfo(pro);
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.plugin.getByText("Renews on June 15, 2027.").waitFor();
  await open.plugin.getByRole("status").getByText("already has a subscription").waitFor();
});
