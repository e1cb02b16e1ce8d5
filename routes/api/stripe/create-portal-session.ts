import { post } from "../../../server/methods.ts";
import { bearerToken } from "../../../billing/http/bearer_token.ts";
import { readJson } from "../../../billing/http/request_body.ts";
import { portalRequestSchema } from "../../../billing/checkout/portal.ts";

/** For admins: creates a session of Stripe's billing portal and returns its address. */
export const handler = post(async ({ req, state }) => {
  const session = await state.billing.authenticate(bearerToken(req));
  const request = await readJson(req, portalRequestSchema);
  return Response.json(await state.billing.createPortalSession(session, request, state.deadline));
});
