/** Finds handlers by path. Exact paths win over patterns, which are tried in order of registration. */
export class Router<Handler> {
  readonly #exact = new Map<string, Handler>();
  readonly #patterns: { pattern: URLPattern; handler: Handler }[] = [];

  /** `path` in URLPattern syntax. The first handler of a path stays. */
  add(path: string, handler: Handler): void {
    if (/[:*?+(){}\\]/.test(path)) {
      this.#patterns.push({ pattern: new URLPattern({ pathname: path }), handler });
      return;
    }
    const key = withoutSlash(new URL(path, "http://localhost").pathname);
    if (!this.#exact.has(key)) this.#exact.set(key, handler);
  }

  /** Undefined for a path that nobody knows. */
  match({ pathname }: URL): Handler | undefined {
    return this.#exact.get(withoutSlash(pathname)) ??
      this.#patterns.find(({ pattern }) => pattern.test({ pathname }))?.handler;
  }
}

const withoutSlash = (path: string) => path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
