import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sparticuz, { inflate } from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/**
 * Starts a headless Chromium: the one that `CHROMIUM_PATH` names, else the one of the npm package (Linux on x64), else
 * the installed Chrome. Site isolation and storage partitioning stay on, because embedded checkout depends on them.
 */
export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    ...await findBrowser(),
    args: [
      "--no-sandbox",
      "--use-gl=angle",
      "--use-angle=swiftshader",
      "--no-zygote",
      "--disable-features=HttpsUpgrades",
    ],
  });
}

async function findBrowser() {
  const named = Deno.env.get("CHROMIUM_PATH");
  if (named) return { executablePath: named };
  const hasNpmBrowser = Deno.build.os === "linux" && Deno.build.arch === "x86_64";
  return hasNpmBrowser ? await unpackNpmBrowser() : { channel: "chrome" };
}

/**
 * Unpacks the browser of the npm package, with its shared libraries and its font. The package mistakes a file that
 * another process is still writing for a finished one. Hence the lock, which is named after the package so that
 * everybody who unpacks it can take the same.
 */
async function unpackNpmBrowser() {
  using lock = await Deno.open(join(tmpdir(), "sparticuz-chromium.lock"), { create: true, write: true });
  await lock.lock(true);
  const executablePath = await sparticuz.executablePath();
  const entry = import.meta.resolve("@sparticuz/chromium");
  const libraries = await inflate(fileURLToPath(new URL("../../bin/al2023.tar.br", entry)));
  return {
    executablePath,
    env: {
      ...Deno.env.toObject(),
      LD_LIBRARY_PATH: join(libraries, "lib"),
      FONTCONFIG_PATH: join(tmpdir(), "fonts"),
    },
  };
}
