import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import type { Chunk, IslandModule } from "../build.ts";
import { exportPrefix, groupIslands, groupPlugin } from "./island_groups.ts";
import { islandPlugin, JSX_OPTIONS } from "./island_plugin.ts";

/** The client code of an app. */
export interface Bundle {
  /** Contents by address. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  boot: Chunk;
  signals: Chunk;
  reload: Chunk;
  /** By the island module's path. */
  islands: Map<string, IslandModule>;
}

/** What to bundle: island modules, given by their paths from the project's root. */
export interface BundleOptions {
  root: string;
  islands: string[];
  buildId: string;
  production: boolean;
}

const clientModule = (name: string) => fileURLToPath(import.meta.resolve(`../client/${name}.ts`));

/** Bundles the islands and what starts them into ES modules that share their common parts. */
export async function bundleClient({ root, islands, buildId, production }: BundleOptions): Promise<Bundle> {
  const common = {
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    outdir: root,
    format: "esm",
    target: "es2022",
    ...JSX_OPTIONS,
    plugins: [islandPlugin(root)],
    logLevel: "error",
  } satisfies esbuild.BuildOptions;

  const groups = groupIslands(await esbuild.build({ ...common, entryPoints: islands }), root);
  const names = groups.map((_, i) => `islands-${i}`);
  // Islands that are one group anyway become one file together with what starts them: the least to load.
  const starters = groups.length === 1 && groups[0].usesSignals
    ? [clientModule("boot"), clientModule("signals")]
    : [];
  const isOneFile = starters.length > 0;
  const result = await esbuild.build({
    ...common,
    entryPoints: {
      ...(isOneFile ? {} : { boot: clientModule("boot"), signals: clientModule("signals") }),
      ...(production ? {} : { reload: clientModule("reload") }),
      ...Object.fromEntries(names.map((name) => [name, name])),
    },
    splitting: true,
    minify: production,
    sourcemap: production ? false : "inline",
    define: {
      FRESH_BUILD_ID: JSON.stringify(buildId),
      FRESH_LOCKS_IMAGES: String(groups.some((group) => group.hasImages)),
      "process.env.NODE_ENV": production ? '"production"' : '"development"',
    },
    plugins: [groupPlugin(groups, root, starters), ...common.plugins],
    logLevel: "warning",
  });
  await esbuild.stop();

  const urlOf = (path: string) => `/_fresh/js/${buildId}/${path}`;
  const chunkOf = (name: string): Chunk => ({
    url: urlOf(`${name}.js`),
    imports: importsOf(`${name}.js`, result.metafile.outputs).map(urlOf),
  });
  const moduleOf = (group: number, i: number) => ({ chunk: chunkOf(names[group]), prefix: exportPrefix(i) });
  return {
    files: new Map(result.outputFiles.map((file) => [
      urlOf(relative(root, file.path)),
      file.contents as Uint8Array<ArrayBuffer>,
    ])),
    boot: chunkOf(isOneFile ? names[0] : "boot"),
    signals: chunkOf(isOneFile ? names[0] : "signals"),
    reload: chunkOf("reload"),
    islands: new Map(
      groups.flatMap(({ entries }, n) => entries.map(({ path }, i) => [path, moduleOf(n, i)])),
    ),
  };
}

type Outputs = esbuild.Metafile["outputs"];

/** Everything that an output imports right away, at any depth. */
function importsOf(output: string, outputs: Outputs, found = new Set<string>()): string[] {
  for (const { path, kind } of outputs[output]?.imports ?? []) {
    if (kind !== "import-statement" || found.has(path)) continue;
    found.add(path);
    importsOf(path, outputs, found);
  }
  return [...found];
}
