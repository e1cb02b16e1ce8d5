/**
 * The Supabase studio of the local stack: tables and rows in the browser, as the operator sees them on hosted Supabase.
 *
 * It has its own host name, so that the data API stays as strict as on hosted Supabase. The project's secret key is added
 * here, on the server, and only to requests that a page of the studio has sent: not to those of other pages in the same
 * browser, nor to requests under another name that resolves to this machine.
 */
import { studioRouteHandler } from "@supabase/lite";
import { extname } from "node:path";

export const STUDIO_HOST = "studio.localhost";

const MEDIA_TYPES: Record<string, string> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
  ".ico": "image/x-icon",
};

export interface StudioOptions {
  secretKey: string;
  /** The data API. */
  callRest(request: Request): Promise<Response>;
  /** Tables and columns in the studio's format. */
  introspect(): Promise<unknown>;
}

/** Makes the handler of all requests to the studio's host name. */
export function createStudio(options: StudioOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/static/")) return await asset(pathname);
    if (!pathname.startsWith("/_system/") && !pathname.startsWith("/rest/v1/")) {
      return withoutFraming(await studioRouteHandler(request));
    }
    if (request.headers.get("sec-fetch-site") !== "same-origin") return new Response(null, { status: 403 });
    // The library's own answers to these two contain the database's password.
    if (pathname === "/_system/info") return Response.json({ admin: true });
    if (pathname === "/_system/introspect") return Response.json(await options.introspect());
    if (pathname.startsWith("/_system/")) return new Response(null, { status: 404 });
    return await options.callRest(asOperator(request, options.secretKey));
  };
}

function asOperator(request: Request, secretKey: string): Request {
  const headers = new Headers(request.headers);
  headers.set("apikey", secretKey);
  headers.delete("authorization");
  // The data API refuses secret keys from browsers. This browser does not have the key, so its name is replaced.
  headers.set("user-agent", "dues-local-studio");
  return new Request(request, { headers });
}

async function asset(pathname: string): Promise<Response> {
  const type = MEDIA_TYPES[extname(pathname)];
  if (!type || !/^\/static\/(assets\/)?[\w.-]+$/.test(pathname)) return new Response(null, { status: 404 });
  try {
    const file = await Deno.readFile(new URL(import.meta.resolve(`@supabase/lite${pathname}`)));
    return new Response(file, { headers: { "content-type": type, "cache-control": "max-age=3600" } });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Response(null, { status: 404 });
    throw error;
  }
}

function withoutFraming(page: Response): Response {
  const headers = new Headers(page.headers);
  headers.set("x-frame-options", "DENY");
  return new Response(page.body, { status: page.status, headers });
}
