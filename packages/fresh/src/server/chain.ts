import { HttpError } from "../http_error.ts";
import type { Middleware, PageComponent } from "../types.ts";
import { renderPage } from "./render_page.ts";
import type { RequestContext } from "./request_context.ts";

/** Path segments below which something applies; `(group)` segments come from folders and are no part of a url. */
export type Scope = string[];

/** What applies to every route of its scope that is registered after it. */
export type Surrounding =
  & { scope: Scope }
  & (
    | { kind: "middleware"; middleware: Middleware }
    | { kind: "app" | "error"; component: PageComponent }
  );

/** All the steps that a request to one route goes through. */
export interface Chain {
  app: PageComponent | undefined;
  steps: Middleware[];
}

/** From outside inward within one level: error pages stand outside the middlewares of their own folder. */
const RANK = { app: 0, error: 1, middleware: 2 };

/** The chain for a route in `scope`, given what was registered before it in order. */
export function buildChain(scope: Scope, registered: Surrounding[], handlers: Middleware[]): Chain {
  const around = registered
    .map((entry) => ({ ...entry, level: levelOf(entry.scope, scope) }))
    .filter((entry) => entry.level >= 0)
    .sort((a, b) => a.level - b.level || RANK[a.kind] - RANK[b.kind]);
  const [app] = around.flatMap((entry) => entry.kind === "app" ? [entry.component] : []);
  return { app, steps: [...around.flatMap((entry) => toStep(entry) ?? []), ...handlers] };
}

/** At which segment of the route's scope the given scope ends; -1 if the route is not below it. */
function levelOf(scope: Scope, routeScope: Scope): number {
  let matched = 0;
  for (const [i, segment] of routeScope.entries()) {
    if (matched === scope.length) return i;
    if (scope[matched] === segment) matched++;
    else if (!segment.startsWith("(")) return -1;
  }
  return matched === scope.length ? routeScope.length : -1;
}

function toStep(entry: Surrounding): Middleware | undefined {
  if (entry.kind === "middleware") return entry.middleware;
  if (entry.kind === "app") return undefined;
  return async (ctx) => {
    try {
      return await ctx.next();
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500;
      return renderPage(ctx as RequestContext, entry.component, { status });
    }
  };
}

/** Runs the chain from this step on. Whatever is thrown is in `ctx.error` by the time an outer step sees it. */
export async function runChain(ctx: RequestContext, steps: Middleware[], index = 0): Promise<Response> {
  const step = steps[index];
  if (step === undefined) throw new HttpError(404);
  const outerNext = ctx.next;
  ctx.next = () => runChain(ctx, steps, index + 1);
  try {
    const result: unknown = await step(ctx);
    if (!(result instanceof Response)) {
      throw new TypeError(`${ctx.url.pathname} was answered with no Response`);
    }
    return result;
  } catch (error) {
    ctx.error = error;
    throw error;
  } finally {
    ctx.next = outerNext;
  }
}
