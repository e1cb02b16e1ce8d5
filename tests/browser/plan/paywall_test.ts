// A limit of the plan from end to end: a real database counts, a real Stripe simulator sells what lifts it.
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { startTestStack, type TestStack } from "../../support/stack.ts";

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

/** A community page as one of the parent app's people sees it. */
async function visit(communityId: string, role: "admin" | "member") {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${stack.urls.parent}/c/${communityId}/`);
  await page.getByRole("button", { name: new RegExp(`Continue as .*\\(${role}\\)`) }).click();
  const plugin = page.frameLocator("iframe[data-dues]");
  const openAssistant = () => plugin.getByRole("link", { name: "Assistant" }).click();
  const say = async (text: string) => {
    await plugin.getByRole("textbox").fill(text);
    await plugin.getByRole("button", { name: "Send" }).click();
  };
  const lines = plugin.getByRole("listitem");
  const notice = plugin.getByRole("status").filter({ hasText: "The limit of your plan is reached" });
  return {
    page,
    plugin,
    openAssistant,
    say,
    lines,
    notice,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

Deno.test("two messages pass, the third meets the limit, and after the upgrade it passes too", async () => {
  await using admin = await visit("garden", "admin");
  const { page, plugin, openAssistant, say, lines, notice } = admin;
  await openAssistant();
  for (const [text, expected] of [["one", 2], ["two", 4]] as const) {
    await say(text);
    await lines.nth(expected - 1).waitFor();
  }
  await say("three");
  await notice.getByText("It includes 2 AI chat messages every 30 days, and 2 are used.").waitFor();
  assert.equal(await lines.count(), 4);

  await notice.getByRole("button", { name: "Upgrade to Pro" }).click();
  await page.waitForURL(`${stack.urls.stripe}/**`);
  await page.getByRole("button", { name: /^Pay/ }).click();
  await plugin.getByRole("status").getByText("Payment received.").waitFor();
  await plugin.getByText("2 of 10,000").waitFor();
  await openAssistant();
  await say("three");
  await lines.nth(1).waitFor();
  assert.equal(await notice.count(), 0);
});

Deno.test("a member who meets the limit is told whom to ask", async () => {
  await using member = await visit("chess", "member");
  await member.openAssistant();
  await member.say("one");
  await member.lines.nth(1).waitFor();
  await member.say("two");
  await member.lines.nth(3).waitFor();
  await member.say("three");
  await member.notice.getByText("An admin of your community can upgrade.").waitFor();
  assert.equal(await member.notice.getByRole("button", { name: /Upgrade/ }).count(), 0);
});
