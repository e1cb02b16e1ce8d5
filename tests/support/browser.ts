/** Launches a Chromium for browser tests and the demo, with the protections under test left switched on. */

import sparticuz from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/**
 * The usual serverless flags (`--disable-web-security`, `--single-process`, …) would switch off exactly what these
 * tests are about, so only what a headless browser needs on a machine without a GPU is given. The last
 * `--disable-features` wins over Playwright's own, which turns off storage partitioning.
 */
const ARGS = [
  "--no-sandbox",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--no-zygote",
  "--disable-features=HttpsUpgrades",
];

const INSTALLED: Partial<Record<typeof Deno.build.os, string[]>> = {
  linux: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"],
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  ],
  windows: [
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
  ],
};

/** No browser could be found; the message says how to name one. */
export class BrowserNotFoundError extends Error {
  override name = "BrowserNotFoundError";
}

/**
 * Starts a headless Chromium: the one that `CHROMIUM_PATH` names, else the one from npm (Linux on x64 and arm64),
 * else one installed in a usual place.
 *
 * @throws {BrowserNotFoundError} when there is none.
 */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: await findChromium(),
    args: ARGS,
    ignoreDefaultArgs: ["--disable-popup-blocking"],
  });
}

async function findChromium(): Promise<string> {
  const named = Deno.env.get("CHROMIUM_PATH");
  if (named) return named;
  if (Deno.build.os === "linux") return await sparticuz.executablePath();
  const installed = INSTALLED[Deno.build.os]?.find(exists);
  if (installed) return installed;
  throw new BrowserNotFoundError(
    "No Chromium or Chrome found in the usual places: set CHROMIUM_PATH to the browser's executable",
  );
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
