// The map of the house, kept true: who may import whom, and what the edge functions are deployed with.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const skipped = /(^|\/)(node_modules|_fresh|\.local|dist)\//;
const sources = globSync("**/*.{ts,tsx}", { cwd: root }).filter((path) => !skipped.test(path));

/** Every module that a file names in an import or export, types included. */
function imports(path: string): string[] {
  const text = readFileSync(`${root}/${path}`, "utf8");
  const named = text.matchAll(/^(?:import|export)\s[^;"]*?\bfrom\s+"([^"]+)"/gm);
  const dynamic = text.matchAll(/\bimport\(\s*"([^"]+)"/g);
  return [...named, ...dynamic].map((match) => match[1]);
}

/** The path from the root of what a relative import leads to. */
const target = (path: string, specifier: string) => new URL(specifier, `file:///${path}`).pathname.slice(1);

const folder = (path: string) => {
  if (!path.includes("/")) return "(root)";
  const [first, second] = path.split("/");
  return first === "packages" ? `packages/${second}` : first;
};

/** Which folders each folder of the product may import from, besides itself. "types" allows `import type` only. */
const allowed: Record<string, string[]> = {
  "(root)": ["billing", "server"],
  billing: [],
  browser: ["billing: types", "packages/parent: types"],
  components: ["browser"],
  islands: ["billing: types", "browser", "components"],
  "packages/fresh": [],
  "packages/parent": [],
  routes: ["billing", "browser", "components", "islands", "server"],
  server: ["billing"],
  supabase: ["billing"],
};

Deno.test("imports point one way: routes and functions to billing, islands to browser, nothing to local or tests", () => {
  const wrong: string[] = [];
  for (const path of sources) {
    const from = folder(path);
    if (!(from in allowed) || path.endsWith("_test.ts") || path === "dev.ts") continue;
    const text = readFileSync(`${root}/${path}`, "utf8");
    for (const specifier of imports(path).filter((specifier) => specifier.startsWith("."))) {
      const to = folder(target(path, specifier));
      if (to === from || allowed[from].includes(to)) continue;
      const typeOnly = new RegExp(`^(?:import|export) type [^;]*"${RegExp.escape(specifier)}"`, "m").test(
        text,
      );
      if (typeOnly && allowed[from].includes(`${to}: types`)) continue;
      wrong.push(`${path} imports ${specifier}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("the environment is read in one place of the product", () => {
  const readers = sources.filter((path) =>
    folder(path) in allowed && !["packages/fresh", "(root)"].includes(folder(path)) &&
    !path.endsWith("_test.ts") &&
    /Deno\.env|process\.env/.test(readFileSync(`${root}/${path}`, "utf8"))
  );
  assert.deepEqual(readers, ["billing/config.ts"]);
});

/** Every file an edge function is deployed with: what its entry imports, and so on. */
function reachable(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const specifier of imports(entry)) {
    if (specifier.startsWith(".")) reachable(target(entry, specifier), seen);
  }
  return seen;
}

Deno.test("each edge function maps exactly the packages it uses, at the versions the project uses", () => {
  const project: Record<string, string> = JSON.parse(readFileSync(`${root}/deno.json`, "utf8")).imports;
  const maps = globSync("supabase/functions/*/deno.json", { cwd: root });
  assert.ok(maps.length > 0);
  for (const map of maps) {
    const used = [...reachable(map.replace("deno.json", "index.ts"))].flatMap(imports)
      .filter((specifier) => !/^(\.|node:|npm:)/.test(specifier));
    const expected = Object.fromEntries([...new Set(used)].sort().map((name) => [name, project[name]]));
    assert.deepEqual(JSON.parse(readFileSync(`${root}/${map}`, "utf8")).imports, expected, map);
  }
});

Deno.test("each edge function is a member of the workspace and has its section in config.toml", () => {
  const workspace: string[] = JSON.parse(readFileSync(`${root}/deno.json`, "utf8")).workspace;
  const config = readFileSync(`${root}/supabase/config.toml`, "utf8");
  for (const entry of globSync("supabase/functions/*/index.ts", { cwd: root })) {
    const name = entry.split("/")[2];
    assert.ok(workspace.includes(`./supabase/functions/${name}`), name);
    assert.match(config, new RegExp(`^\\[functions\\.${name}\\]$`, "m"));
  }
});

Deno.test("every package is pinned to one exact version", () => {
  const { imports, allowScripts } = JSON.parse(readFileSync(`${root}/deno.json`, "utf8"));
  const { fresh, ...packages } = imports as Record<string, string>;
  assert.match(fresh, /^jsr:@fresh\/core@/);
  for (const specifier of [...Object.values(packages), ...allowScripts]) {
    assert.match(specifier, /^npm:(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+(-[\w.]+)?$/);
  }
});
