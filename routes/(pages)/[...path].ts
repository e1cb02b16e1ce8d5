import { HttpError } from "fresh";
import { define } from "../../server/page_context.ts";

/** Throws 404 here, so that the error page gets the headers that all pages of this folder have. */
export const handler = define.handlers(() => {
  throw new HttpError(404);
});
