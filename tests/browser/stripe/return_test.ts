import assert from "node:assert/strict";
import { billingInfo, invoiceOf, pro, subscriptionWith } from "../../../browser/testing/billing_info.ts";
import { BILLING_INFO_CALL, CHECKOUT_URL, FakeApi } from "../rigs/fake_api.ts";
import { fakeStripe } from "../rigs/plugin_page.ts";
import { usePluginSite } from "../rigs/plugin_rig.ts";

const site = usePluginSite();

Deno.test("a payment appears without stripeCallback when the person returns in the same tab", async () => {
  const api = FakeApi.withCheckout();
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT_URL);
  await open.page.goto(`${site.parentUrl}/c/garden/`);
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  api.info = billingInfo(pro);
  await open.plugin.getByRole("status").getByText("Payment received.").waitFor();
});

Deno.test("after stripe_status=success nothing from before the payment is shown, and the plan appears without a reload", async () => {
  const api = new FakeApi();
  await using open = await site.open(api, {
    path: "/c/garden/?stripe_status=success&session_id=cs_test_1",
  });
  assert.equal(open.page.url(), `${site.parentUrl}/c/garden/`);
  await open.plugin.getByRole("status").getByText("Checkout complete.").waitFor();
  await open.plugin.getByText("Your plan is being updated.").waitFor();
  while (api.calls.length < 3) await open.page.waitForRequest("**/api/community/billing-info");
  assert.equal(await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).count(), 0);
  assert.equal(await open.plugin.getByRole("heading", { name: "Free" }).count(), 0);
  api.info = billingInfo(pro);
  await open.plugin.getByRole("heading", { name: "Pro", exact: true, level: 2 }).waitFor();
  const status = open.plugin.getByRole("status");
  await status.getByText("Payment received. Your community is on the Pro plan.").waitFor();
  assert.equal(await status.getByRole("button", { name: "Dismiss" }).count(), 1);
  await status.getByRole("button", { name: "Dismiss" }).click();
  assert.equal(await status.innerText(), "");
});

Deno.test("the newest invoice becomes paid when its event arrives after the plan has changed", async () => {
  const api = new FakeApi();
  api.info = billingInfo(pro, { invoices: [invoiceOf("open")] });
  await using open = await site.open(api, { path: "/c/garden/?stripe_status=success" });
  const invoices = open.plugin.getByRole("region", { name: "Invoices" });
  await invoices.getByText("Due", { exact: true }).waitFor();
  await open.plugin.getByRole("status").getByText("Payment received.").waitFor();
  api.info = billingInfo(pro, { invoices: [invoiceOf("paid")] });
  await invoices.getByText("Paid", { exact: true }).waitFor();
});

Deno.test("stripeCallback with the same status is announced once", async () => {
  const api = new FakeApi();
  api.info = billingInfo(pro);
  await using open = await site.open(api, { path: "/c/garden/?stripe_status=success" });
  const status = open.plugin.getByRole("status");
  await status.getByText("Payment received.").waitFor();
  const postCallback = (status: string) =>
    open.page.locator("iframe[data-dues]").evaluate((frame, status) => {
      (frame as HTMLIFrameElement).contentWindow?.postMessage({ type: "stripeCallback", status }, "*");
    }, status);
  await postCallback("success");
  await status.getByRole("button", { name: "Dismiss" }).click();
  await postCallback("success");
  await postCallback("cancel"); // another status is announced, and replaces the notice
  await status.getByText("Checkout cancelled.").waitFor();
  assert.equal(await status.getByRole("button", { name: "Dismiss" }).count(), 1);
  assert.doesNotMatch(await status.innerText(), /Payment received|Checkout complete/);
});

Deno.test("a late webhook ends polling with a note, and Check again polls again", async () => {
  const api = new FakeApi();
  await using open = await site.open(api, { path: "/style.css" });
  await open.page.clock.install();
  await open.page.goto(`${site.parentUrl}/c/garden/?stripe_status=success`);
  await open.plugin.getByText("Your plan is being updated.").waitFor();
  const late = open.plugin.getByText("Your plan is not updated yet.");
  while (await late.count() === 0) await open.page.clock.runFor(5_000);
  const callsUntilLate = api.calls.length;
  await open.page.clock.runFor(300_000);
  assert.equal(api.calls.length, callsUntilLate);
  assert.ok(callsUntilLate < 20, `${callsUntilLate} calls`);
  api.info = billingInfo(pro);
  await open.plugin.getByRole("button", { name: "Check again" }).click();
  await open.page.clock.runFor(1_000);
  await open.plugin.getByRole("heading", { name: "Pro", exact: true, level: 2 }).waitFor();
});

Deno.test("stripe_status=cancel shows a notice and changes nothing", async () => {
  const api = new FakeApi();
  await using open = await site.open(api, { path: "/c/garden/?stripe_status=cancel" });
  await open.plugin.getByRole("status").getByText("Checkout cancelled. Nothing was charged").waitFor();
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  assert.equal(open.page.url(), `${site.parentUrl}/c/garden/`);
  assert.deepEqual(api.calls, [BILLING_INFO_CALL]);
});

Deno.test("after stripe_status=portal_return a change made in the portal appears", async () => {
  const api = new FakeApi();
  api.info = billingInfo(pro);
  await using open = await site.open(api, {
    path: "/c/chess/plugin/p%2F1/?stripe_status=portal_return",
  });
  await open.plugin.getByRole("status").getByText("Welcome back.").waitFor();
  await open.plugin.getByText("Renews on June 15, 2027.").waitFor();
  api.info = billingInfo(pro, { subscription: subscriptionWith({ cancelAt: "2027-06-15T10:30:00Z" }) });
  await open.plugin.getByText("Cancelled. Pro stays until June 15, 2027.").waitFor();
});
