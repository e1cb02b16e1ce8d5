import { post } from "../../../server/methods.ts";
import { callerOf, moneySessionOf } from "../../../server/session_of.ts";
import { readJson } from "../../../billing/http/request_body.ts";
import { portalRequestSchema } from "../../../billing/checkout/portal.ts";

/** For admins: creates a session of Stripe's billing portal and returns its address. */
export const handler = post(async (ctx) => {
  const { req, state } = ctx;
  const session = await moneySessionOf(ctx);
  const request = await readJson(req, portalRequestSchema);
  return Response.json(
    await state.billing.createPortalSession(session, request, state.deadline, callerOf(ctx)),
  );
});
