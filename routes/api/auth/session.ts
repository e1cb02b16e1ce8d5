import { post } from "../../../api.ts";
import { readJson } from "../../../billing/body.ts";

/** Exchanges the parent app's word on who somebody is for a session token. */
export const handler = post(async ({ req, state }) => {
  const { proofSchema, maxProofBytes } = state.billing.identityProvider;
  return Response.json(await state.billing.openSession(await readJson(req, proofSchema, maxProofBytes)));
});
