import { RequestFault } from "../../billing/problem.ts";
import { define } from "../../define.ts";

/** Under /api/ also what is not there is said in JSON. */
export const handler = define.handlers(() => {
  throw new RequestFault("not_found");
});
