import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { isRouteFile } from "../server/file_routes.ts";

/** Paths relative to the project's root, with forward slashes. */
export interface Project {
  root: string;
  /** Below `routes/`. */
  routes: string[];
  /** Modules whose default exports are islands. */
  islands: string[];
  /** Below `static/`; names that start with a dot are private, except `.well-known`. */
  staticFiles: string[];
}

/** Looks for routes, islands and static files in the folder of the app. */
export function readProject(root: string): Project {
  return {
    root,
    routes: filesBelow(join(root, "routes")).filter(isRouteFile),
    islands: filesBelow(join(root, "islands")).filter((path) => /(?<!_test|\.d)\.(tsx?|jsx?)$/.test(path))
      .map((path) => `islands/${path}`),
    staticFiles: filesBelow(join(root, "static")).filter((path) => !/(^|\/)\.(?!well-known\/)/.test(path)),
  };
}

/** Sorted, so that one project is always read in the same order; none if there is no such folder. */
function filesBelow(folder: string): string[] {
  return [...walk(folder)].map((path) => relative(folder, path).replaceAll("\\", "/")).sort();
}

function* walk(folder: string): Generator<string> {
  if (!existsSync(folder)) return;
  for (const entry of Deno.readDirSync(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* walk(path);
    else if (entry.isFile) yield path;
  }
}
