import { post } from "../../../server/methods.ts";
import { readJson } from "../../../billing/http/request_body.ts";
import { identityRequestSchema } from "../../../billing/identity/common_ground.ts";
import { RequestFault } from "../../../billing/http/problem.ts";

/**
 * Signs the two requests that ask Common Ground who is looking. Nobody is signed in yet, so it is for the plugin's own
 * page: no page of another site can have anything signed in the name of the person who looks at it.
 */
export const handler = post(async ({ req, state }) => {
  if (!state.billing.signIdentityRequests) throw new RequestFault("not_found");
  if (req.headers.get("origin") !== state.config.pluginUrl) throw new RequestFault("foreign_origin");
  return Response.json(
    await state.billing.signIdentityRequests(await readJson(req, identityRequestSchema)),
  );
});
