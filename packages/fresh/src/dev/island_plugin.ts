import { fileURLToPath } from "node:url";
import type { Loader, Plugin } from "esbuild";

/** Where this package lies. */
const FRESH_SOURCES = fileURLToPath(import.meta.resolve("../"));

/** Jsx becomes calls of preact's `h`, which is less to load than the automatic runtime and makes shorter calls. */
export const JSX_OPTIONS = { jsx: "transform", jsxFactory: "$h", jsxFragment: "$Fragment" } as const;
const IMPORT_JSX = `import{h as $h,Fragment as $Fragment}from"preact";`;

// Marks what this plugin handed back to esbuild, so that it does not ask the plugin again.
const RESOLVED = Symbol("resolved");

/** Teaches esbuild what the app's modules expect: names are those of the project's import map. */
export function islandPlugin(root: string): Plugin {
  return {
    name: "fresh-islands",
    setup(build) {
      const importMap = readImportMap(root);

      build.onResolve({ filter: /^(fresh|@fresh\/core)(\/|$)/ }, ({ path }) => ({
        errors: [{ text: `${path} is for the server: an island cannot import it` }],
      }));

      // Bare names are resolved from the project's root, whoever imports them: that keeps one copy of preact.
      build.onResolve({ filter: /^[@\w]/ }, ({ path, importer, kind, pluginData }) => {
        const target = mapSpecifier(path, importMap);
        const isShared = target.startsWith("preact") || importer.startsWith(FRESH_SOURCES);
        if (pluginData === RESOLVED || (target === path && !isShared)) return undefined;
        return build.resolve(target, { resolveDir: root, kind, pluginData: RESOLVED });
      });

      build.onLoad({ filter: /\.[tj]sx$/ }, async ({ path }) => {
        if (path.includes("/node_modules/")) return undefined;
        return { contents: IMPORT_JSX + await Deno.readTextFile(path), loader: path.slice(-3) as Loader };
      });
    },
  };
}

/** The `imports` of the project's deno.json. */
function readImportMap(root: string): Record<string, string> {
  try {
    return JSON.parse(Deno.readTextFileSync(`${root}/deno.json`)).imports ?? {};
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** What esbuild has to look for: a package's name without its version, or a path relative to the root. */
function mapSpecifier(specifier: string, importMap: Record<string, string>): string {
  const key = Object.keys(importMap)
    .filter((key) => specifier === key || specifier.startsWith(key.endsWith("/") ? key : `${key}/`))
    .sort((a, b) => b.length - a.length)[0];
  const target = key === undefined ? specifier : importMap[key] + specifier.slice(key.length);
  return target.replace(/^npm:\/?((?:@[^/]+\/)?[^/@]+)(?:@[^/]+)?/, "$1");
}
