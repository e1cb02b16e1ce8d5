import type { ComponentType } from "preact";

/** A module below `routes/`, with its path relative to that folder. */
export interface RouteFile {
  path: string;
  module: Record<string, unknown>;
}

/** A file that `staticFiles()` serves. */
export interface StaticFile {
  /** Content type. */
  type: string;
  /** Undefined in development, where nothing is cached. */
  etag?: string;
  /** Its address changes with its content, so it may be cached for good. */
  immutable: boolean;
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** A piece of client code: its address and those of everything it imports. */
export interface Chunk {
  url: string;
  imports: string[];
}

/** A module of islands. Its chunk exports them with this prefix before their names. */
export interface IslandModule {
  chunk: Chunk;
  prefix: string;
}

/** A component that also runs in the browser. */
export interface Island {
  chunk: Chunk;
  /** The name under which the chunk exports the component. */
  exportName: string;
}

/** What the Builder found and made: all that an app serves besides its own registrations. */
export interface Build {
  /** Stands for this build in the addresses of files that are cached for good. */
  id: string;
  routes: RouteFile[];
  islands: Map<ComponentType, Island>;
  /** By decoded path. */
  files: Map<string, StaticFile>;
  client: {
    boot: Chunk;
    signals: Chunk;
    /** Reloads the page when the server restarted; in development only, on every page. */
    reload?: Chunk;
  };
}

/** An app that was never built has no file routes, no static files and no islands. */
export function emptyBuild(): Build {
  const none: Chunk = { url: "", imports: [] };
  return { id: "", routes: [], islands: new Map(), files: new Map(), client: { boot: none, signals: none } };
}

/** The islands among the exports of modules: every exported function is one. */
export function collectIslands(modules: (IslandModule & { exports: object })[]): Build["islands"] {
  const islands: Build["islands"] = new Map();
  for (const { exports, chunk, prefix } of modules) {
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value === "function") islands.set(value, { chunk, exportName: prefix + name });
    }
  }
  return islands;
}
