import type { RequestContext } from "../context.ts";
import type { HandlerFunction, Middleware, PageComponent, RouteHandler } from "../define.ts";
import { HttpError } from "../http_error.ts";
import { renderPage } from "./render_page.ts";
import type { RouteMethod } from "./router.ts";

/** What a file below `routes/` exports: a handler, a component or both. */
export interface RouteModule {
  handler?: RouteHandler;
  component?: PageComponent;
}

/** Reads a route's exports; `handlers` means the same as `handler`. */
export function toRouteModule(module: Record<string, unknown>): RouteModule {
  return {
    handler: (module.handler ?? module.handlers) as RouteHandler | undefined,
    component: module.default as PageComponent | undefined,
  };
}

/** The handlers of a file route, by the methods they answer. */
export function methodsOf(module: RouteModule): [RouteMethod, Middleware][] {
  const { handler } = module;
  if (handler === undefined || typeof handler === "function") {
    return [["ALL", (ctx) => answer(module, handler, ctx as RequestContext)]];
  }
  const methods: [RouteMethod, Middleware][] = [["OTHERS", () => Promise.reject(new HttpError(404))]];
  for (const [method, run] of Object.entries(handler)) {
    methods.push([method, (ctx) => answer(module, run, ctx as RequestContext)]);
  }
  return methods;
}

/** Answers with an error page, by its own handler where it has one. */
export function answerWith(module: RouteModule, ctx: RequestContext, status: number): Promise<Response> {
  const { handler } = module;
  return answer(module, typeof handler === "function" ? handler : handler?.GET, ctx, status);
}

async function answer(
  module: RouteModule,
  handler: HandlerFunction | undefined,
  ctx: RequestContext,
  status = 200,
): Promise<Response> {
  const result = handler ? await handler(ctx) : { data: {} };
  if (result instanceof Response) return result;
  if (typeof result !== "object" || result === null || !module.component) {
    throw new TypeError(`The handler of ${ctx.url.pathname} returned neither a Response nor data for a page`);
  }
  const { data, headers } = result;
  return await renderPage(ctx, module.component, data, { status: result.status ?? status, headers });
}
