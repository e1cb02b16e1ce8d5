import type { Context } from "../context.ts";
import type { Middleware } from "../define.ts";

/** What other origins may do; by default every origin may send simple requests and those of the usual methods. */
export interface CorsOptions<State = unknown> {
  origin?:
    | string
    | string[]
    | ((origin: string, ctx: Context<State>) => string | null | undefined);
  allowMethods?: string[];
  /** Without it, whatever headers a preflight asks for are allowed. */
  allowHeaders?: string[];
  exposeHeaders?: string[];
  /** Seconds for which a browser may remember the answer to a preflight. */
  maxAge?: number;
  credentials?: boolean;
}

const USUAL_METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"];

/** Sends the CORS headers (https://fetch.spec.whatwg.org/#http-cors-protocol) and answers preflights itself. */
export function cors<State>(options: CorsOptions<State> = {}): Middleware<State> {
  return async (ctx) => {
    const isPreflight = ctx.req.method === "OPTIONS";
    const response = isPreflight ? new Response(null, { status: 204 }) : await ctx.next();
    const { headers } = response;
    const allowed = allowedOrigin(options, ctx);
    if (allowed) headers.set("access-control-allow-origin", allowed);
    if (allowed && allowed !== "*") {
      headers.set("vary", ["Origin", headers.get("vary")].filter(Boolean).join(", "));
    }
    if (options.credentials) {
      headers.set("access-control-allow-credentials", "true");
    }
    if (options.exposeHeaders?.length) {
      headers.set("access-control-expose-headers", options.exposeHeaders.join(","));
    }
    if (isPreflight) addPreflight(headers, options, ctx.req);
    return response;
  };
}

function allowedOrigin<State>(
  { origin = "*" }: CorsOptions<State>,
  ctx: Context<State>,
): string | null | undefined {
  const asking = ctx.req.headers.get("origin") ?? "";
  if (typeof origin === "function") return origin(asking, ctx);
  if (typeof origin === "string") return origin;
  return origin.includes(asking) ? asking : null;
}

function addPreflight<State>(headers: Headers, options: CorsOptions<State>, req: Request): void {
  const { allowMethods = USUAL_METHODS, allowHeaders, maxAge } = options;
  headers.set("access-control-allow-methods", allowMethods.join(","));
  if (maxAge !== undefined) {
    headers.set("access-control-max-age", String(maxAge));
  }
  const asked = req.headers.get("access-control-request-headers");
  if (allowHeaders?.length) {
    headers.set("access-control-allow-headers", allowHeaders.join(","));
  } else if (asked) {
    headers.set("access-control-allow-headers", asked.split(/\s*,\s*/).join(","));
    headers.append("vary", "Access-Control-Request-Headers");
  }
}
