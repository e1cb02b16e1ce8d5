import type { Middleware, PageComponent } from "./types.ts";

/** Identity functions that give the parts of a route their types. */
export interface Define<State> {
  page(component: PageComponent<State>): PageComponent<State>;
  /** One function for all methods. */
  handlers(handler: Middleware<State>): Middleware<State>;
  middleware(middleware: Middleware<State>): Middleware<State>;
}

/** The typed helpers for an app whose requests carry a `State`. */
export function createDefine<State = unknown>(): Define<State> {
  return {
    page: (component) => component,
    handlers: (handler) => handler,
    middleware: (middleware) => middleware,
  };
}
