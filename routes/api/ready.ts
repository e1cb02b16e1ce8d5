import { get } from "../../server/methods.ts";

/** Answers 200 if the server can do its work, else 503, and in both cases with what is wrong and how old the last runs are. */
export const handler = get(async ({ state }) => {
  const readiness = await state.billing.readiness();
  return Response.json(readiness, {
    status: readiness.ready ? 200 : 503,
    headers: { "cache-control": "no-store", ...(readiness.ready ? {} : { "retry-after": "5" }) },
  });
});
