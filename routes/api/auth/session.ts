import { z } from "zod";
import { post } from "../../../api.ts";
import { readJson } from "../../../billing/body.ts";

const requestSchema = z.strictObject({ identityToken: z.string().min(1) });

/** Exchanges the parent app's identity token for a session token. */
export const handler = post(async ({ req, state }) => {
  const { identityToken } = await readJson(req, requestSchema);
  return Response.json(await state.billing.openSession(identityToken));
});
