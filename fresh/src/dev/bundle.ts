import { basename, extname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import type { Chunk } from "../build.ts";
import { islandPlugin } from "./island_plugin.ts";

/** The client code of an app. */
export interface Bundle {
  /** Contents by address. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  boot: Chunk;
  signals: Chunk;
  reload: Chunk;
  /** By the island module's path. */
  islands: Map<string, Chunk>;
}

const clientModule = (name: string) => fileURLToPath(import.meta.resolve(`../client/${name}.ts`));

/** Bundles the islands and what starts them into ES modules that share their common parts. */
export async function bundleClient(
  { root, islands, buildId, production }: {
    root: string;
    islands: string[];
    buildId: string;
    production: boolean;
  },
): Promise<Bundle> {
  const names = entryNames(islands);
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: {
      boot: clientModule("boot"),
      signals: clientModule("signals"),
      ...(production ? {} : { reload: clientModule("reload") }),
      ...Object.fromEntries(islands.map((path) => [names.get(path)!, resolve(root, path)])),
    },
    outdir: root,
    write: false,
    metafile: true,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: production,
    sourcemap: production ? false : "inline",
    jsx: "automatic",
    jsxImportSource: "preact",
    define: {
      FRESH_BUILD_ID: JSON.stringify(buildId),
      "process.env.NODE_ENV": production ? '"production"' : '"development"',
    },
    plugins: [islandPlugin(root)],
    logLevel: "warning",
  });
  await esbuild.stop();

  const urlOf = (path: string) => `/_fresh/js/${buildId}/${path}`;
  const chunkOf = (name: string): Chunk => ({
    url: urlOf(`${name}.js`),
    imports: importsOf(`${name}.js`, result.metafile).map(urlOf),
  });
  return {
    files: new Map(result.outputFiles.map((file) => [
      urlOf(relative(root, file.path)),
      file.contents as Uint8Array<ArrayBuffer>,
    ])),
    boot: chunkOf("boot"),
    signals: chunkOf("signals"),
    reload: chunkOf("reload"),
    islands: new Map(islands.map((path) => [path, chunkOf(names.get(path)!)])),
  };
}

/** Short names for the addresses; a number tells modules of the same name apart. */
function entryNames(islands: string[]): Map<string, string> {
  return new Map(islands.map((path, i) => {
    const name = basename(path, extname(path)).replace(/[^\w-]/g, "-");
    return [path, `island-${name}-${i}`];
  }));
}

/** Everything that an output imports right away, at any depth. */
function importsOf(output: string, { outputs }: esbuild.Metafile, found = new Set<string>()): string[] {
  for (const { path, kind } of outputs[output]?.imports ?? []) {
    if (kind !== "import-statement" || found.has(path)) continue;
    found.add(path);
    importsOf(path, { inputs: {}, outputs }, found);
  }
  return [...found];
}
