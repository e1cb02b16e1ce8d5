/** Answers of the server itself, when a request does not reach the app or the app fails outside its own handling. */
import { problemResponse } from "../billing/http/problem.ts";
import { hardened } from "./response_headers.ts";

/** For a request whose address or headers are not valid. */
export const requestUnreadable = (): Response =>
  hardened(problemResponse("invalid_request", "The address is not valid."));

/** For what the app threw. It is logged here and not shown. Callers who went away are not news. */
export function requestFailed(error: unknown): Response {
  if ((error as { code?: unknown } | null)?.code !== "ECONNRESET") console.error(error);
  return hardened(problemResponse("internal_error"));
}
