// Accessibility checks of every state of the plugin's pages.
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Browser, Frame } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import type { OpenPage } from "./rigs/plugin_rig.ts";
import { CheckoutRigs } from "./rigs/checkout_rigs.ts";
import { reachState, states } from "./rigs/page_states.ts";

let browser: Browser;
const rigs = new CheckoutRigs();
Deno.test.beforeAll(async () => {
  browser = await launchBrowser();
});
Deno.test.afterAll(async () => {
  await browser.close();
  await rigs[Symbol.asyncDispose]();
});

/** axe's tags for the rules of WCAG 2.2, levels A and AA. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** The violations that axe finds in the plugin's page, with the background of the parent's page behind it. */
async function violations({ page, plugin }: OpenPage): Promise<string[]> {
  const background = await page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  const frame = await (await plugin.owner().elementHandle())?.contentFrame() as Frame;
  await frame.evaluate(axe.source);
  return await frame.evaluate(async ([rules, background]) => {
    // The plugin's page has no background of its own.
    document.documentElement.style.background = background;
    const found = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: rules,
      resultTypes: ["violations", "incomplete"],
    });
    return [...found.violations, ...found.incomplete].flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)
    );
  }, [RULES, background] as const);
}

for (const state of states) {
  Deno.test(`in state ${state.name} the page meets WCAG 2.2 AA in light and dark mode and fits a width of 320 pixels`, async () => {
    await using open = await reachState(rigs, browser, state, { reducedMotion: "reduce" });
    for (const colorScheme of ["light", "dark"] as const) {
      await open.page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(open), [], colorScheme);
    }
    await open.page.setViewportSize({ width: 320, height: 800 });
    const sideways = await open.plugin.locator("html").evaluate((html) =>
      html.scrollWidth - html.clientWidth
    );
    assert.equal(sideways, 0);
  });
}

Deno.test("docs/states.md has a row and a picture for each state", async () => {
  const docs = await Deno.readTextFile(new URL("../../docs/states.md", import.meta.url));
  const rows = [...docs.matchAll(/^\| \[([\w-]+)\]\(screenshots\/\1\.png\)/gm)].map((match) => match[1]);
  assert.deepEqual(rows.toSorted(), states.map(({ name }) => name).toSorted());
  for (const name of rows) await Deno.stat(new URL(`../../docs/screenshots/${name}.png`, import.meta.url));
});
