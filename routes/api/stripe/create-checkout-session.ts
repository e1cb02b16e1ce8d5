import { post } from "../../../server/methods.ts";
import { callerOf, moneySessionOf } from "../../../server/session_of.ts";
import { readJson } from "../../../billing/http/request_body.ts";
import { checkoutRequestSchema } from "../../../billing/checkout/checkout.ts";

/** For admins: creates a checkout session and returns its address, or its client secret if it is embedded. */
export const handler = post(async (ctx) => {
  const { req, state } = ctx;
  const session = await moneySessionOf(ctx);
  const request = await readJson(req, checkoutRequestSchema);
  return Response.json(
    await state.billing.createCheckoutSession(session, request, state.deadline, callerOf(ctx)),
  );
});
