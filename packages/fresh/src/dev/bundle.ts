import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { type Chunk, islandName } from "../build.ts";
import { islandPlugin, JSX_OPTIONS } from "./island_plugin.ts";

/** The client code of an app. */
export interface Bundle {
  /** Contents by address. */
  files: Map<string, Uint8Array<ArrayBuffer>>;
  client: Chunk;
  reload: Chunk;
}

/** What to bundle: island modules, given by their paths from the project's root. */
export interface BundleOptions {
  root: string;
  islands: string[];
  buildId: string;
  production: boolean;
}

const clientModule = (name: string) => fileURLToPath(import.meta.resolve(`../client/${name}.ts`));

/** Bundles all islands and what starts them into one ES module; what they import dynamically is loaded by itself. */
export async function bundleClient({ root, islands, buildId, production }: BundleOptions): Promise<Bundle> {
  const exports = [
    `export * from ${JSON.stringify(clientModule("boot"))};`,
    ...islands.map((path, n) =>
      `export { default as ${islandName(n)} } from ${JSON.stringify(`./${path}`)};`
    ),
  ];
  const result = await esbuild.build({
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    outdir: root,
    format: "esm",
    target: "es2022",
    ...JSX_OPTIONS,
    entryPoints: { client: "client", ...(production ? {} : { reload: clientModule("reload") }) },
    splitting: true,
    minify: production,
    sourcemap: production ? false : "inline",
    define: { "process.env.NODE_ENV": production ? '"production"' : '"development"' },
    plugins: [entryPlugin(root, exports.join("\n")), islandPlugin(root)],
    logLevel: "warning",
  });
  await esbuild.stop();

  const urlOf = (path: string) => `/_fresh/js/${buildId}/${path}`;
  const chunkOf = (name: string): Chunk => ({
    url: urlOf(`${name}.js`),
    imports: importsOf(`${name}.js`, result.metafile.outputs).map(urlOf),
  });
  return {
    files: new Map(result.outputFiles.map((file) => [
      urlOf(relative(root, file.path)),
      file.contents as Uint8Array<ArrayBuffer>,
    ])),
    client: chunkOf("client"),
    reload: chunkOf("reload"),
  };
}

/** Lets esbuild find the entry point `client`, which is made here. */
function entryPlugin(root: string, contents: string): esbuild.Plugin {
  return {
    name: "fresh-client",
    setup(build) {
      build.onResolve(
        { filter: /^client$/ },
        ({ path, kind }) => kind === "entry-point" ? { path, namespace: "fresh-client" } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: "fresh-client" }, () => ({ contents, resolveDir: root }));
    },
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
