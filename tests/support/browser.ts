/** Launches a Chromium for browser tests and the demo, with the protections under test left switched on. */

import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sparticuz, { inflate } from "@sparticuz/chromium";
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

const PACKAGE_ENTRY = import.meta.resolve("@sparticuz/chromium");

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
 * Starts a headless Chromium: the one that `CHROMIUM_PATH` names, else the one from npm (Linux on x64), else one
 * installed in a usual place.
 *
 * @throws {BrowserNotFoundError} when there is none.
 */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    ...await findBrowser(),
    args: ARGS,
    ignoreDefaultArgs: ["--disable-popup-blocking"],
  });
}

interface FoundBrowser {
  executablePath: string;
  env?: Record<string, string>;
}

async function findBrowser(): Promise<FoundBrowser> {
  const named = Deno.env.get("CHROMIUM_PATH");
  if (named) return { executablePath: named };
  if (Deno.build.os === "linux" && Deno.build.arch === "x86_64") return await unpackNpmBrowser();
  const installed = INSTALLED[Deno.build.os]?.find(exists);
  if (installed) return { executablePath: installed };
  throw new BrowserNotFoundError(
    "No Chromium or Chrome found in the usual places: set CHROMIUM_PATH to the browser's executable",
  );
}

/**
 * Unpacks the browser of the npm package, with its shared libraries and font, so that it runs on a bare machine and renders
 * the same everywhere. The lock is there because the package does not notice that another process is still writing a file.
 */
async function unpackNpmBrowser(): Promise<FoundBrowser> {
  using lock = await Deno.open(join(tmpdir(), "sparticuz-chromium.lock"), { create: true, write: true });
  await lock.lock(true);
  const executablePath = await sparticuz.executablePath();
  const libraries = await inflate(fileURLToPath(new URL("../../bin/al2023.tar.br", PACKAGE_ENTRY)));
  return {
    executablePath,
    env: {
      ...Deno.env.toObject(),
      LD_LIBRARY_PATH: join(libraries, "lib"),
      FONTCONFIG_PATH: join(tmpdir(), "fonts"),
    },
  };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
