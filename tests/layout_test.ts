// The layout of the repository: who may import whom, unique file names, paths that documents name, what the edge
// functions are deployed with.
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const skipped = /(^|\/)(node_modules|_fresh|\.local|\.git|\.temp|dist)\//;
const files = globSync(["**/*.*", ".ci/*", ".env.example"], { cwd: root }).filter((path) =>
  !skipped.test(path)
);
const sources = files.filter((path) => /\.tsx?$/.test(path));
const read = (path: string) => readFileSync(join(root, path), "utf8");

interface Import {
  specifier: string;
  isType: boolean;
}

/** Every module that a file names in an import or export, types and dynamic imports included. */
function imports(path: string): Import[] {
  const statements = /^(?:import|export)\s(type\s)?(?:[^;"]*?\bfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...read(path).matchAll(statements)].map(([_, type, named, dynamic]) => ({
    specifier: named ?? dynamic,
    isType: type !== undefined,
  }));
}

/** The path from the root of what a relative import leads to. */
const target = (path: string, specifier: string) =>
  decodeURIComponent(new URL(specifier, `file:///${encodeURI(path)}`).pathname.slice(1));

/** The imports of files of the repository. */
const internalImports = (path: string) =>
  imports(path).filter(({ specifier }) => specifier.startsWith("."))
    .map(({ specifier, isType }) => ({ path: target(path, specifier), isType }));

const folder = (path: string) => {
  if (!path.includes("/")) return "(root)";
  const [first, second] = path.split("/");
  return first === "packages" ? `packages/${second}` : first;
};

/**
 * Which folders each folder may import from, besides itself. ": types" allows `import type` only; billing/money may be
 * imported wherever types of billing may.
 */
const allowed: Record<string, string[]> = {
  "(root)": ["billing", "examples", "packages/parent", "server"],
  billing: [],
  browser: ["billing: types", "packages/parent: types"],
  components: ["browser"],
  deploy: ["billing", "local", "supabase"],
  examples: ["billing", "browser", "components", "islands", "server"],
  islands: ["billing: types", "browser", "components"],
  local: ["billing", "packages/parent", "packages/stripe-simulator"],
  "packages/fresh": [],
  "packages/parent": [],
  "packages/stripe-simulator": [],
  routes: ["billing", "browser", "components", "islands", "server"],
  // What was built is served by server/serve.ts.
  server: ["billing", "_fresh"],
  supabase: ["billing"],
};

/** These two drive a browser and measure, with the helpers of the tests and of the benchmarks. */
const drivers = ["local/demo.ts", "local/screenshots.ts"];

