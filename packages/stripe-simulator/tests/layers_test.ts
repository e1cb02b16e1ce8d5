// The layers of the simulator, and that imports go down only.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** From the lowest to the highest. A layer imports itself and the layers before it; those of one row, not each other. */
const layers = [
  ["wire", "faults"],
  ["objects"],
  ["account"],
  ["behaviour"],
  ["time", "webhooks"],
  ["api"],
  ["pages"],
  ["control"],
  ["server"],
  ["testing"],
];

const files = globSync("**/*.{ts,tsx}", { cwd: root }).filter((path) => !path.includes("node_modules"));
const sources = files.filter((path) => path.startsWith("src/") && !path.endsWith("_test.ts"));

/** Every module that a file imports or re-exports, types included. */
function importsOf(path: string): string[] {
  const text = readFileSync(`${root}/${path}`, "utf8");
  const statements = text.matchAll(/^(?:import|export)\s(?:[^;"]*?\bfrom\s+)?"([^"]+)"/gm);
  const calls = text.matchAll(/\bimport\(\s*"([^"]+)"/g);
  return [...statements, ...calls].map((match) => match[1]);
}

/** The imported files of the package, as paths from its root. A path out of the package begins with `..`. */
function dependenciesOf(path: string): string[] {
  return importsOf(path).filter((specifier) => specifier.startsWith(".")).map((specifier) => {
    const target = new URL(specifier, `file:///a/b/c/${path}`).pathname;
    return target.startsWith("/a/b/c/") ? target.slice("/a/b/c/".length) : `..${target}`;
  });
}

const layerOf = (path: string) => path.split("/")[1];
const rankOf = (layer: string) => layers.findIndex((row) => row.includes(layer));

/** The files of a circle of imports that can be reached from this file, if there is one. */
function findCircle(path: string, done: Set<string>, trail: string[] = []): string[] | undefined {
  if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
  if (done.has(path)) return;
  for (const dependency of dependenciesOf(path).filter((dependency) => files.includes(dependency))) {
    const circle = findCircle(dependency, done, [...trail, path]);
    if (circle) return circle;
  }
  done.add(path);
}

Deno.test("every folder of src is a layer", () => {
  assert.deepEqual([...new Set(sources.map(layerOf))].sort(), layers.flat().sort());
});

Deno.test("a layer imports from itself and from lower layers only, types included", () => {
  const wrong = sources.flatMap((path) =>
    dependenciesOf(path).filter((dependency) => {
      const [from, to] = [layerOf(path), layerOf(dependency)];
      return from !== to && !(rankOf(to) >= 0 && rankOf(to) < rankOf(from));
    }).map((dependency) => `${path} imports ${dependency}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("no import circle exists, types included", () => {
  const done = new Set<string>();
  const circles = files.map((path) => findCircle(path, done)).filter((circle) => circle !== undefined);
  assert.deepEqual(circles, []);
});

Deno.test("nothing outside the package is imported by path", () => {
  const outside = files.flatMap((path) =>
    dependenciesOf(path).filter((dependency) => dependency.startsWith("..")).map((to) =>
      `${path} imports ${to}`
    )
  );
  assert.deepEqual(outside, []);
});

Deno.test("deno.json pins exactly the packages that are imported, each to one version", () => {
  const { imports }: { imports: Record<string, string> } = JSON.parse(
    readFileSync(`${root}/deno.json`, "utf8"),
  );
  const inScripts = globSync("src/**/*.js", { cwd: root }).flatMap(importsOf);
  const names = [...files.flatMap(importsOf), ...inScripts]
    .filter((specifier) => !/^(\.|node:)/.test(specifier));
  assert.deepEqual([...new Set(names)].sort(), Object.keys(imports).sort());
  for (const specifier of Object.values(imports)) {
    assert.match(specifier, /^npm:(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+$/);
  }
});

Deno.test("no two files have the same name", () => {
  const named = Map.groupBy(files, (path) => basename(path).replace(/\.tsx?$/, ""));
  assert.deepEqual([...named.values()].filter((paths) => paths.length > 1), []);
});
