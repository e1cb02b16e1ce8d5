import { noteRefusal } from "../../billing/http/request_log.ts";
import { get } from "../../server/methods.ts";

/** Answers 200 if the server can do its work, else 503, and in both cases with what is wrong and how old the last runs are. */
export const handler = get(async ({ state }) => {
  const readiness = await state.billing.readiness();
  const headers = { "cache-control": "no-store" };
  if (readiness.ready) return Response.json(readiness, { headers });
  const wrong = Object.entries(readiness.parts).filter(([, { ok }]) => !ok);
  return noteRefusal(
    Response.json(readiness, { status: 503, headers: { ...headers, "retry-after": "5" } }),
    "not_ready",
    wrong.map(([part, { detail }]) => `${part}: ${detail}`).join("; "),
  );
});
