import type { RouteFile } from "../build.ts";
import type { Middleware, PageComponent } from "../types.ts";
import type { Scope, Surrounding } from "./chain.ts";
import { renderPage } from "./render_page.ts";
import type { RequestContext } from "./request_context.ts";

/** One registration of a handler. */
export interface Route {
  scope: Scope;
  path: string;
  handlers: Middleware[];
}

const SPECIAL = new Set(["_app", "_middleware", "_error"]);

/** Whether a path below `routes/` names a module that Fresh reads. Throws for one that only upstream reads. */
export function isRouteFile(path: string): boolean {
  const name = path.match(/([^/]+?)(?<!_test|\.d)\.(tsx?|jsx?)$/)?.[1];
  if (name === undefined) return false;
  if (name === "_layout" || name === "_404" || /(^|\/)\(_/.test(path)) {
    throw new TypeError(`routes/${path}: layouts, _404 pages and private folders are left out here`);
  }
  return !name.startsWith("_") || SPECIAL.has(name);
}

/** What surrounds the file routes, from the root inward. */
export function fileSurroundings(files: RouteFile[]): Surrounding[] {
  return files.flatMap(({ path, module }): Surrounding[] => {
    const { scope, name } = locate(path);
    const component = module.default as PageComponent;
    switch (name) {
      case "_app":
        return [{ kind: "app", scope: [], component }];
      case "_middleware":
        return [{ kind: "middleware", scope, middleware: module.default as Middleware }];
      case "_error":
        return [{ kind: "error", scope, component }];
      default:
        return [];
    }
  });
}

/** The file routes, the most specific patterns first. */
export function fileRoutes(files: RouteFile[]): Route[] {
  return files
    .map(({ path, module }) => ({ ...locate(path), handler: handlerOf(path, module) }))
    .filter(({ name }) => !SPECIAL.has(name))
    .sort((a, b) => compareSpecificity(a.path, b.path))
    .map(({ scope, path, handler }) => ({ scope, path, handlers: [handler] }));
}

/** A route file exports a `handler`, or a page as default. */
function handlerOf(path: string, { handler, default: component }: Record<string, unknown>): Middleware {
  if (typeof handler === "function" && component === undefined) return handler as Middleware;
  if (typeof component === "function" && handler === undefined) {
    return (ctx) => renderPage(ctx as RequestContext, component as PageComponent);
  }
  throw new TypeError(`routes/${path} exports neither one handler function nor one page`);
}

/** `users/(admin)/[id].tsx` lies in the scope `users`, `(admin)` and answers `/users/:id`. */
function locate(file: string): { scope: Scope; name: string; path: string } {
  const scope = file.replace(/\.\w+$/, "").split("/").map(toPatternSegment);
  const name = scope.pop()!;
  const segments = [...scope, name].filter((segment) => segment !== "index" && !segment.startsWith("("));
  return { scope, name, path: `/${segments.join("/")}` };
}

const toPatternSegment = (segment: string) =>
  segment.replace(/\[\.\.\.(\w+)\]/, ":$1*").replaceAll(/\[(\w+)\]/g, ":$1");

function compareSpecificity(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = openness(left[i]) - openness(right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function openness(segment: string | undefined): number {
  if (segment === undefined || !segment.includes(":")) return 0;
  return segment.endsWith("*") ? 2 : 1;
}
