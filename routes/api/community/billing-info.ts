import { get } from "../../../server/methods.ts";
import { sessionOf } from "../../../server/session_of.ts";

/** The plan, limits, subscription and invoices of the caller's community. */
export const handler = get(async (ctx) => {
  const session = await sessionOf(ctx);
  return Response.json(await ctx.state.billing.billingInfo(session));
});
