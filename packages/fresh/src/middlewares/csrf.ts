import type { Context } from "../context.ts";
import type { Middleware } from "../define.ts";
import { HttpError } from "../http_error.ts";

/** Which origins may send unsafe requests; without it only the app's own. */
export interface CsrfOptions<State = unknown> {
  origin?:
    | string
    | string[]
    | ((origin: string, ctx: Context<State>) => boolean);
}

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** Refuses unsafe requests that a browser sends for another site, with 403. */
export function csrf<State>({ origin: allowed }: CsrfOptions<State> = {}): Middleware<State> {
  const isAllowed = (origin: string | null, ctx: Context<State>) => {
    if (origin === null) return false;
    if (typeof allowed === "function") return allowed(origin, ctx);
    return [allowed ?? ctx.url.origin].flat().includes(origin);
  };
  return (ctx) => {
    const { method, headers } = ctx.req;
    const site = headers.get("sec-fetch-site");
    const origin = headers.get("origin");
    const isSafe = SAFE_METHODS.includes(method) || site === "same-origin" ||
      site === "none" ||
      (site === null && origin === null);
    if (!isSafe && !isAllowed(origin, ctx)) throw new HttpError(403);
    return ctx.next();
  };
}
