// A limit of the plan on the whole stack: the database counts the usage, and the Stripe simulator sells the upgrade.
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { startTestStack, type TestStack } from "../../support/stack.ts";
import { openAssistant, say } from "../rigs/plugin_page.ts";
import { visit } from "../rigs/visit.ts";

let browser: Browser;
let stack: TestStack;
Deno.test.beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  const sql = stack.database.connect("postgres");
  await sql`
    update public.plan_limits set quota = 2
    where feature = 'ai_chat_message' and plan_id = (select id from public.plans where code = 'free')`;
});
Deno.test.afterAll(async () => {
  await browser.close();
  await stack.stop();
});

/** Opens the assistant of a community. */
async function visitAssistant(communityId: string, role: "admin" | "member") {
  const visited = await visit(browser, stack, `/c/${communityId}/`, role);
  await openAssistant(visited);
  const lines = visited.plugin.getByRole("listitem");
  const notice = visited.plugin.getByRole("status").filter({ hasText: "Plan limit reached" });
  return { ...visited, lines, notice };
}

Deno.test("the third message is refused when the quota is 2, and is sent after the upgrade", async () => {
  await using admin = await visitAssistant("garden", "admin");
  const { page, plugin, lines, notice } = admin;
  for (const [text, expected] of [["one", 2], ["two", 4]] as const) {
    await say(admin, text);
    await lines.nth(expected - 1).waitFor();
  }
  await say(admin, "three");
  await notice.getByText("It includes 2 AI chat messages every 30 days, and 2 are used.").waitFor();
  assert.equal(await lines.count(), 4);

  await notice.getByRole("button", { name: "Upgrade to Pro" }).click();
  await page.waitForURL(`${stack.urls.stripe}/**`);
  await page.getByRole("button", { name: /^Pay/ }).click();
  await plugin.getByRole("status").getByText("Payment received.").waitFor();
  await plugin.getByText("2 of 10,000").waitFor();
  await openAssistant(admin);
  await say(admin, "three");
  await lines.nth(1).waitFor();
  assert.equal(await notice.count(), 0);
});

Deno.test("the paywall tells a member to ask an admin when the quota is used up", async () => {
  await using member = await visitAssistant("chess", "member");
  await say(member, "one");
  await member.lines.nth(1).waitFor();
  await say(member, "two");
  await member.lines.nth(3).waitFor();
  await say(member, "three");
  await member.notice.getByText("An admin of your community can upgrade.").waitFor();
  assert.equal(await member.notice.getByRole("button", { name: /Upgrade/ }).count(), 0);
});
