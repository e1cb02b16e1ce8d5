import { HttpError } from "fresh";
import { define } from "../../server/page_context.ts";

/** The error page that follows says nothing of what went wrong, so the log must. */
export default define.middleware(async (ctx) => {
  try {
    return await ctx.next();
  } catch (error) {
    if (!(error instanceof HttpError)) console.error(error);
    throw error;
  }
});
