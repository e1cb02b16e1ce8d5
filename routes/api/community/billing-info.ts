import { get } from "../../../server/methods.ts";
import { bearerToken } from "../../../billing/http/bearer_token.ts";

/** The plan, limits, subscription and invoices of the caller's community. */
export const handler = get(async ({ req, state }) => {
  const session = await state.billing.authenticate(bearerToken(req));
  return Response.json(await state.billing.billingInfo(session));
});
