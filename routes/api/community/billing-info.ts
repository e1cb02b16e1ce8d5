import { get } from "../../../server/methods.ts";

/** The plan, limits, subscription and invoices of the caller's community. */
export const handler = get(async ({ req, state }) => {
  const session = await state.billing.authenticate(req);
  return Response.json(await state.billing.billingInfo(session));
});
