import type { ComponentChildren, FunctionComponent } from "preact";
import type { Context } from "./context.ts";

/** A step on the way to the answer: it answers itself or calls `ctx.next()` for what lies below it. */
export type Middleware<State = unknown> = (ctx: Context<State>) => Response | Promise<Response>;

/** What a page, a layout or `_app` is called with. */
export interface PageProps<Data = unknown, State = unknown>
  extends Pick<Context<State>, "req" | "url" | "params" | "state" | "error"> {
  /** What the handler passed to `page()`; `{}` for a page without handler, null for layouts and `_app`. */
  data: Data;
  /** What a layout or `_app` wraps. */
  Component: FunctionComponent;
}

type Rendered = ComponentChildren | Response;

/** A page, layout or `_app`. An async one may answer with a Response instead of content. */
export type PageComponent<Data = unknown, State = unknown> = (
  props: PageProps<Data, State>,
) => Rendered | Promise<Rendered>;

/** A handler's wish to render the component of its route with this data. */
export interface PageResponse<Data> {
  data: Data;
  status?: number;
  headers?: HeadersInit;
}

/** Asks for the route's component, rendered with `data`; status 200 unless given. */
export function page(): PageResponse<undefined>;
export function page<Data>(
  data: Data,
  options?: { status?: number; headers?: HeadersInit },
): PageResponse<Data>;
export function page(
  data?: unknown,
  options?: { status?: number; headers?: HeadersInit },
): PageResponse<unknown> {
  return { data, status: options?.status, headers: options?.headers };
}

type HandlerResult<Data> = Response | PageResponse<Data>;

/** Answers a request to a file route, for every method or for one. */
export type HandlerFunction<Data = unknown, State = unknown> = (
  ctx: Context<State>,
) => HandlerResult<Data> | Promise<HandlerResult<Data>>;

type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/** What a file route exports as `handler`: one function for all methods, or functions by method. */
export type RouteHandler<Data = unknown, State = unknown> =
  | HandlerFunction<Data, State>
  | { [M in Method]?: HandlerFunction<Data, State> };

type ResultData<Result> = Awaited<Result> extends infer R ? R extends PageResponse<infer Data> ? Data : never
  : never;

type FunctionData<F> = F extends (...args: never[]) => infer Result ? ResultData<Result>
  : never;

/** The data that a handler passes to `page()`, over all its methods. */
export type HandlerData<Handler> = Handler extends (...args: never[]) => unknown ? FunctionData<Handler>
  : { [M in keyof Handler]: FunctionData<Handler[M]> }[keyof Handler];

type DataFor<Handler> = [Handler] extends [never] ? unknown
  : HandlerData<Handler>;

/** Identity functions that give the parts of a route their types. */
export interface Define<State> {
  /** `define.page<typeof handler>(...)` takes the type of `data` from the route's handler. */
  page<Handler extends RouteHandler<unknown, State> = never>(
    component: PageComponent<DataFor<Handler>, State>,
  ): PageComponent<DataFor<Handler>, State>;
  layout(component: PageComponent<null, State>): PageComponent<null, State>;
  handlers<Handler extends RouteHandler<unknown, State>>(handler: Handler): Handler;
  middleware<M extends Middleware<State> | Middleware<State>[]>(middleware: M): M;
}

/** The typed helpers for an app whose requests carry a `State`. */
export function createDefine<State = unknown>(): Define<State> {
  return {
    page: (component) => component,
    layout: (component) => component,
    handlers: (handler) => handler,
    middleware: (middleware) => middleware,
  };
}
