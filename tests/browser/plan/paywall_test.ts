import assert from "node:assert/strict";
import { billingInfo, free } from "../../../browser/testing/billing_info.ts";
import { CHECKOUT_URL, FakeApi, quotaExceeded } from "../rigs/fake_api.ts";
import { fakeStripe, inDays, openAssistant, say } from "../rigs/plugin_page.ts";
import { usePluginSite } from "../rigs/plugin_rig.ts";

const site = usePluginSite();

Deno.test("the paywall shows the reached limit and the larger plan, and its button opens the checkout", async () => {
  const api = FakeApi.withCheckout();
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  await openAssistant(open);
  await say(open, "Hello");
  await open.plugin.getByRole("listitem").nth(1).waitFor();
  assert.deepEqual(await open.plugin.getByRole("listitem").allInnerTexts(), [
    "You:\nHello",
    "Assistant:\nHello",
  ]);
  assert.equal(await open.plugin.getByRole("textbox").inputValue(), "");

  api.assistant = quotaExceeded(inDays(3));
  await say(open, "Once more");
  const notice = open.plugin.getByRole("status").filter({ hasText: "Plan limit reached" });
  assert.match(
    await notice.innerText(),
    /It includes 100 AI chat messages every 30 days, and 100 are used\. Pro includes 10,000 AI chat messages every 30 days\. More become available on \w+ \d+\./,
  );
  assert.equal(await open.plugin.getByRole("textbox").inputValue(), "Once more");
  await notice.getByRole("button", { name: "Not now" }).click();
  assert.equal(await notice.count(), 0);
  await say(open, "Once more");
  await notice.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT_URL);
});

Deno.test("the paywall tells a member to ask an admin", async () => {
  const api = new FakeApi();
  api.info = billingInfo(free, { isAdmin: false });
  api.assistant = quotaExceeded(null);
  await using open = await site.open(api, { person: "ben" });
  await openAssistant(open);
  await say(open, "Hello");
  const notice = open.plugin.getByRole("status").filter({ hasText: "Plan limit reached" });
  await notice.getByText("An admin of your community can upgrade.").waitFor();
  assert.doesNotMatch(await notice.innerText(), /become available/);
  assert.equal(await notice.getByRole("button", { name: /Upgrade/ }).count(), 0);
});

Deno.test("a message that could not be sent stays in its field, and a notice says why", async () => {
  const api = new FakeApi();
  api.assistant = { code: "database_unavailable", status: 503 };
  await using open = await site.open(api);
  await openAssistant(open);
  await say(open, "Hello");
  await open.plugin.getByRole("status").getByText("The message was not sent.").waitFor();
  assert.equal(await open.plugin.getByRole("textbox").inputValue(), "Hello");
});
