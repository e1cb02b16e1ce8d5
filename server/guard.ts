import type { App } from "fresh";
import { problemResponse } from "../billing/http/problem.ts";
import { noteRefusal, processLog, type RefusalLog } from "../billing/http/request_log.ts";
import { noteBeginning } from "../billing/http/request_lines.ts";
import { rememberPeer } from "./client_address.ts";
import { type HeaderOptions, headerWriter } from "./response_headers.ts";

type Handler = (request: Request, info?: unknown) => Response | Promise<Response>;

/**
 * Puts the checks and headers that hold for every request around an app: around its handler and not among its middlewares,
 * because a web framework also answers by itself, such as to addresses that it cannot decode.
 *
 * 1. Addresses that are no UTF-8 once decoded, or that contain a NUL, are refused with 400.
 * 2. Everything outside /api/ answers GET and HEAD only.
 * 3. Every answer has the headers of `response_headers.ts` and a request id, and refusals are logged.
 */
export function guard<State>(
  app: App<State>,
  options: HeaderOptions,
  log: RefusalLog = processLog,
): App<State> {
  const complete = headerWriter(options);
  const makeHandler = app.handler.bind(app) as (...args: unknown[]) => Handler;
  const guarded = (...args: unknown[]): Handler => {
    const handle = makeHandler(...args);
    return async (request, info) => {
      noteBeginning(request);
      rememberPeer(request, peerOf(info));
      const response = refusal(request) ?? await handle(request, info);
      return log.record(request, complete(withOwnHeaders(response)));
    };
  };
  return Object.assign(app, { handler: guarded });
}

function refusal(request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  if (!isDecodable(pathname)) return problemResponse("invalid_request", "The address is not valid.");
  const isPage = pathname !== "/api" && !pathname.startsWith("/api/");
  if (isPage && request.method !== "GET" && request.method !== "HEAD") {
    return noteRefusal(
      new Response("Method Not Allowed", {
        status: 405,
        headers: { allow: "GET, HEAD", "content-type": "text/plain; charset=utf-8" },
      }),
      "method_not_allowed",
    );
  }
}

function isDecodable(pathname: string): boolean {
  try {
    return !decodeURIComponent(pathname).includes("\0");
  } catch {
    return false;
  }
}

/** Headers of an answer from elsewhere (fetch, Response.redirect) cannot be changed. */
function withOwnHeaders(response: Response): Response {
  try {
    response.headers.delete("x-request-id");
    return response;
  } catch {
    return new Response(response.body, response);
  }
}

/** Deno.serve hands over the address of the connection. */
function peerOf(info: unknown): string | undefined {
  const address = (info as { remoteAddr?: { hostname?: unknown } } | undefined)?.remoteAddr?.hostname;
  return typeof address === "string" ? address : undefined;
}
