import { callerOf } from "../../../server/session_of.ts";
import { post } from "../../../server/methods.ts";
import { readJson } from "../../../billing/http/request_body.ts";
import { identityRequestSchema } from "../../../billing/identity/common_ground.ts";
import { RequestFault } from "../../../billing/http/problem.ts";

/**
 * Signs the two requests that ask Common Ground for the person and the community. Nobody is signed in yet, so only the
 * plugin's own page may call this: a page of another site must not get requests signed for its visitors.
 */
export const handler = post(async (ctx) => {
  const { req, state } = ctx;
  if (!state.billing.signIdentityRequests) throw new RequestFault("not_found");
  if (req.headers.get("origin") !== state.config.pluginUrl) throw new RequestFault("foreign_origin");
  const request = await readJson(req, identityRequestSchema);
  await state.billing.limit("identity_request", { ...callerOf(ctx), community: request.pluginId });
  return Response.json(await state.billing.signIdentityRequests(request));
});
