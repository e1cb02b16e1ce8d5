import type { Context } from "fresh";
import { RequestFault } from "../billing/http/problem.ts";
import { define, type State } from "./page_context.ts";

type Handle = (ctx: Context<State>) => Response | Promise<Response>;

/** A route with one method. Any other method is answered 405 with the allowed one in `Allow` (RFC 9110, 15.5.6). */
function only(method: "GET" | "POST", handle: Handle) {
  return define.handlers((ctx) => {
    const allowed = method === "GET" ? ["GET", "HEAD"] : [method];
    if (!allowed.includes(ctx.req.method)) {
      throw new RequestFault("method_not_allowed", `This address answers ${method}.`, {
        allow: allowed.join(", "),
      });
    }
    return handle(ctx);
  });
}

/** A route that answers GET and HEAD. */
export const get = (handle: Handle) => only("GET", handle);

/** A route that answers POST. */
export const post = (handle: Handle) => only("POST", handle);
