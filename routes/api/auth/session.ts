import { noteCommunity } from "../../../billing/http/request_log.ts";
import { callerOf } from "../../../server/session_of.ts";
import { post } from "../../../server/methods.ts";
import { readJson } from "../../../billing/http/request_body.ts";

/** Exchanges a proof of identity from the parent app for a session token. */
export const handler = post(async (ctx) => {
  const { req, state } = ctx;
  const { proofSchema, maxProofBytes } = state.billing.identityProvider;
  const proof = await readJson(req, proofSchema, maxProofBytes);
  const opened = await state.billing.openSession(proof, callerOf(ctx));
  noteCommunity(req, opened.community.id);
  return Response.json(opened);
});
