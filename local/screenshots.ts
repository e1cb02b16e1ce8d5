/**
 * `deno task screenshots [NAME…]`: pictures of every state of the plugin's pages into `docs/screenshots/`, all of them
 * or those named. The plugin's API is played, so nothing else has to run.
 */
import type { Browser } from "playwright-core";
import type { OpenOptions } from "../tests/browser/rigs/plugin_rig.ts";
import { CheckoutRigs } from "../tests/browser/rigs/checkout_rigs.ts";
import { reachState, states } from "../tests/browser/rigs/page_states.ts";
import { launchBrowser } from "../tests/support/browser.ts";
import { projectPath } from "./paths.ts";

const FOLDER = projectPath("docs/screenshots");

/** Wide enough for a community page with a menu beside the plugin. */
const DESK: OpenOptions = { viewport: { width: 1100, height: 900 } };

/** The same states again, where a picture tells more than the first: by night, on a phone, in German. */
const variants: [state: string, name: string, options: OpenOptions][] = [
  ["pro", "pro-dark", { ...DESK, colorScheme: "dark" }],
  ["paywall", "paywall-dark", { ...DESK, colorScheme: "dark" }],
  ["past-due", "past-due-phone", { viewport: { width: 320, height: 640 } }],
  ["free", "free-phone-german", { viewport: { width: 320, height: 640 }, locale: "de-DE" }],
  ["free", "free-german", { ...DESK, locale: "de-DE" }],
];

const pictures = [
  ...variants.map(([of, name, options]) => ({
    name,
    state: states.find(({ name }) => name === of)!,
    options,
  })),
  ...states.map((state) => ({ name: state.name, state, options: DESK })),
];

async function takePicture(rigs: CheckoutRigs, browser: Browser, picture: (typeof pictures)[number]) {
  await using open = await reachState(rigs, browser, picture.state, {
    ...picture.options,
    reducedMotion: "reduce",
    deviceScaleFactor: 1,
  });
  await open.page.mouse.move(0, 0);
  await open.page.locator("iframe[data-dues]").screenshot({ path: `${FOLDER}/${picture.name}.png` });
}

if (import.meta.main) {
  const chosen = pictures.filter(({ name }) => Deno.args.length === 0 || Deno.args.includes(name));
  const browser = await launchBrowser();
  const rigs = new CheckoutRigs();
  try {
    for (const picture of chosen) {
      await takePicture(rigs, browser, picture);
      console.log(`docs/screenshots/${picture.name}.png`);
    }
  } finally {
    await browser.close();
    await rigs[Symbol.asyncDispose]();
  }
  Deno.exit(0);
}
