// The upgrade from end to end on the whole stack: parent page, plugin, checkout, portal, webhooks, database.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Browser, FrameLocator, Page } from "playwright-core";
import { measureScripts } from "../../../bench/measures.ts";
import type { Sql } from "../../../billing/db/sql.ts";
import { launchBrowser } from "../../support/browser.ts";
import { startTestStack, type TestStack } from "../../support/stack.ts";
import { visit } from "../rigs/visit.ts";

let browser: Browser;
let stack: TestStack;
let sql: Sql;
Deno.test.beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  sql = stack.database.connect("postgres");
});
Deno.test.afterAll(async () => {
  await browser.close();
  await stack.stop();
});

async function goToCheckout(page: Page, plugin: FrameLocator): Promise<void> {
  await plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await page.waitForURL(`${stack.urls.stripe}/**`);
}

/** The code of a community's plan in the database. */
async function planOf(communityId: string): Promise<string> {
  const [{ code }] = await sql<[{ code: string }]>`
    select p.code from public.communities c join public.plans p on p.id = c.current_plan_id
    where c.id = ${communityId}`;
  return code;
}

/** Adds a fault to the Stripe simulator. */
async function addFault(fault: object): Promise<void> {
  const response = await fetch(`${stack.urls.stripe}/_sim/faults`, {
    method: "POST",
    body: JSON.stringify(fault),
  });
  assert.equal(response.status, 200, await response.text());
}

Deno.test("an admin upgrades, manages and cancels the subscription without reloading the page", async (t) => {
  await using admin = await visit(browser, stack, "/c/garden/", "admin");
  const { page, plugin } = admin;

  await t.step("the plugin shows the free plan and its limits", async () => {
    await plugin.getByRole("heading", { name: "Free" }).first().waitFor();
    await plugin.getByText("100 AI chat messages every 30 days").waitFor();
    assert.equal(await plugin.getByRole("button", { name: "Manage billing" }).count(), 0);
  });

  await t.step("a cancelled checkout shows a notice and changes nothing", async () => {
    await goToCheckout(page, plugin);
    await page.getByRole("link", { name: "Back" }).click();
    await plugin.getByRole("status").getByText("Checkout cancelled.").waitFor();
    assert.equal(page.url(), `${stack.urls.parent}/c/garden/`);
    await plugin.getByRole("heading", { name: "Free" }).first().waitFor();
    assert.equal(await planOf("garden"), "free");
  });

  await t.step("a declined card changes nothing, and the checkout can still be paid", async () => {
    await goToCheckout(page, plugin);
    await page.getByRole("radio", { name: /decline/i }).first().check();
    await page.getByRole("button", { name: /^Pay/ }).click();
    await page.getByRole("alert").waitFor();
    assert.equal(await planOf("garden"), "free");
    await page.getByRole("radio").first().check();
  });

  await t.step("paying leads back to the community page, where the pro plan appears", async () => {
    await page.getByRole("button", { name: /^Pay/ }).click();
    await page.waitForURL(`${stack.urls.parent}/c/garden/**`);
    await plugin.getByRole("status").getByText("Payment received. Your community is on the Pro plan.")
      .waitFor();
    await plugin.getByRole("heading", { name: "Pro", exact: true, level: 2 }).waitFor();
    await plugin.getByText("0 of 10,000").waitFor();
    await plugin.getByText(/^Renews on /).waitFor();
    assert.equal(page.url(), `${stack.urls.parent}/c/garden/`);
    assert.equal(await plugin.getByRole("button", { name: /Upgrade/ }).count(), 0);
    assert.equal(await planOf("garden"), "pro");
  });

  await t.step("a reload shows the plan without the notice", async () => {
    await page.reload();
    await plugin.getByRole("heading", { name: "Pro", exact: true, level: 2 }).waitFor();
    assert.equal(await plugin.getByRole("status").innerText(), "");
  });

  await t.step("a subscription cancelled in the portal shows when it ends", async () => {
    await plugin.getByRole("button", { name: "Manage billing" }).click();
    await page.waitForURL(`${stack.urls.stripe}/**`);
    await page.getByRole("button", { name: "Cancel subscription" }).click();
    await page.getByRole("button", { name: "Confirm cancellation" }).click();
    await page.getByRole("link", { name: /Return to/ }).click();
    await plugin.getByRole("status").getByText("Welcome back.").waitFor();
    await plugin.getByText(/^Cancelled. Pro stays until /).waitFor();
    assert.equal(page.url(), `${stack.urls.parent}/c/garden/`);
    assert.equal(await planOf("garden"), "pro");
  });
});

Deno.test("a plugin whose id needs percent-encoding waits for a late webhook and offers no second upgrade", async () => {
  const path = "/c/chess/plugin/club%20desk%2F2/";
  await using admin = await visit(browser, stack, path, "admin");
  const { page, plugin } = admin;
  await goToCheckout(page, plugin);
  await addFault({ kind: "delay_delivery", next: 100, ms: 2_000 });
  await page.getByRole("button", { name: /^Pay/ }).click();
  await plugin.getByText("Your plan is being updated.").waitFor();
  assert.equal(await planOf("chess"), "free");
  assert.equal(await plugin.getByRole("button", { name: /Upgrade/ }).count(), 0);
  assert.equal(await plugin.getByRole("heading", { name: "Free" }).count(), 0);
  await plugin.getByRole("status").getByText("Payment received.").waitFor();
  assert.equal(page.url(), stack.urls.parent + path);
  assert.equal(await planOf("chess"), "pro");
});

Deno.test("a member sees the plan without buttons", async () => {
  await using member = await visit(browser, stack, "/c/chess/", "member");
  await member.plugin.getByText("Current plan").waitFor();
  assert.equal(await member.plugin.getByRole("button").count(), 0);
  assert.deepEqual(await member.plugin.getByRole("link").allInnerTexts(), ["Plan", "Assistant"]);
});

Deno.test("the billing page preloads one script of at most 20 kB, and less than 8 kB of CSS", async () => {
  const { value, limit } = await measureScripts(stack);
  assert.equal(limit, 20);
  assert.ok(value <= limit, `${value} kB`);
  const response = await fetch(stack.urls.plugin);
  const page = await response.text();
  const links = response.headers.get("link") ?? "";
  const scripts = links.match(/<[^>]+\.js>/g) ?? [];
  assert.equal(scripts.length, 1, links);
  for (const [, from] of page.matchAll(/from"([^"]+)"/g)) assert.ok(links.includes(`<${from}>`), from);
  const [, style] = page.match(/<link rel="stylesheet" href="([^"]+)"/) ?? [];
  const css = await (await fetch(new URL(style, stack.urls.plugin))).text();
  assert.ok(gzipSync(css).length < 8_000);
  assert.doesNotMatch(css, /@font-face|@import|url\(/);
});
