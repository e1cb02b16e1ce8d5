// Embedded checkout on the whole stack, with the Stripe simulator's substitute for Stripe.js.
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { startTestStack, type TestStack } from "../../support/stack.ts";
import { visit } from "../rigs/visit.ts";

let browser: Browser;
let stack: TestStack;
Deno.test.beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack({ checkout: "embedded" })]);
});
Deno.test.afterAll(async () => {
  await browser.close();
  await stack.stop();
});

/** Opens a community page as its admin. */
async function visitAsAdmin(communityId: string) {
  const visited = await visit(browser, stack, `/c/${communityId}/`, "admin");
  const upgrade = visited.plugin.getByRole("button", { name: "Upgrade to Pro" });
  await upgrade.waitFor();
  const checkout = visited.plugin.frameLocator(".place iframe");
  return { ...visited, upgrade, checkout };
}

/** The requests for Stripe.js. */
const stripeJs = (scripts: string[]) =>
  scripts.filter((url) => url === `${stack.urls.stripe}/stripe-js/stripe.js`);

const noStripeJs = (page: Page) =>
  page.route(`${stack.urls.stripe}/stripe-js/stripe.js`, (route) => route.abort());

Deno.test("the checkout opens on Stripe's page when Stripe.js cannot be loaded", async () => {
  await using admin = await visitAsAdmin("garden");
  await noStripeJs(admin.page);
  await admin.upgrade.click();
  await admin.page.waitForURL(`${stack.urls.stripe}/**`);
});

Deno.test("embedded checkout loads Stripe.js on demand, and the payment does not leave the page", async () => {
  await using admin = await visitAsAdmin("garden");
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

Deno.test("an embedded checkout answered already_subscribed shows the reason and the plan", async () => {
  await using late = await visitAsAdmin("chess");
  await using early = await visitAsAdmin("chess");
  await early.upgrade.click();
  await early.checkout.getByRole("button", { name: /^Pay|Subscribe/ }).click();
  await early.plugin.getByText(/^Renews on /).waitFor();
  await late.upgrade.click();
  await late.plugin.getByRole("status").getByText("This community already has a subscription.").waitFor();
  await late.plugin.getByText(/^Renews on /).waitFor();
});
