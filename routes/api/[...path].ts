import { RequestFault } from "../../billing/http/problem.ts";
import { define } from "../../server/page_context.ts";

/** Under /api/ also what is not there is said in JSON. */
export const handler = define.handlers(() => {
  throw new RequestFault("not_found");
});
