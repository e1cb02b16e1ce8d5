import { get } from "../../../server/methods.ts";
import { bearerToken } from "../../../billing/http/bearer_token.ts";

/** Plan, limits, subscription and invoices of the caller's own community. */
export const handler = get(async ({ req, state }) => {
  const session = await state.billing.authenticate(bearerToken(req));
  return Response.json(await state.billing.billingInfo(session));
});
