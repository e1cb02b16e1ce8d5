/** What tests do in an open plugin page. */

import type { BrowserContext, Locator } from "playwright-core";
import type { OpenPage } from "./plugin_rig.ts";

/** The time this many days from now, in ISO 8601. */
export const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

/** Answers requests to Stripe's addresses, and records them. */
export async function fakeStripe(context: BrowserContext): Promise<string[]> {
  const visits: string[] = [];
  await context.route("https://*.stripe.com/**", async (route) => {
    visits.push(route.request().url());
    await route.fulfill({ contentType: "text/html", body: "<h1>Stripe</h1>" });
  });
  return visits;
}

/**
 * Clicks the upgrade button of a page that cannot navigate to Stripe, and advances its clock until it offers a new tab.
 * Returns the link that opens the tab.
 */
export async function upgradeUntilStuck({ page, plugin }: OpenPage): Promise<Locator> {
  await plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  const link = plugin.getByRole("link", { name: "Open in a new tab" });
  while (await link.count() === 0) await page.clock.runFor(1_000);
  return link;
}

export async function openAssistant({ plugin }: Pick<OpenPage, "plugin">): Promise<void> {
  await plugin.getByRole("link", { name: "Assistant" }).click();
  await plugin.getByRole("heading", { name: "Assistant" }).waitFor();
}

/** Sends a message to the assistant. */
export async function say({ plugin }: Pick<OpenPage, "plugin">, text: string): Promise<void> {
  await plugin.getByRole("textbox", { name: "Your message" }).fill(text);
  await plugin.getByRole("button", { name: "Send" }).click();
}
