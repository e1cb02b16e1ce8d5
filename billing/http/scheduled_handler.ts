import { timingSafeEqual } from "node:crypto";
import { problemOf, RequestFault } from "./problem.ts";

/**
 * A function that the database's schedules call. They prove themselves with the secret both know, in the header `apikey`,
 * which Supabase's gateway passes on; whoever has it can start this one job and nothing else.
 */
export function scheduledHandler(
  { secret, run }: { secret: string; run: () => Promise<unknown> },
): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      if (request.method !== "POST") {
        throw new RequestFault("method_not_allowed", "Schedules send POST.", { allow: "POST" });
      }
      if (!isSame(request.headers.get("apikey") ?? "", secret)) {
        throw new RequestFault("invalid_signature", "The header apikey does not hold the schedules' secret.");
      }
      return Response.json(await run());
    } catch (error) {
      return problemOf(error);
    }
  };
}

/** Takes as long for a near miss as for a far one. */
function isSame(offered: string, secret: string): boolean {
  const [a, b] = [offered, secret].map((text) => new TextEncoder().encode(text));
  return a.length === b.length && timingSafeEqual(a, b);
}
