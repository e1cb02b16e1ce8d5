/**
 * One line of JSON for each answered request, with the id that the answer carries as `x-request-id`, and what is known of it: the
 * community, or the event of Stripe's and what became of it. Refused requests have lines of their own (request_log.ts). What a
 * load balancer asks again and again, and static files, have none.
 */
import { telemetry } from "../telemetry/telemetry.ts";

/** What a handler knows of a request, for its line. */
type Facts = Record<string, string | number | null>;

const facts = new WeakMap<Request, Facts>();
const beginnings = new WeakMap<Request, number>();

/** Adds what is known to the request's line. Never anything secret. */
export function noteFacts(request: Request, more: Facts): void {
  facts.set(request, { ...facts.get(request), ...more });
}

/** Notes when a request began. */
export function noteBeginning(request: Request): void {
  beginnings.set(request, performance.now());
}

const QUIET = /^\/(api\/(health|ready)$|_fresh\/|[\w-]+\.(css|js|svg|png|ico)$)/;

/** The route as metrics name it: those of the API are few; of anything else the group counts. */
export const routeOf = (pathname: string): string =>
  /^\/api\/[a-z-]+(\/[a-z-]+)?$/.test(pathname) ? pathname : pathname.startsWith("/api/") ? "/api/*" : "page";

/** Measures an answer, and returns its line; undefined when it has none. */
export function lineOf(
  request: Request,
  answer: Response,
  requestId: string,
  community?: string,
): string | undefined {
  const { pathname } = new URL(request.url);
  const begun = beginnings.get(request);
  const milliseconds = begun === undefined ? undefined : Math.round((performance.now() - begun) * 10) / 10;
  const { status } = answer;
  if (milliseconds !== undefined) {
    const route = status === 404 ? "unknown" : routeOf(pathname);
    telemetry.measure("dues.request.duration", milliseconds / 1000, { route, status });
  }
  if (status >= 400 || QUIET.test(pathname)) return undefined;
  return JSON.stringify({
    event: "request",
    at: new Date().toISOString(),
    status,
    method: request.method,
    route: pathname.slice(0, 120),
    milliseconds,
    requestId,
    community,
    ...facts.get(request),
  });
}
