import type { RequestContext, View } from "../context.ts";
import type { Middleware, PageComponent } from "../define.ts";
import { HttpError } from "../http_error.ts";
import { answerWith, type RouteModule } from "./route_module.ts";

/** Path segments below which something applies; `(group)` segments come from folders and are no part of a url. */
export type Scope = string[];

/** What applies to every route of its scope that is registered after it. */
export type Surrounding =
  & { scope: Scope }
  & (
    | { kind: "middleware"; middleware: Middleware }
    | { kind: "app" | "layout"; component: PageComponent<null> }
    | { kind: "error" | "not found"; module: RouteModule }
  );

/** All the steps that a request to one route goes through. */
export interface Chain {
  view: View;
  steps: Middleware[];
}

type Level = Surrounding & { level: number };

/** From outside inward within one level: error pages stand outside the middlewares of their own folder. */
const RANK = { app: 0, layout: 0, error: 1, "not found": 2, middleware: 3 };

/** The chain for a route in `scope`, given what was registered before it in order. */
export function buildChain(scope: Scope, registered: Surrounding[], handlers: Middleware[]): Chain {
  const around = registered
    .map((entry) => ({ ...entry, level: levelOf(entry.scope, scope) }))
    .filter((entry) => entry.level >= 0)
    .sort((a, b) => a.level - b.level || RANK[a.kind] - RANK[b.kind]);
  const steps = around.flatMap((entry) => toStep(entry, around) ?? []);
  return { view: viewUpTo(Infinity, around), steps: [...steps, ...handlers] };
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

function viewUpTo(level: number, around: Level[]): View {
  const view: View = { layouts: [] };
  for (const entry of around) {
    if (entry.kind === "app") view.app = entry.component;
    else if (entry.kind === "layout" && entry.level <= level) view.layouts.push(entry.component);
  }
  return view;
}

function toStep(entry: Level, around: Level[]): Middleware | undefined {
  if (entry.kind === "middleware") return entry.middleware;
  if (entry.kind === "not found") return errorStep(entry.module, viewUpTo(0, around), isNotFound, () => 200);
  if (entry.kind !== "error") return undefined;
  // A 404 page takes the 404s of every folder, so the error pages below it let them pass.
  const takes404 = entry.level === 0 || !around.some((other) => other.kind === "not found");
  return errorStep(
    entry.module,
    viewUpTo(entry.level, around),
    (error) => takes404 || !isNotFound(error),
    (error) => error instanceof HttpError ? error.status : 500,
  );
}

const isNotFound = (error: unknown) => error instanceof HttpError && error.status === 404;

function errorStep(
  module: RouteModule,
  view: View,
  takes: (error: unknown) => boolean,
  statusOf: (error: unknown) => number,
): Middleware {
  return async (ctx) => {
    try {
      return await ctx.next();
    } catch (error) {
      if (!takes(error)) throw error;
      (ctx as RequestContext).view = view;
      return answerWith(module, ctx as RequestContext, statusOf(error));
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
