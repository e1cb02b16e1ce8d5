/**
 * Which methods a handler answers: one of them; ALL of them, whatever is registered later; or those that no other
 * handler of its path takes.
 */
export type RouteMethod = string | "ALL" | "OTHERS";

/** What the router found for a method and path. */
export type Match<Handler> = { kind: "found"; handler: Handler; params: Record<string, string> } | NoMatch;

/** Either nobody knows the path, or it has handlers, but only for other methods. */
export type NoMatch = { kind: "unknown" } | { kind: "wrong method"; allow: string };

type Methods<Handler> = Map<RouteMethod, Handler>;

/** Finds handlers by method and path. Exact paths win over patterns, which are tried in order of registration. */
export class Router<Handler> {
  readonly #exact = new Map<string, Methods<Handler>>();
  readonly #patterns = new Map<string, { pattern: URLPattern; methods: Methods<Handler> }>();

  /** `path` in URLPattern syntax. The first handler of a method and path stays. */
  add(method: RouteMethod, path: string, handler: Handler): void {
    const methods = this.#methodsOf(path);
    if (!methods.has("ALL") && !methods.has(method)) methods.set(method, handler);
  }

  #methodsOf(path: string): Methods<Handler> {
    const methods: Methods<Handler> = new Map();
    if (/[:*?+(){}\\]/.test(path)) {
      const known = this.#patterns.get(path);
      if (known) return known.methods;
      this.#patterns.set(path, { pattern: new URLPattern({ pathname: path }), methods });
      return methods;
    }
    const key = withoutSlash(new URL(path, "http://localhost").pathname);
    const known = this.#exact.get(key);
    if (known) return known;
    this.#exact.set(key, methods);
    return methods;
  }

  match(method: string, { pathname }: URL): Match<Handler> {
    const exact = this.#exact.get(withoutSlash(pathname));
    if (exact) return choose(method, exact, {});
    for (const { pattern, methods } of this.#patterns.values()) {
      const groups = pattern.exec({ pathname })?.pathname.groups;
      if (groups) return choose(method, methods, decodeAll(groups));
    }
    return { kind: "unknown" };
  }
}

const withoutSlash = (path: string) => path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;

function choose<Handler>(
  method: string,
  methods: Methods<Handler>,
  params: Record<string, string>,
): Match<Handler> {
  const handler = methods.get(method) ?? methods.get("ALL") ??
    (method === "HEAD" ? methods.get("GET") : undefined) ?? methods.get("OTHERS");
  if (handler !== undefined) return { kind: "found", handler, params };
  return { kind: "wrong method", allow: [...methods.keys()].join(", ") };
}

/** A part that is left out, as by a catch-all that matched nothing, is empty. */
function decodeAll(groups: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, part]) => [name, decode(part ?? "")]));
}

function decode(part: string): string {
  try {
    return decodeURI(part);
  } catch {
    return part; // not valid utf-8: the handler gets what was sent
  }
}
