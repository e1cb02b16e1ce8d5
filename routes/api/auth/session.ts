import { post } from "../../../server/methods.ts";
import { readJson } from "../../../billing/http/request_body.ts";

/** Exchanges a proof of identity from the parent app for a session token. */
export const handler = post(async ({ req, state }) => {
  const { proofSchema, maxProofBytes } = state.billing.identityProvider;
  return Response.json(await state.billing.openSession(await readJson(req, proofSchema, maxProofBytes)));
});
