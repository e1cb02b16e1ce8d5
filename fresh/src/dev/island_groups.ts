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

/** In a group's file, what tells the exports of its nth module from those of the others. */
export const exportPrefix = (n: number): string => `i${n}_`;

/** Puts islands together that have a module of the app in common, directly or by way of others. */
export function groupIslands({ metafile }: BuildResult<{ metafile: true }>, root: string): IslandEntry[][] {
  let groups: { entries: IslandEntry[]; modules: Set<string> }[] = [];
  for (const { entryPoint, exports, inputs } of Object.values(metafile.outputs)) {
    if (entryPoint === undefined) continue;
    const modules = new Set(Object.keys(inputs).filter((path) => isOwnModule(path, root)));
    const related = groups.filter((group) => !group.modules.isDisjointFrom(modules));
    groups = groups.filter((group) => !related.includes(group));
    groups.push({
      entries: [...related.flatMap((group) => group.entries), { path: entryPoint, exports }],
      modules: related.reduce((all, group) => all.union(group.modules), modules),
    });
  }
  return groups.map((group) => group.entries);
}

const isOwnModule = (path: string, root: string) =>
  !path.includes("node_modules/") && !resolve(root, path).startsWith(FRESH_SOURCES);

/** Lets esbuild find `islands-0`, `islands-1` and so on: modules that export all that the group's modules do. */
export function groupPlugin(groups: IslandEntry[][], root: string): Plugin {
  return {
    name: "fresh-island-groups",
    setup(build) {
      build.onResolve(
        { filter: /^islands-\d+$/ },
        ({ path, kind }) => kind === "entry-point" ? { path, namespace: "island-group" } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: "island-group" }, ({ path }) => {
        const group = groups[Number(path.slice("islands-".length))];
        return { contents: group.map(reexport).join("\n"), resolveDir: root };
      });
    },
  };
}

function reexport({ path, exports }: IslandEntry, n: number): string {
  const names = exports.map((name) => `${name} as ${exportPrefix(n)}${name}`);
  return `export { ${names.join(", ")} } from ${JSON.stringify(`./${path}`)};`;
}
