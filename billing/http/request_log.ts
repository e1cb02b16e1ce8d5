/**
 * What is refused is logged: one line of JSON for each refused request, with the reason, the route, the community when it is
 * known, and the id that the answer carries as `x-request-id`. Each line has the count of its reason since the start.
 *
 * Whoever sends junk also fills the log, so of each reason only some lines a minute are written; the next line tells how many
 * were left out. Bodies, tokens, signatures and queries are never logged.
 */

import { telemetry } from "../telemetry/telemetry.ts";
import { lineOf } from "./request_lines.ts";

/** Lines a minute for each reason. */
const LINES_A_MINUTE = 30;
/** The same for what fails everybody at once: one line says it. */
const OUTAGES = new Set([
  "database_unavailable",
  "stripe_unavailable",
  "stripe_busy",
  "parent_unavailable",
  "not_ready",
]);
const MINUTE_MS = 60_000;

/** The reasons that an operator has to act on, because a secret or key is wrong. They are said in words. */
const advice: Record<string, string> = {
  invalid_signature:
    "If this is Stripe: STRIPE_WEBHOOK_SECRET is not the endpoint's secret, or a clock is wrong.",
  invalid_identity_token:
    "If this is the parent app: its key is not PARENT_APP_JWT_SECRET, or not in its JWKS.",
  invalid_identity_answer:
    "If this is Common Ground: the key pair is not the plugin's, or has been replaced.",
  expired_identity_token:
    "If this is the parent app: one of the two clocks is wrong, or tokens are kept too long.",
  invalid_token:
    "If this is the plugin's own page: SESSION_SECRET differs between processes, or was changed.",
  parent_unavailable: "PARENT_APP_JWKS_URL does not answer with a key set.",
  stripe_key_refused: "Stripe refuses STRIPE_SECRET_KEY: it has expired or was revoked.",
  stripe_permission_missing: "The restricted key STRIPE_SECRET_KEY lacks a permission: see .env.example.",
  database_unavailable: "SUPABASE_DB_URL cannot be reached, or its password has changed.",
};

/** One line of the log. */
export interface RefusalLine {
  event: "refused";
  at: string;
  reason: string;
  status: number;
  method: string;
  /** The path, without the query. */
  route: string;
  requestId: string;
  community?: string;
  /** Why, in words, when the code alone does not tell. */
  detail?: string;
  /** What to do, when a setting is likely to be wrong. */
  advice?: string;
  /** How many were refused for this reason since the start, this one included. */
  count: number;
  /** How many lines of this reason were left out before this one. */
  leftOut?: number;
}

interface Refusal {
  reason: string;
  detail?: string;
}

const refusals = new WeakMap<Response, Refusal>();
const communities = new WeakMap<Request, string>();

/** Notes why an answer refuses its request. */
export function noteRefusal(response: Response, reason: string, detail?: string): Response {
  refusals.set(response, { reason, detail });
  return response;
}

/** Notes which community a request is about, once it is proved. */
export function noteCommunity(request: Request, community: string): void {
  communities.set(request, community);
}

interface Tally {
  count: number;
  lines: number;
  since: number;
  leftOut: number;
}

/** A log of refusals. `write` gets each line; by default it goes to standard error. */
export function refusalLog(
  {
    write = (line: string) => console.error(line),
    writeAnswered = (line) => console.log(line),
    now = Date.now,
  }: {
    write?: (line: string) => void;
    /** Gets the line of each request that was answered. */
    writeAnswered?: (line: string) => void;
    now?: () => number;
  } = {},
) {
  const tallies = new Map<string, Tally>();

  return {
    /** How many requests were refused for each reason. */
    counts: (): Record<string, number> =>
      Object.fromEntries([...tallies].map(([reason, { count }]) => [reason, count])),

    /** Gives the answer its id, and logs it when it refuses the request. */
    record(request: Request, response: Response): Response {
      const requestId = crypto.randomUUID();
      response.headers.set("x-request-id", requestId);
      const answered = lineOf(request, response, requestId, communities.get(request));
      if (answered !== undefined) writeAnswered(answered);
      if (response.status < 400) return response;
      const { reason, detail = undefined } = refusals.get(response) ?? { reason: reasonOf(response.status) };
      const time = now();
      const tally = tallies.get(reason) ?? { count: 0, lines: 0, since: time, leftOut: 0 };
      tallies.set(reason, tally);
      tally.count++;
      telemetry.count("dues.refusals", { reason });
      if (time - tally.since >= MINUTE_MS) Object.assign(tally, { lines: 0, since: time });
      if (tally.lines >= (OUTAGES.has(reason) ? 1 : LINES_A_MINUTE)) {
        tally.leftOut++;
        return response;
      }
      tally.lines++;
      const line: RefusalLine = {
        event: "refused",
        at: new Date(time).toISOString(),
        reason,
        status: response.status,
        method: request.method,
        route: new URL(request.url).pathname.slice(0, 120),
        requestId,
        community: communities.get(request),
        detail: detail?.slice(0, 300),
        advice: advice[reason],
        count: tally.count,
        ...(tally.leftOut > 0 ? { leftOut: tally.leftOut } : {}),
      };
      tally.leftOut = 0;
      write(JSON.stringify(line));
      return response;
    },
  };
}

/** For answers of the framework, which have no code. */
const reasonOf = (status: number) =>
  ({ 404: "not_found", 405: "method_not_allowed", 500: "internal_error" })[status] ?? `status_${status}`;

export type RefusalLog = ReturnType<typeof refusalLog>;

/** The log of this process. */
export const processLog: RefusalLog = refusalLog();

/** A handler whose refusals are logged. */
export const logged =
  (handle: (request: Request) => Promise<Response>, log: RefusalLog = processLog) =>
  async (request: Request): Promise<Response> => log.record(request, await handle(request));
