/** Bundles the JavaScript that parent apps include. `deno run -A packages/parent/bundle.ts` writes it to `packages/parent/dist/`. */

import { fileURLToPath } from "node:url";
import { build, type Format, stop } from "esbuild";

const HERE = new URL("./", import.meta.url);

/** Returns the script for a `<script>` tag, minified. */
export function bundleScript(): Promise<string> {
  return bundle("script_tag.ts", "iife");
}

/** Returns an ES module that exports `connectDues`, minified. */
export function bundleModule(): Promise<string> {
  return bundle("dues_parent.ts", "esm");
}

/** Writes `dues-parent.js` (script tag), `dues-parent.mjs` and `dues-parent.d.mts` (import) to `packages/parent/dist/`. */
export async function writeDist(): Promise<void> {
  const dist = new URL("dist/", HERE);
  const types = await Deno.readTextFile(new URL("types.ts", HERE));
  await Deno.mkdir(dist, { recursive: true });
  await Deno.writeTextFile(new URL("dues-parent.js", dist), await bundleScript());
  await Deno.writeTextFile(new URL("dues-parent.mjs", dist), await bundleModule());
  await Deno.writeTextFile(
    new URL("dues-parent.d.mts", dist),
    `${types}\nexport declare const connectDues: ConnectDues;\n`,
  );
}

async function bundle(entry: string, format: Format): Promise<string> {
  const { outputFiles: [script] } = await build({
    entryPoints: [fileURLToPath(new URL(entry, HERE))],
    bundle: true,
    minify: true,
    format,
    target: "es2022",
    write: false,
  });
  return script.text;
}

if (import.meta.main) {
  await writeDist();
  await stop();
}
