// What holds in every state of the plugin's pages: everybody can use them.
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Browser, Frame } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import type { OpenPage } from "./rigs/plugin_rig.ts";
import { Rigs } from "./rigs/checkout_rigs.ts";
import { reachState, states } from "./rigs/page_states.ts";

let browser: Browser;
const rigs = new Rigs();
Deno.test.beforeAll(async () => {
  browser = await launchBrowser();
});
Deno.test.afterAll(async () => {
  await browser.close();
  await rigs[Symbol.asyncDispose]();
});

/** The rules of WCAG 2.2, levels A and AA. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** What axe finds wrong with the plugin's page, as it stands in the parent's. */
async function faults({ page, plugin }: OpenPage): Promise<string[]> {
  const ground = await page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  const frame = await (await plugin.owner().elementHandle())?.contentFrame() as Frame;
  await frame.evaluate(axe.source);
  return await frame.evaluate(async ([rules, ground]) => {
    // The page has no ground of its own: what is behind its text is the parent's.
    document.documentElement.style.background = ground;
    const found = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: rules,
      resultTypes: ["violations", "incomplete"],
    });
    return [...found.violations, ...found.incomplete].flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)
    );
  }, [RULES, ground] as const);
}

for (const state of states) {
  Deno.test(`in state ${state.name} the page meets WCAG 2.2 AA, by day and by night, and fits 320 pixels`, async () => {
    await using open = await reachState(rigs, browser, state, { reducedMotion: "reduce" });
    for (const colorScheme of ["light", "dark"] as const) {
      await open.page.emulateMedia({ colorScheme });
      assert.deepEqual(await faults(open), [], colorScheme);
    }
    await open.page.setViewportSize({ width: 320, height: 800 });
    const sideways = await open.plugin.locator("html").evaluate((html) =>
      html.scrollWidth - html.clientWidth
    );
    assert.equal(sideways, 0);
  });
}

Deno.test("docs/states.md has a row for each state, and a picture of each is there", async () => {
  const docs = await Deno.readTextFile(new URL("../../docs/states.md", import.meta.url));
  const rows = [...docs.matchAll(/^\| \[([\w-]+)\]\(screenshots\/\1\.png\)/gm)].map((match) => match[1]);
  assert.deepEqual(rows.toSorted(), states.map(({ name }) => name).toSorted());
  for (const name of rows) await Deno.stat(new URL(`../../docs/screenshots/${name}.png`, import.meta.url));
});
