import { join } from "node:path";
import type { App } from "./app.ts";
import { type Chunk, collectIslands, type StaticFile } from "./build.ts";

/** What the Builder writes to `_fresh/manifest.json`. */
export interface Manifest {
  id: string;
  files: Record<string, { type: string; etag: string; immutable: boolean }>;
  client: Chunk;
}

/** The parts of a build, as `_fresh/server.js` hands them over. */
export interface BuiltApp {
  manifest: Manifest;
  /** Where `_fresh/` lies. */
  folder: string;
  /** Modules by their paths below `routes/`. */
  routes: Record<string, Record<string, unknown>>;
  /** Modules in the order in which they were bundled. */
  islands: object[];
}

/** What `deno serve` runs for a built app. */
export function serveBuild<State>(
  app: App<State>,
  { manifest: { id, client, files }, folder, routes, islands }: BuiltApp,
): { fetch: (req: Request) => Promise<Response> } {
  const served = Object.entries(files).map(([url, file]): [string, StaticFile] => [
    url,
    { ...file, read: () => Deno.readFile(join(folder, "public", url)) },
  ]);
  return {
    fetch: app.handler({
      id,
      client,
      routes: Object.entries(routes).map(([path, module]) => ({ path, module })),
      islands: collectIslands(islands),
      files: new Map(served),
    }),
  };
}
