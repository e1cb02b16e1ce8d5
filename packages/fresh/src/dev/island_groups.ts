// Islands that share modules of the app are mostly used together. As one file they compress better, and the browser
// has less to ask for, than as one file for each island and for each set of islands that share something.
import { resolve } from "node:path";
import type { BuildResult, Plugin } from "esbuild";
import { FRESH_SOURCES } from "./island_plugin.ts";

/** An island module and the names that it exports. */
export interface IslandEntry {
  path: string;
  exports: string[];
}

/** Islands that are bundled together. */
export interface IslandGroup {
  entries: IslandEntry[];
  /** Whether any of them uses signals itself, so that the page loads them in any case. */
  usesSignals: boolean;
  /** Whether any module of the app among them speaks of images. */
  hasImages: boolean;
}

/** In a group's file, what tells the exports of its nth module from those of the others. */
export const exportPrefix = (n: number): string => `i${n}_`;

/** Puts islands together that have a module of the app in common, directly or by way of others. */
export function groupIslands({ metafile }: BuildResult<{ metafile: true }>, root: string): IslandGroup[] {
  let groups: (IslandGroup & { modules: Set<string> })[] = [];
  for (const { entryPoint, exports, inputs } of Object.values(metafile.outputs)) {
    if (entryPoint === undefined) continue;
    const modules = new Set(Object.keys(inputs).filter((path) => isOwnModule(path, root)));
    const related = groups.filter((group) => !group.modules.isDisjointFrom(modules));
    groups = groups.filter((group) => !related.includes(group));
    groups.push({
      entries: [...related.flatMap((group) => group.entries), { path: entryPoint, exports }],
      usesSignals: related.some((group) => group.usesSignals) || Object.keys(inputs).some(isSignals),
      hasImages: related.some((group) => group.hasImages) ||
        [...modules].some((path) => namesImages(path, root)),
      modules: related.reduce((all, group) => all.union(group.modules), modules),
    });
  }
  return groups;
}

/** As jsx, or as the first argument of a call. */
const namesImages = (path: string, root: string) =>
  /<(img|source)\b|\(\s*["'](img|source)["']/.test(Deno.readTextFileSync(resolve(root, path)));

const isSignals = (path: string) => path.includes("/@preact/signals/");

const isOwnModule = (path: string, root: string) =>
  !path.includes("node_modules/") && !resolve(root, path).startsWith(FRESH_SOURCES);

/**
 * Lets esbuild find `islands-0`, `islands-1` and so on: modules that export all that the group's modules do, and all
 * that `others` do, which are given by their paths.
 */
export function groupPlugin(groups: IslandGroup[], root: string, others: string[]): Plugin {
  return {
    name: "fresh-island-groups",
    setup(build) {
      build.onResolve(
        { filter: /^islands-\d+$/ },
        ({ path, kind }) => kind === "entry-point" ? { path, namespace: "island-group" } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: "island-group" }, ({ path }) => {
        const { entries } = groups[Number(path.slice("islands-".length))];
        const exports = [
          ...entries.map(reexport),
          ...others.map((other) => `export * from ${JSON.stringify(other)};`),
        ];
        return { contents: exports.join("\n"), resolveDir: root };
      });
    },
  };
}

function reexport({ path, exports }: IslandEntry, n: number): string {
  const names = exports.map((name) => `${name} as ${exportPrefix(n)}${name}`);
  return `export { ${names.join(", ")} } from ${JSON.stringify(`./${path}`)};`;
}
