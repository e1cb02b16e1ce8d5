import { STATUS_CODES } from "node:http";
import type { Build } from "../build.ts";
import { RequestContext } from "../context.ts";
import type { Middleware } from "../define.ts";
import { HttpError } from "../http_error.ts";
import { setBuildId } from "./build_id.ts";
import { buildChain, type Chain, runChain, type Surrounding } from "./chain.ts";
import { fileRoutes, fileSurroundings, type Route } from "./file_routes.ts";
import { type NoMatch, Router } from "./router.ts";

// Node capitalises the one status text that RFC 2324 and everybody else writes small.
const STATUS_TEXTS: Record<number, string | undefined> = { ...STATUS_CODES, 418: "I'm a teapot" };

/** One registration of an app. */
export type Command =
  | { kind: "surrounding"; surrounding: Surrounding }
  | { kind: "route"; route: Route }
  | { kind: "file routes" };

/** Puts an app's registrations and its build together to what answers its requests. */
export function createHandler(commands: Command[], build: Build): (req: Request) => Promise<Response> {
  const router = new Router<Chain>();
  const registered: Surrounding[] = [];
  const addRoute = ({ method, path, scope, handlers }: Route) =>
    router.add(method, path, buildChain(scope, registered, handlers));

  for (const command of commands) {
    if (command.kind === "surrounding") registered.push(command.surrounding);
    else if (command.kind === "route") addRoute(command.route);
    else {
      registered.push(...fileSurroundings(build.routes));
      fileRoutes(build.routes).forEach(addRoute);
    }
  }
  const { view, steps } = buildChain([], registered, []);
  const withoutRoute = (last: Middleware): Chain => ({ view, steps: [...steps, last] });
  if (build.id) setBuildId(build.id);

  return async (req) => {
    const ctx = new RequestContext(req, build);
    const match = router.match(req.method, ctx.url);
    if (match.kind === "found") ctx.params = match.params;
    const chain = match.kind === "found" ? match.handler : withoutRoute(toStep(match));
    ctx.view = chain.view;
    const response = await runChain(ctx, chain.steps).catch(plainError);
    return req.method === "HEAD" ? withoutBody(response) : response;
  };
}

/** What stands at the end of the chain when no handler answers this method and path. */
function toStep(match: NoMatch): Middleware {
  return ({ req }) => {
    if (match.kind === "unknown") throw new HttpError(404);
    if (req.method !== "OPTIONS") throw new HttpError(405);
    return new Response(null, { status: 204, headers: { allow: match.allow } });
  };
}

async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, response);
}

/** The answer to an error that no error page took. Only an HttpError may say something to the outside. */
function plainError(error: unknown): Response {
  if (error instanceof HttpError) {
    return new Response(error.message || STATUS_TEXTS[error.status], { status: error.status });
  }
  console.error(error);
  return new Response("Internal server error", { status: 500 });
}
