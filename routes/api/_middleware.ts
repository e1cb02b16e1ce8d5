import { problemOf } from "../../billing/http/problem.ts";
import { define } from "../../server/page_context.ts";

/** Turns what handlers throw into problem documents. Answers are never cached, because each is for one person only. */
export default define.middleware(async (ctx) => {
  try {
    const response = await ctx.next();
    response.headers.set("cache-control", "no-store");
    return response;
  } catch (error) {
    return problemOf(error);
  }
});