Deno.test("imports go in the allowed directions only; tests may import anything", () => {
  const wrong: string[] = [];
  for (const path of sources) {
    const from = folder(path);
    if (!(from in allowed) || path.endsWith("_test.ts") || drivers.includes(path)) continue;
    for (const { path: imported, isType } of internalImports(path)) {
      const to = folder(imported);
      if (to === from || allowed[from].includes(to)) continue;
      if (isType && allowed[from].includes(`${to}: types`)) continue;
      if (allowed[from].includes("billing: types") && imported.startsWith("billing/money/")) continue;
      wrong.push(`${path} imports ${imported}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("billing/money, which the browser uses too, imports nothing and uses nothing of Deno's", () => {
  const shared = sources.filter((path) => path.startsWith("billing/money/") && !path.endsWith("_test.ts"));
  assert.ok(shared.length > 0);
  assert.deepEqual(shared.filter((path) => imports(path).length > 0 || /\bDeno\b/.test(read(path))), []);
});

Deno.test("every folder with sources has its import directions, but for tests and benchmarks", () => {
  const folders = new Set(sources.map(folder));
  assert.deepEqual([...folders].filter((name) => !(name in allowed)).sort(), ["bench", "tests"]);
});

/** Groups of files that import one another in a circle (Tarjan's strongly connected components). */
function importCircles(): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (path: string): void => {
    order.set(path, order.size);
    lowest.set(path, order.get(path)!);
    open.push(path);
    const next = internalImports(path).map((imported) => imported.path).filter((each) =>
      sources.includes(each)
    );
    for (const each of next) {
      if (!order.has(each)) visit(each);
      if (open.includes(each)) lowest.set(path, Math.min(lowest.get(path)!, lowest.get(each)!));
    }
    if (lowest.get(path) !== order.get(path)) return;
    const circle = open.splice(open.indexOf(path));
    if (circle.length > 1 || next.includes(path)) circles.push(circle);
  };
  for (const path of sources) if (!order.has(path)) visit(path);
  return circles;
}

Deno.test("no files import one another in a circle, types included", () => {
  assert.deepEqual(importCircles(), []);
});

/** Names that a framework or a convention gives: the same in many folders. */
const givenNames = /^(_app|_error|_middleware|index|mod|deno|README|\[\.\.\.path\])\.\w+$/;

/** Within an area a file is known by its name alone. */
const area = (path: string) => {
  const [first, second] = path.split("/");
  return ["packages", "tests"].includes(first) ? `${first}/${second}` : first;
};

Deno.test("no file name occurs twice within an area", () => {
  const byName = Map.groupBy(
    files.filter((path) =>
      path.includes("/") && !path.includes("/testdata/") && !givenNames.test(basename(path))
    ),
    (path) => `${area(path)}: ${basename(path)}`,
  );
  assert.deepEqual([...byName.values()].filter((paths) => paths.length > 1), []);
});

Deno.test("the environment is read in one place of the product", () => {
  const product = ["billing", "browser", "components", "examples", "islands", "routes", "server", "supabase"];
  const readers = sources.filter((path) =>
    product.includes(folder(path)) && !path.endsWith("_test.ts") && /Deno\.env|process\.env/.test(read(path))
  );
  assert.deepEqual(readers, ["billing/config.ts"]);
});

Deno.test("the product reads without Supabase's gateway: it does not import @supabase/supabase-js", () => {
  const users = sources.filter((path) =>
    folder(path) in allowed && !path.endsWith("_test.ts") &&
    imports(path).some(({ specifier }) => specifier.startsWith("@supabase/supabase-js"))
  );
  assert.deepEqual(users, []);
});

/** What commands write is not always there, and one comment has a made-up path. */
const notInTheTree = /^(_fresh|\.local|packages\/parent\/dist)\/|^users\/\(admin\)\/\[id\]\.tsx$/;

/** What documents say, and what comments of sources say. */
function prose(path: string): string {
  const text = read(path);
  if (/\.tsx?$/.test(path)) return (text.match(/\/\*[^]*?\*\/|(?<![:"'`])\/\/.*$/gm) ?? []).join("\n");
  if (path.endsWith(".sql")) return (text.match(/--.*$/gm) ?? []).join("\n");
  return text;
}

Deno.test("every path that documents and comments name exists", () => {
  const extension = "(?:tsx?|sql|md|toml|css|html)";
  // A path with folders that ends in a file's name; a file's name or a folder as code; where a link leads.
  const segment = "(?:[\\w.-]|\\(\\w+\\)|\\[[\\w.]+\\])+";
  const paths = new RegExp(`(?<![\\w/.:@*…})-])${segment}(?:/${segment})*/${segment}\\.${extension}\\b`, "g");
  const names = new RegExp(`\`([\\w-]+\\.${extension})\``, "g");
  const folders = /`((?:[\w.-]+\/)+)`/g;
  const links = /\]\((?!https?:|#)([^)#\s]+)/g;
  const isFile = (name: string, from: string) =>
    files.some((path) => path === name || path.endsWith(`/${name}`)) ||
    existsSync(join(root, dirname(from), name));
  const isFolder = (name: string, from: string) =>
    files.some((path) => `/${path}`.includes(`/${name}`)) || existsSync(join(root, dirname(from), name));

  const missing: string[] = [];
  for (const path of files.filter((path) => /\.(tsx?|sql|md|toml|css)$|^\.ci\/|^\.env/.test(path))) {
    const text = prose(path);
    const named = [
      ...[...text.matchAll(paths)].map(([name]) => name).filter((name) =>
        !isFile(name.replace(/^(\.\.?\/)+/, ""), path)
      ),
      ...[...text.matchAll(names)].map(([_, name]) => name).filter((name) => !isFile(name, path)),
      ...[...text.matchAll(folders)].map(([_, name]) => name).filter((name) => !isFolder(name, path)),
      ...(path.endsWith(".md") ? [...text.matchAll(links)] : []).map(([_, name]) => name)
        .filter((name) => !existsSync(join(root, dirname(path), name))),
    ];
    missing.push(...named.filter((name) => !notInTheTree.test(name)).map((name) => `${path} names ${name}`));
  }
  assert.deepEqual(missing, []);
});

/** Every file an edge function is deployed with: what its entry imports, and so on. */
function reachable(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const { path } of internalImports(entry)) reachable(path, seen);
  return seen;
}

