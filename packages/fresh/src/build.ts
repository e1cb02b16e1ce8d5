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

/** What the Builder found and made: all that an app serves besides its own registrations. */
export interface Build {
  /** Stands for this build in the addresses of files that are cached for good. */
  id: string;
  routes: RouteFile[];
  /** Components that also run in the browser, with the names under which the client code exports them. */
  islands: Map<ComponentType, string>;
  /** By decoded path. */
  files: Map<string, StaticFile>;
  /** All islands and what starts them. */
  client: Chunk;
  /** Reloads the page when the server restarted; in development only, on every page. */
  reload?: Chunk;
}

/** An app that was never built has no file routes, no static files and no islands. */
export function emptyBuild(): Build {
  return { id: "", routes: [], islands: new Map(), files: new Map(), client: { url: "", imports: [] } };
}

/** The name under which the client code exports the nth island. */
export const islandName = (n: number): string => `i${n}`;

/** The islands of an app: the default exports of its island modules, which have no other functions. */
export function collectIslands(modules: object[]): Build["islands"] {
  return new Map(modules.map((module, n) => {
    const functions = Object.entries(module).filter(([_, value]) => typeof value === "function");
    if (functions.length !== 1 || functions[0][0] !== "default") {
      throw new TypeError(
        `An island module exports one function, as default, not: ${functions.map(([name]) => name)}`,
      );
    }
    return [functions[0][1], islandName(n)];
  }));
}
