import { join, relative } from "node:path";
import { isRouteFile } from "../server/file_routes.ts";

/** Paths relative to the project's root, with forward slashes. */
export interface Project {
  root: string;
  /** Below `routes/`. */
  routes: string[];
  /** Modules whose exported functions are islands. */
  islands: string[];
  /** Below `static/`; names that start with a dot are private, except `.well-known`. */
  staticFiles: string[];
}

/** Looks for routes, islands and static files in the folder of the app. */
export function readProject(root: string): Project {
  const inRoutes = filesBelow(join(root, "routes"));
  const local = inRoutes.filter((path) => path.includes("(_islands)/")).map((path) => `routes/${path}`);
  const shared = filesBelow(join(root, "islands")).map((path) => `islands/${path}`);
  return {
    root,
    routes: inRoutes.filter(isRouteFile),
    islands: [...shared, ...local].filter((path) => /(?<!_test|\.d)\.(tsx?|jsx?)$/.test(path)),
    staticFiles: filesBelow(join(root, "static")).filter((path) => !/(^|\/)\.(?!well-known\/)/.test(path)),
  };
}

/** Sorted, so that one project is always read in the same order; none if there is no such folder. */
function filesBelow(folder: string): string[] {
  return [...walk(folder)].map((path) => relative(folder, path).replaceAll("\\", "/")).sort();
}

function* walk(folder: string): Generator<string> {
  for (const entry of list(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* walk(path);
    else if (entry.isFile) yield path;
  }
}

function list(folder: string): Iterable<Deno.DirEntry> {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
