import type { RouteFile } from "../build.ts";
import type { Middleware, PageComponent } from "../define.ts";
import type { Scope, Surrounding } from "./chain.ts";
import { methodsOf, toRouteModule } from "./route_module.ts";
import type { RouteMethod } from "./router.ts";

/** One registration of a handler. */
export interface Route {
  scope: Scope;
  path: string;
  method: RouteMethod;
  handlers: Middleware[];
}

const SPECIAL = new Set(["_app", "_layout", "_middleware", "_error", "_404"]);

/** Whether a path below `routes/` names a module that Fresh reads: one that is not private to its neighbours. */
export function isRouteFile(path: string): boolean {
  const name = path.match(/([^/]+?)(?<!_test|\.d)\.(tsx?|jsx?)$/)?.[1];
  if (name === undefined || /(^|\/)\(_/.test(path)) return false;
  return !name.startsWith("_") || SPECIAL.has(name);
}

/** What surrounds the file routes, from the root inward. */
export function fileSurroundings(files: RouteFile[]): Surrounding[] {
  return files.flatMap(({ path, module }): Surrounding[] => {
    const { scope, name } = locate(path);
    const component = module.default as PageComponent<null>;
    switch (name) {
      case "_app":
        return [{ kind: "app", scope: [], component }];
      case "_layout":
        return [{ kind: "layout", scope, component }];
      case "_middleware":
        return fileMiddlewares(module).map((middleware) => ({ kind: "middleware", scope, middleware }));
      case "_error":
        return [{ kind: "error", scope, module: toRouteModule(module) }];
      case "_404":
        return [{ kind: "not found", scope: [], module: toRouteModule(module) }];
      default:
        return [];
    }
  });
}

function fileMiddlewares(module: Record<string, unknown>): Middleware[] {
  const exported = module.default ?? module.handler ?? module.handlers;
  return (Array.isArray(exported) ? exported : [exported]) as Middleware[];
}

/** The file routes, the most specific patterns first. */
export function fileRoutes(files: RouteFile[]): Route[] {
  return files
    .map(({ path, module }) => ({ ...locate(path), module: toRouteModule(module) }))
    .filter(({ name }) => !SPECIAL.has(name))
    .sort((a, b) => compareSpecificity(a.pattern, b.pattern))
    .flatMap(({ scope, pattern, module }) =>
      methodsOf(module).map(([method, handler]) => ({ scope, path: pattern, method, handlers: [handler] }))
    );
}

/** `users/(admin)/[id].tsx` lies in the scope `users`, `(admin)` and answers `/users/:id`. */
function locate(path: string): { scope: Scope; name: string; pattern: string } {
  const scope = path.replace(/\.\w+$/, "").split("/").map(toPatternSegment);
  const name = scope.pop()!;
  const segments = [...scope, name].filter((segment) => segment !== "index" && !segment.startsWith("("));
  return { scope, name, pattern: `/${segments.join("/")}` };
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