Deno.test("each edge function maps exactly the packages it uses, at the versions the project uses", () => {
  const project: Record<string, string> = JSON.parse(read("deno.json")).imports;
  const maps = globSync("supabase/functions/*/deno.json", { cwd: root });
  assert.ok(maps.length > 0);
  for (const map of maps) {
    const used = [...reachable(map.replace("deno.json", "index.ts"))].flatMap(imports)
      .map(({ specifier }) => specifier)
      .filter((specifier) => !/^(\.|node:|npm:)/.test(specifier));
    const expected = Object.fromEntries([...new Set(used)].sort().map((name) => [name, project[name]]));
    assert.deepEqual(JSON.parse(read(map)).imports, expected, map);
  }
});

Deno.test("each edge function is a member of the workspace and has its section in config.toml", () => {
  const workspace: string[] = JSON.parse(read("deno.json")).workspace;
  const config = read("supabase/config.toml");
  for (const entry of globSync("supabase/functions/*/index.ts", { cwd: root })) {
    const name = entry.split("/")[2];
    assert.ok(workspace.includes(`./supabase/functions/${name}`), name);
    assert.match(config, new RegExp(`^\\[functions\\.${name}\\]$`, "m"));
  }
});

Deno.test("every package is pinned to one exact version", () => {
  const { imports, allowScripts } = JSON.parse(read("deno.json"));
  const { fresh, ...packages } = imports as Record<string, string>;
  assert.match(fresh, /^jsr:@fresh\/core@/);
  for (const specifier of [...Object.values(packages), ...allowScripts]) {
    assert.match(specifier, /^npm:(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+(-[\w.]+)?$/);
  }
});
Deno.test("Request, Response and Headers are used in billing/http only, of all billing/", () => {
  const users = sources.filter((path) =>
    path.startsWith("billing/") && !path.startsWith("billing/http/") && !path.endsWith("_test.ts") &&
    /(?<![.\w])(Request|Response|Headers)(Init)?\b/.test(
      read(path).replaceAll(/\/\*[^]*?\*\/|\/\/.*$|"[^"\n]*"/gm, ""),
    )
  );
  assert.deepEqual(users, []);
});

Deno.test("each edge function is deployed with a lockfile that holds what the project's own holds", () => {
  interface Lock {
    specifiers: Record<string, string>;
    npm: Record<string, { integrity: string }>;
  }
  const own = JSON.parse(read("deno.lock")) as Lock;
  const folders = globSync("supabase/functions/*/deno.json", { cwd: root }).map(dirname);
  assert.equal(folders.length, 3);
  for (const path of folders) {
    const { imports: mapped } = JSON.parse(read(join(path, "deno.json")));
    const lock = JSON.parse(read(join(path, "deno.lock"))) as Lock;
    assert.deepEqual(Object.keys(lock.specifiers).sort(), Object.values<string>(mapped).sort(), path);
    for (const [name, { integrity }] of Object.entries(lock.npm)) {
      assert.equal(integrity, own.npm[name]?.integrity, `${path}: ${name}`);
    }
  }
});
