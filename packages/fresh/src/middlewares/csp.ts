import type { RequestContext } from "../server/request_context.ts";
import type { Middleware } from "../types.ts";

/** How `csp()` differs from its defaults. */
export interface CspOptions {
  /** Directives such as `"img-src 'self' https://img.test"`; each replaces the default of the same name. */
  csp?: string[];
  /** On rendered pages, allow inline code by the page's nonce in place of `'unsafe-inline'`. */
  useNonce?: boolean;
}

const DEFAULTS = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self'",
  "img-src 'self' data:",
  "media-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "upgrade-insecure-requests",
];

const nameOf = (directive: string) => directive.trim().split(/\s/, 1)[0];

/** Sends a Content-Security-Policy (https://www.w3.org/TR/CSP3/) with every answer of what lies below. */
export function csp<State>(options: CspOptions = {}): Middleware<State> {
  const directives = new Map([...DEFAULTS, ...options.csp ?? []].map((entry) => [nameOf(entry), entry]));
  const policy = [...directives.values()].join("; ");
  return async (ctx) => {
    const response = await ctx.next();
    const { nonce } = ctx as unknown as RequestContext;
    const value = options.useNonce && nonce
      ? policy.replaceAll("'unsafe-inline'", `'nonce-${nonce}'`)
      : policy;
    response.headers.set("content-security-policy", value);
    return response;
  };
}
