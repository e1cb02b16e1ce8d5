/**
 * `deno run -R -W deploy/production_config.ts FOLDER ENTRY…`: writes to FOLDER the `deno.json` and `deno.lock` of an image that
 * runs these entries: with the packages that they import and no others, at the versions of the project. Run it at the
 * project's root.
 */
import { dirname, join, normalize } from "node:path";

/** Every bare specifier that these modules import, directly or through files of the project. */
export function importedPackages(entries: string[]): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const specifier of specifiersOf(Deno.readTextFileSync(path))) {
      if (specifier.startsWith(".")) open.push(normalize(join(dirname(path), specifier)));
      else if (!/^(node|npm|file|https?):/.test(specifier)) packages.add(specifier);
    }
  }
  return packages;
}

function specifiersOf(source: string): string[] {
  const statements = /^(?:import|export)\s(type\s)?(?:[^;"]*?\bfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...source.matchAll(statements)]
    .filter(([_, type]) => type === undefined)
    .map(([_, __, named, dynamic]) => named ?? dynamic);
}

/** What is compiled into a module without an import in it: JSX, and what `_fresh/server.js` and the pages import. */
const ALWAYS = ["preact", "preact-render-to-string", "@preact/signals", "fresh"];

/** The project's configuration, reduced to what these entries need. */
export function productionConfig(
  project: Record<string, unknown>,
  entries: string[],
): Record<string, unknown> {
  const imports = project.imports as Record<string, string>;
  const wanted = [...importedPackages(entries), ...ALWAYS];
  const kept = Object.entries(imports).filter(([name]) =>
    wanted.some((specifier) => specifier === name || specifier.startsWith(`${name}/`))
  );
  const { compilerOptions, links } = project;
  const tasks = Object.entries(project.tasks as Record<string, { command: string }>)
    .filter(([_, { command }]) => / (server\/start\.ts|billing\/tasks\/|deploy\/)/.test(command));
  return {
    tasks: Object.fromEntries(tasks),
    nodeModulesDir: "auto",
    lock: true,
    links,
    imports: Object.fromEntries(kept),
    compilerOptions,
  };
}

if (import.meta.main) {
  const [folder, ...entries] = Deno.args;
  const project = JSON.parse(await Deno.readTextFile("deno.json"));
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    join(folder, "deno.json"),
    JSON.stringify(productionConfig(project, entries), null, 2) + "\n",
  );
  await Deno.copyFile("deno.lock", join(folder, "deno.lock"));
}
