import { problemOf } from "../../billing/http/problem.ts";
import { define } from "../../server/page_context.ts";

/** Handlers only throw; here it becomes an answer. What the API says is for its caller alone, at that moment. */
export default define.middleware(async (ctx) => {
  try {
    const response = await ctx.next();
    response.headers.set("cache-control", "no-store");
    return response;
  } catch (error) {
    return problemOf(error);
  }
});
