import { STATUS_CODES } from "node:http";
import type { Build } from "../build.ts";
import { HttpError } from "../http_error.ts";
import { buildChain, type Chain, runChain, type Surrounding } from "./chain.ts";
import { setBuildId } from "./current_build.ts";
import { fileRoutes, fileSurroundings, type Route } from "./file_routes.ts";
import { RequestContext } from "./request_context.ts";
import { Router } from "./router.ts";

/** One registration of an app. */
export type Command =
  | { kind: "surrounding"; surrounding: Surrounding }
  | { kind: "route"; route: Route }
  | { kind: "file routes" };

/** Puts an app's registrations and its build together to what answers its requests. */
export function createHandler(commands: Command[], build: Build): (req: Request) => Promise<Response> {
  const router = new Router<Chain>();
  const registered: Surrounding[] = [];
  const addRoute = ({ path, scope, handlers }: Route) =>
    router.add(path, buildChain(scope, registered, handlers));

  for (const command of commands) {
    if (command.kind === "surrounding") registered.push(command.surrounding);
    else if (command.kind === "route") addRoute(command.route);
    else {
      registered.push(...fileSurroundings(build.routes));
      fileRoutes(build.routes).forEach(addRoute);
    }
  }
  const withoutRoute = buildChain([], registered, []);
  if (build.id) setBuildId(build.id);

  return async (req) => {
    const ctx = new RequestContext(req, build);
    const { app, steps } = router.match(ctx.url) ?? withoutRoute;
    ctx.app = app;
    const response = await runChain(ctx, steps).catch(plainError);
    return req.method === "HEAD" ? withoutBody(response) : response;
  };
}

async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, response);
}

/** The answer to an error that no error page took. Only an HttpError may say something to the outside. */
function plainError(error: unknown): Response {
  if (error instanceof HttpError) {
    return new Response(error.message || STATUS_CODES[error.status], { status: error.status });
  }
  console.error(error);
  return new Response("Internal server error", { status: 500 });
}
