import { type Build, emptyBuild } from "./build.ts";
import type { Middleware } from "./define.ts";
import { type Command, createHandler } from "./server/handle_request.ts";
import { type ListenOptions, serve } from "./server/listen.ts";

export type { ListenOptions };

const segmentsOf = (path: string) => path.split("/").filter((segment) => segment !== "");

/**
 * A web app: middlewares and routes, taken in order of registration. A route sees only what was registered before it.
 */
export class App<State = unknown> {
  readonly #commands: Command[] = [];

  /** Runs middlewares before every later route, or before those whose pattern begins with the segments of `path`. */
  use(...middlewares: Middleware<State>[]): this;
  use(path: string, ...middlewares: Middleware<State>[]): this;
  use(first: string | Middleware<State>, ...rest: Middleware<State>[]): this {
    const scope = typeof first === "string" ? segmentsOf(first) : [];
    const middlewares = typeof first === "string" ? rest : [first, ...rest];
    for (const middleware of middlewares as Middleware[]) {
      this.#commands.push({ kind: "surrounding", surrounding: { kind: "middleware", scope, middleware } });
    }
    return this;
  }

  /** Answers GET (and HEAD) requests to a path in URLPattern syntax. */
  get(path: string, ...handlers: Middleware<State>[]): this {
    return this.#route("GET", path, handlers);
  }

  /** Answers POST requests to a path in URLPattern syntax. */
  post(path: string, ...handlers: Middleware<State>[]): this {
    return this.#route("POST", path, handlers);
  }

  #route(method: string, path: string, handlers: Middleware<State>[]): this {
    const route = { method, path, scope: segmentsOf(path), handlers: handlers as Middleware[] };
    this.#commands.push({ kind: "route", route });
    return this;
  }

  /** Puts the modules of `routes/` here; an app that was not built has none. */
  fsRoutes(): this {
    this.#commands.push({ kind: "file routes" });
    return this;
  }

  /** Answers requests; without a `build`, which `fresh/dev` makes, there are no file routes and static files. */
  handler(build: Build = emptyBuild()): (req: Request, info?: Deno.ServeHandlerInfo) => Promise<Response> {
    return createHandler(this.#commands, build);
  }

  /** Serves until the process ends or `options.signal` fires. Without a port: the first free one of 8000 to 8019. */
  listen(options: ListenOptions = {}): Promise<void> {
    return serve(this.handler(), options);
  }
}
