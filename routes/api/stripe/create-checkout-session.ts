import { post } from "../../../server/methods.ts";
import { bearerToken } from "../../../billing/http/bearer_token.ts";
import { readJson } from "../../../billing/http/request_body.ts";
import { checkoutRequestSchema } from "../../../billing/checkout/checkout.ts";

/** For admins: creates a checkout session and returns its address, or its client secret if it is embedded. */
export const handler = post(async ({ req, state }) => {
  const session = await state.billing.authenticate(bearerToken(req));
  const request = await readJson(req, checkoutRequestSchema);
  return Response.json(await state.billing.createCheckoutSession(session, request, state.deadline));
});
