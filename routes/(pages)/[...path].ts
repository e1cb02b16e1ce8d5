import { HttpError } from "fresh";
import { define } from "../../server/page_context.ts";

/** What is not there is said by this folder's error page, which has the headers of any page. */
export const handler = define.handlers(() => {
  throw new HttpError(404);
});
