import { HttpError } from "fresh";
import { define } from "../../server/page_context.ts";

/** Logs unexpected errors, because the error page does not show them. */
export default define.middleware(async (ctx) => {
  try {
    return await ctx.next();
  } catch (error) {
    if (!(error instanceof HttpError)) console.error(error);
    throw error;
  }
});
