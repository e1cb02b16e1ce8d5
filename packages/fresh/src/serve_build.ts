import { join } from "node:path";
import type { App } from "./app.ts";
import { type Chunk, collectIslands, type IslandModule, type StaticFile } from "./build.ts";
import type { RequestHandler } from "./server/listen.ts";

/** What the Builder writes to `_fresh/manifest.json`. */
export interface Manifest {
  id: string;
  files: Record<string, { type: string; etag: string; immutable: boolean }>;
  boot: Chunk;
  signals: Chunk;
  /** By the island module's path. */
  islands: Record<string, IslandModule>;
}

/** The parts of a build, as `_fresh/server.js` hands them over. Modules are given by their paths. */
export interface BuiltApp {
  manifest: Manifest;
  /** Where `_fresh/` lies. */
  folder: string;
  routes: Record<string, Record<string, unknown>>;
  islands: Record<string, object>;
}

/** What `deno serve` runs for a built app. */
export function serveBuild<State>(app: App<State>, built: BuiltApp): { fetch: RequestHandler } {
  const { manifest, folder, routes, islands } = built;
  const files = new Map<string, StaticFile>();
  for (const [url, file] of Object.entries(manifest.files)) {
    files.set(url, { ...file, read: () => Deno.readFile(join(folder, "public", url)) });
  }
  const fetch = app.handler({
    id: manifest.id,
    routes: Object.entries(routes).map(([path, module]) => ({ path, module })),
    islands: collectIslands(
      Object.entries(islands).map(([path, exports]) => ({ exports, ...manifest.islands[path] })),
    ),
    files,
    client: { boot: manifest.boot, signals: manifest.signals },
  });
  return { fetch };
}
