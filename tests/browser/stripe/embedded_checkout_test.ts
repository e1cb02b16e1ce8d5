// Checkout inside the plugin's page, with the simulator's stand-in for Stripe.js and nothing else played.
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { startTestStack, type TestStack } from "../../support/stack.ts";

let browser: Browser;
let stack: TestStack;
Deno.test.beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack({ checkout: "embedded" })]);
});
Deno.test.afterAll(async () => {
  await browser.close();
  await stack.stop();
});

/** A community page as its admin sees it. */
async function visit(communityId: string) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const scripts: string[] = [];
  page.on("request", (request) => request.resourceType() === "script" && scripts.push(request.url()));
  await page.goto(`${stack.urls.parent}/c/${communityId}/`);
  await page.getByRole("button", { name: /Continue as .*\(admin\)/ }).click();
  const plugin = page.frameLocator("iframe[data-dues]");
  const upgrade = plugin.getByRole("button", { name: "Upgrade to Pro" });
  await upgrade.waitFor();
  const checkout = plugin.frameLocator(".place iframe");
  return { page, plugin, upgrade, checkout, scripts, [Symbol.asyncDispose]: () => context.close() };
}

/** How often Stripe.js was asked for. */
const stripeJs = (scripts: string[]) =>
  scripts.filter((url) => url === `${stack.urls.stripe}/stripe-js/stripe.js`);

const noStripeJs = (page: Page) =>
  page.route(`${stack.urls.stripe}/stripe-js/stripe.js`, (route) => route.abort());

Deno.test("where Stripe.js cannot be loaded, the checkout opens on Stripe's page", async () => {
  await using admin = await visit("garden");
  await noStripeJs(admin.page);
  await admin.upgrade.click();
  await admin.page.waitForURL(`${stack.urls.stripe}/**`);
});

Deno.test("paying happens inside the page, which never leaves; Stripe.js comes only then", async () => {
  await using admin = await visit("garden");
  const { page, plugin, upgrade, checkout, scripts } = admin;
  assert.deepEqual(stripeJs(scripts), []);
  await page.evaluate("globalThis.stayed = true");

  await upgrade.click();
  await checkout.getByRole("button", { name: /^Pay|Subscribe/ }).waitFor();
  assert.equal(stripeJs(scripts).length, 1);
  await plugin.getByRole("button", { name: "Back to the plan" }).click();
  await upgrade.waitFor();
  assert.equal(await plugin.locator(".place").count(), 0);

  await upgrade.click();
  await checkout.getByRole("button", { name: /^Pay|Subscribe/ }).click();
  await plugin.getByRole("status").getByText("Payment received. Your community is on the Pro plan.")
    .waitFor();
  await plugin.getByText(/^Renews on /).waitFor();
  assert.equal(page.url(), `${stack.urls.parent}/c/garden/`);
  assert.equal(await page.evaluate("globalThis.stayed"), true);
});

Deno.test("a checkout that is refused leads back to the plan, with the reason", async () => {
  await using late = await visit("chess");
  await using early = await visit("chess");
  await early.upgrade.click();
  await early.checkout.getByRole("button", { name: /^Pay|Subscribe/ }).click();
  await early.plugin.getByText(/^Renews on /).waitFor();
  await late.upgrade.click();
  await late.plugin.getByRole("status").getByText("This community already has a subscription.").waitFor();
  await late.plugin.getByText(/^Renews on /).waitFor();
});
