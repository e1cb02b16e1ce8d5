import { LOCK } from "../asset_url.ts";
import type { StaticFile } from "../build.ts";
import type { RequestContext } from "../server/request_context.ts";
import type { Middleware } from "../types.ts";

const FOREVER = "public, max-age=31536000, immutable";
const NO_STORE = "no-cache, no-store, max-age=0, must-revalidate";

/** Serves the files of `static/` and the client code of islands; everything else goes on to the routes. */
export function staticFiles<State>(): Middleware<State> {
  return (ctx) => {
    const { req, url, build } = ctx as unknown as RequestContext;
    const file = build.files.get(decodePath(url.pathname));
    if (!file) {
      return url.pathname === "/favicon.ico" ? new Response(null, { status: 404 }) : ctx.next();
    }
    if (req.method !== "GET" && req.method !== "HEAD") {
      return new Response("Method Not Allowed", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const lock = url.searchParams.get(LOCK);
    if (lock !== null && lock !== build.id) return withoutLock(url);
    return send(file, req, lock !== null);
  };
}

function decodePath(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname; // no file has such a name
  }
}

/** The address belongs to another build: what it names now must not be cached as if it were that one. */
function withoutLock(url: URL): Response {
  const target = new URL(url);
  target.searchParams.delete(LOCK);
  return new Response(null, { status: 307, headers: { location: target.pathname + target.search } });
}

async function send(file: StaticFile, req: Request, locked: boolean): Promise<Response> {
  const { etag, type } = file;
  const forever = etag !== undefined && (locked || file.immutable);
  const headers = new Headers({ "cache-control": forever ? FOREVER : NO_STORE, vary: "If-None-Match" });
  if (etag !== undefined && req.headers.get("if-none-match") === etag) {
    return new Response(null, { status: 304, headers });
  }
  const body = await file.read();
  headers.set("content-type", type);
  headers.set("content-length", String(body.byteLength));
  if (etag !== undefined) headers.set("etag", etag);
  return new Response(body, { headers });
}
