import { type Build, emptyBuild } from "./build.ts";
import { type Command, createHandler } from "./server/handle_request.ts";
import type { Middleware } from "./types.ts";

/** A web app: middlewares and routes, taken in order of registration. A route sees only what came before it. */
export class App<State = unknown> {
  readonly #commands: Command[] = [];

  /** Runs middlewares before every later route. */
  use(...middlewares: Middleware<State>[]): this {
    for (const middleware of middlewares as Middleware[]) {
      this.#commands.push({
        kind: "surrounding",
        surrounding: { kind: "middleware", scope: [], middleware },
      });
    }
    return this;
  }

  /** Answers requests of every method to a path, which is taken literally; the last handler answers. */
  all(path: string, ...handlers: Middleware<State>[]): this {
    if (/[:*?+(){}\\]/.test(path)) throw new TypeError(`${path}: patterns are for files in routes/`);
    const scope = path.split("/").filter((segment) => segment !== "");
    this.#commands.push({ kind: "route", route: { path, scope, handlers: handlers as Middleware[] } });
    return this;
  }

  /** Puts the modules of `routes/` here; an app that was not built has none. */
  fsRoutes(): this {
    this.#commands.push({ kind: "file routes" });
    return this;
  }

  /** Answers requests; without a `build`, which `fresh/dev` makes, there are no file routes and static files. */
  handler(build: Build = emptyBuild()): (req: Request) => Promise<Response> {
    return createHandler(this.#commands, build);
  }
}
