import { join } from "node:path";
import type { App } from "./app.ts";
import { type Chunk, collectIslands, type StaticFile } from "./build.ts";

/** What the Builder writes to `_fresh/manifest.json`. */
export interface Manifest {
  id: string;
  files: Record<string, { type: string; etag: string; immutable: boolean }>;
  boot: Chunk;
  signals: Chunk;
  /** By the island module's path. */
  islands: Record<string, Chunk>;
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
export function serveBuild<State>(
  app: App<State>,
  built: BuiltApp,
): { fetch(req: Request): Promise<Response> } {
  const { manifest, folder, routes, islands } = built;
  const files = Object.entries(manifest.files).map((
    [url, file],
  ): [string, StaticFile] => [
    url,
    { ...file, read: () => Deno.readFile(join(folder, "public", url)) },
  ]);
  const handler = app.handler({
    id: manifest.id,
    routes: Object.entries(routes).map(([path, module]) => ({ path, module })),
    islands: collectIslands(
      Object.entries(islands).map(([path, module]) => ({
        module,
        chunk: manifest.islands[path],
      })),
    ),
    files: new Map(files),
    client: { boot: manifest.boot, signals: manifest.signals },
  });
  // deno serve also passes where a request came from, which is not a build.
  return { fetch: (req) => handler(req) };
}
