import { RequestFault } from "../../billing/http/problem.ts";
import { define } from "../../server/page_context.ts";

/** Answers unknown addresses under /api/ with a problem document instead of the error page. */
export const handler = define.handlers(() => {
  throw new RequestFault("not_found");
});
