import type { Browser } from "playwright-core";
import type { TestStack } from "../../support/stack.ts";

/** Opens a page of the demo parent app and signs in, in a new browser profile. `scripts` are all that it requests. */
export async function visit(browser: Browser, stack: TestStack, path: string, role: "admin" | "member") {
  const context = await browser.newContext();
  const page = await context.newPage();
  const scripts: string[] = [];
  page.on("request", (request) => request.resourceType() === "script" && scripts.push(request.url()));
  await page.goto(stack.urls.parent + path);
  await page.getByRole("button", { name: new RegExp(`Continue as .*\\(${role}\\)`) }).click();
  const plugin = page.frameLocator("iframe[data-dues]");
  return { page, plugin, scripts, [Symbol.asyncDispose]: () => context.close() };
}
