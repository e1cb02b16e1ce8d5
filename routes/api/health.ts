import { get } from "../../server/methods.ts";

/** Answers 200 if the process runs and its database answers. */
export const handler = get(async ({ state }) => {
  await state.billing.checkHealth();
  return Response.json({ ok: true });
});
