import type { Account } from "../account/account.ts";
import { perform } from "../account/change.ts";
import { IdempotencyKeys, type Reply } from "../account/idempotency_keys.ts";
import type { Faults } from "../faults/faults.ts";
import { newId } from "../objects/ids.ts";
import { apiVersion } from "../objects/stored_object.ts";
import { checkApiKey } from "../wire/api_key.ts";
import { invalidRequest, StripeError } from "../wire/errors.ts";
import { expand, type Expandables } from "../wire/expand.ts";
import { decodeForm, type FormHash, type FormValue } from "../wire/form_encoding.ts";
import { decodeJson } from "../wire/json_body.ts";
import { type Endpoint, findEndpoint, type PreparedCall } from "./endpoint.ts";
import type { RateLimit } from "./rate_limit.ts";

export interface ApiParts {
  account: Account;
  endpoints: Endpoint[];
  expandables: Expandables;
  faults: Faults;
  rateLimit: RateLimit;
  log: (line: string) => void;
  /** Aborted when the simulator stops, so that no request delays it. */
  stopping: AbortSignal;
}

interface ApiRequest {
  id: string;
  method: string;
  path: string;
  query: string;
  body: string;
  idempotencyKey: string | null;
}

/** A reply with additional headers. */
type HeadedReply = Reply & { headers?: Record<string, string> };

/** Creates the handler of `/v1/*` and `/v2/*`. Every request gets a reply as from Stripe, errors included. */
export function createApi(parts: ApiParts): (request: Request) => Promise<Response> {
  const keys = new IdempotencyKeys(parts.account.idempotencyKeys);
  return async (request) => {
    const call = await readRequest(request);
    const subject = `${call.method} ${call.path}`;
    if (!parts.rateLimit.allows(performance.now())) return fail(call, 429);
    const error = parts.faults.take("api_error", subject);
    if (error && !error.carried_out) return fail(call, error.status);
    const timeOut = parts.faults.take("api_time_out", subject);
    if (timeOut && !timeOut.carried_out) return await neverAnswer(request, call, timeOut.ms);
    const { reply, saveReply } = answer(request, call);
    const delay = parts.faults.take("api_delay", subject);
    if (delay) await wait(delay.ms, parts.stopping);
    saveReply();
    if (timeOut) return await neverAnswer(request, call, timeOut.ms);
    if (error) return fail(call, error.status);
    const hangUp = parts.faults.take("api_hang_up", subject) !== undefined;
    return toResponse(call, reply, hangUp);
  };

  function fail(call: ApiRequest, status: number): Response {
    return toResponse(call, toErrorReply(simulatedError(status)));
  }

  /** Does not answer. The connection breaks after `ms` milliseconds unless the client gives up earlier. */
  async function neverAnswer(request: Request, call: ApiRequest, ms: number): Promise<Response> {
    await wait(ms, AbortSignal.any([request.signal, parts.stopping]));
    return toResponse(call, toErrorReply(simulatedError(504)), true);
  }

  /**
   * Runs the request. Returns the reply, and a function that saves it for its idempotency key; it is called when the
   * reply is sent.
   */
  function answer(request: Request, call: ApiRequest): { reply: HeadedReply; saveReply: () => void } {
    const done = (reply: HeadedReply) => ({ reply, saveReply: () => {} });
    try {
      checkApiKey(request);
      checkVersion(request);
      const params = readParams(call);
      const [prepared, id] = prepare(call, params);
      const { method, idempotencyKey: key } = call;
      if (method !== "POST" || key === null) return done(carryOut(prepared, id, call));
      const saved = keys.begin(key, `${method} ${call.path} ${canonical(params)}`, parts.account.now());
      if (saved) return done({ ...saved, headers: { "idempotent-replayed": "true" } });
      const reply = carryOut(prepared, id, call);
      return { reply, saveReply: () => keys.finish(key, reply) };
    } catch (error) {
      return done(toErrorReply(error));
    }
  }

  function prepare(call: ApiRequest, params: FormHash): [PreparedCall, string] {
    const found = findEndpoint(parts.endpoints, call.method, call.path);
    if (!found) throw unknownRoute(call);
    const [endpoint, id] = found;
    return [endpoint.prepare(params), id];
  }

  function unknownRoute({ method, path }: ApiRequest): StripeError {
    parts.log(`not simulated: ${method} ${path}`);
    const message =
      `Unrecognized request URL (${method}: ${path}). The Stripe simulator does not support it.`;
    return new StripeError(404, "invalid_request_error", message);
  }

  function carryOut(prepared: PreparedCall, id: string, call: ApiRequest): Reply {
    try {
      const cause = { id: call.id, idempotency_key: call.idempotencyKey };
      const result = perform(parts.account, cause, (change) => prepared.run(change, id));
      const body = expand(result, prepared.expand, parts.expandables);
      return { status: 200, body: JSON.stringify(body, null, 2) };
    } catch (error) {
      return toErrorReply(error);
    }
  }

  function toErrorReply(error: unknown): Reply {
    const known = error instanceof StripeError ? error : internalError(error);
    return { status: known.status, body: JSON.stringify(known.toBody(), null, 2) };
  }

  function internalError(error: unknown): StripeError {
    parts.log(`error in the simulator: ${error instanceof Error ? error.stack : error}`);
    return new StripeError(
      500,
      "api_error",
      "An unknown error occurred in the Stripe simulator; see its log.",
    );
  }
}

