import { post } from "../../../server/methods.ts";
import { bearerToken } from "../../../billing/http/bearer_token.ts";
import { readJson } from "../../../billing/http/request_body.ts";
import { checkoutRequestSchema } from "../../../billing/checkout/checkout.ts";

/** Admins: starts a checkout and returns the address of Stripe's page. */
export const handler = post(async ({ req, state }) => {
  const session = await state.billing.authenticate(bearerToken(req));
  const request = await readJson(req, checkoutRequestSchema);
  return Response.json(await state.billing.createCheckoutSession(session, request));
});
