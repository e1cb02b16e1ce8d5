import { timingSafeEqual } from "node:crypto";
import { version } from "../version.ts";
import { problemOf, RequestFault } from "./problem.ts";

/**
 * The handler of an edge function that a schedule in the database calls with POST. The schedule sends the shared secret in
 * the header `apikey`, which Supabase's gateway passes on. The secret allows starting this job and nothing else. GET with
 * the secret starts nothing and tells the deployed version: `deno task doctor` asks it.
 */
export function scheduledHandler(
  { secret, run }: { secret: string; run: () => Promise<unknown> },
): (request: Request) => Promise<Response> {
  return async (request) => {
    try {
      if (request.method !== "POST" && request.method !== "GET") {
        throw new RequestFault("method_not_allowed", "Schedules send POST.", { allow: "GET, POST" });
      }
      if (!isEqual(request.headers.get("apikey") ?? "", secret)) {
        throw new RequestFault(
          "invalid_signature",
          "The header apikey does not contain the schedules' secret.",
        );
      }
      return Response.json(request.method === "GET" ? { ok: true, version } : await run());
    } catch (error) {
      return problemOf(error);
    }
  };
}

/** Compares in constant time, so that timing does not tell how much of a guess is right. */
function isEqual(offered: string, secret: string): boolean {
  const [a, b] = [offered, secret].map((text) => new TextEncoder().encode(text));
  return a.length === b.length && timingSafeEqual(a, b);
}