async function readRequest(request: Request): Promise<ApiRequest> {
  const url = new URL(request.url);
  const body = request.method === "POST" ? await request.text() : "";
  return {
    id: newId("req", 14),
    method: request.method,
    path: url.pathname,
    query: url.search.slice(1),
    body,
    idempotencyKey: request.headers.get("idempotency-key"),
  };
}

/** The simulator has one API version, the one of its types. It is also the default. */
function checkVersion(request: Request) {
  const version = request.headers.get("stripe-version") ?? apiVersion;
  if (version !== apiVersion) {
    throw invalidRequest(
      `Invalid Stripe API version: ${version}. The Stripe simulator supports ${apiVersion} only.`,
    );
  }
}

/** Reads the parameters of query and body: a form in v1, JSON in v2. */
function readParams({ path, query, body }: ApiRequest): FormHash {
  if (path.startsWith("/v2/")) return { ...decodeForm(query), ...decodeJson(body) };
  return decodeForm([query, body].filter((part) => part !== "").join("&"));
}

/** Serializes parameters in a fixed order, because a repeated request can have them in another order. */
function canonical(params: FormValue): string {
  if (typeof params === "string") return JSON.stringify(params);
  const entries = Object.entries(params).sort(([a], [b]) => a < b ? -1 : 1);
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)}`).join(",")}}`;
}

function simulatedError(status: number): StripeError {
  if (status === 429) {
    return new StripeError(429, "invalid_request_error", "Request rate limit exceeded.", {
      code: "rate_limit",
    });
  }
  const type = status >= 500 ? "api_error" : "invalid_request_error";
  return new StripeError(status, type, `Simulated fault: ${status}.`);
}

function toResponse(call: ApiRequest, reply: HeadedReply, hangUp = false): Response {
  const headers = new Headers({
    "content-type": "application/json",
    "content-length": String(new TextEncoder().encode(reply.body).length),
    "request-id": call.id,
    "stripe-version": apiVersion,
    ...(call.idempotencyKey === null ? {} : { "idempotency-key": call.idempotencyKey }),
    ...reply.headers,
  });
  return new Response(hangUp ? truncated(reply.body) : reply.body, { status: reply.status, headers });
}

/** Resolves after `ms` milliseconds, or when the signal is aborted. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

/** A body that is shorter than its content-length. */
function truncated(body: string): ReadableStream<Uint8Array> {
  return new Blob([body.slice(0, body.length / 2)]).stream();
}
