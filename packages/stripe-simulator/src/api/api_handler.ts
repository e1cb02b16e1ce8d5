import type { Account } from "../account/account.ts";
import { perform } from "../account/change.ts";
import { IdempotencyKeys, type Reply } from "../account/idempotency_keys.ts";
import type { Faults } from "../faults/faults.ts";
import { lookupIn } from "../account/rendering/lookup.ts";
import { render, renderEvent } from "../account/rendering/rendering.ts";
import { isSince, knownVersions, oldestRequestVersion } from "../objects/api_versions.ts";
import type { Event } from "../objects/event.ts";
import { newId } from "../objects/ids.ts";
import { apiVersion } from "../objects/stored_object.ts";
import { checkApiKey } from "../wire/api_key.ts";
import { invalidRequest, MissingObject, StripeError } from "../wire/errors.ts";
import { expand, type Expandables } from "../wire/expand.ts";
import { decodeForm, type FormHash, type FormValue } from "../wire/form_encoding.ts";
import { decodeJson } from "../wire/json_body.ts";
import { type Endpoint, findEndpoint, type PreparedCall } from "./endpoint.ts";
import { presentParams } from "./former_params.ts";
import { checkPermission } from "./permissions.ts";
import type { RateLimit } from "./rate_limit.ts";

export interface ApiParts {
  account: Account;
  endpoints: Endpoint[];
  expandables: Expandables;
  faults: Faults;
  rateLimit: RateLimit;
  log: (line: string) => void;
  /** Called for every request that was answered. */
  onReply: (request: { id: string; method: string; path: string }, reply: Reply) => void;
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
  /** The version that the reply's header names. */
  version: string;
}

/** A reply with additional headers. */
type HeadedReply = Reply & { headers?: Record<string, string> };

/** A request that was read and may be run. */
interface Prepared {
  call: PreparedCall;
  id: string;
  version: string;
}

/** Creates the handler of `/v1/*` and `/v2/*`. Every request gets a reply as from Stripe, errors included. */
export function createApi(parts: ApiParts): (request: Request) => Promise<Response> {
  const keys = new IdempotencyKeys(parts.account.idempotencyKeys);
  const lookup = lookupIn(parts.account);

  return async (request) => {
    const call = await readRequest(request, parts.account.defaultVersion);
    const subject = `${call.method} ${call.path}`;
    if (!parts.rateLimit.allows(performance.now())) return fail(call, 429);
    const error = parts.faults.take("api_error", subject, (fault) => !isStored(fault));
    if (error && !error.carried_out) return fail(call, error.status);
    const timeOut = parts.faults.take("api_time_out", subject);
    if (timeOut && !timeOut.carried_out) return await neverAnswer(request, call, timeOut.ms);
    const silence = parts.faults.take("api_silence", subject);
    if (silence && !silence.carried_out) return await beSilent(request, call, silence);
    const { reply, saveReply } = answer(request, call);
    const delay = parts.faults.take("api_delay", subject);
    if (delay) await wait(delay.ms, parts.stopping);
    saveReply();
    if (timeOut) return await neverAnswer(request, call, timeOut.ms);
    if (silence) return await beSilent(request, call, silence, reply);
    if (error) return fail(call, error.status);
    parts.onReply(call, reply);
    const hangUp = parts.faults.take("api_hang_up", subject) !== undefined;
    return toResponse(call, reply, hangUp ? truncated(reply.body) : reply.body);
  };

  function fail(call: ApiRequest, status: number): Response {
    return toResponse(call, toErrorReply(simulatedError(status), call));
  }

  /** Does not answer. The connection breaks after `ms` milliseconds unless the client gives up earlier. */
  async function neverAnswer(request: Request, call: ApiRequest, ms: number): Promise<Response> {
    await wait(ms, AbortSignal.any([request.signal, parts.stopping]));
    const reply = toErrorReply(simulatedError(504), call);
    return toResponse(call, reply, truncated(reply.body));
  }

  /** Answers nothing, or only the headers of a reply, until the client gives up or the simulator stops. */
  async function beSilent(
    request: Request,
    call: ApiRequest,
    { headers }: { headers: boolean },
    reply = toErrorReply(simulatedError(504), call),
  ): Promise<Response> {
    const end = AbortSignal.any([request.signal, parts.stopping]);
    if (headers) return toResponse(call, reply, endless(reply.body, end));
    await ended(end);
    return toResponse(call, reply, truncated(reply.body));
  }

  /**
   * Runs the request. Returns the reply, and a function that saves it for its idempotency key; it is called when the
   * reply is sent.
   */
  function answer(request: Request, call: ApiRequest): { reply: HeadedReply; saveReply: () => void } {
    const done = (reply: HeadedReply) => ({ reply, saveReply: () => {} });
    try {
      const apiKey = checkApiKey(request);
      const version = readVersion(request, call);
      checkPermission(parts.account, apiKey, call.method, call.path);
      const params = presentParams(call.path, readParams(call), request.headers.get("stripe-version"));
      const prepared = prepare(call, params, version);
      const { method, idempotencyKey: key } = call;
      if (method !== "POST" || key === null) return done(carryOut(prepared, call));
      const saved = keys.begin(key, `${method} ${call.path} ${canonical(params)}`, parts.account.now());
      if (saved) return done({ ...saved, headers: { "idempotent-replayed": "true" } });
      const reply = { ...carryOut(prepared, call), request: call.id };
      return { reply, saveReply: () => keys.finish(key, reply) };
    } catch (error) {
      return done(toErrorReply(error, call));
    }
  }

  /** The version of the request's header, or else the account's own. Throws a 400 for one that is not supported. */
  function readVersion(request: Request, { path, version }: ApiRequest): string {
    const wanted = request.headers.get("stripe-version");
    if (wanted === null) return version;
    const isSupported = isSince(wanted, oldestRequestVersion) || path.startsWith("/v2/");
    if (isSupported && knownVersions.includes(wanted)) return wanted;
    throw invalidRequest(
      `Invalid Stripe API version: ${wanted}. The Stripe simulator supports the versions from ` +
        `${oldestRequestVersion} to ${apiVersion}. Events in older versions come from an account or a webhook ` +
        "endpoint that has one.",
    );
  }

  function prepare(call: ApiRequest, params: FormHash, version: string): Prepared {
    const found = findEndpoint(parts.endpoints, call.method, call.path);
    if (!found) throw unknownRoute(call);
    const [endpoint, id] = found;
    return { call: endpoint.prepare(params), id, version };
  }

  function unknownRoute({ method, path }: ApiRequest): StripeError {
    parts.log(`not simulated: ${method} ${path}`);
    const message =
      `Unrecognized request URL (${method}: ${path}). The Stripe simulator does not support it.`;
    return new StripeError(404, "invalid_request_error", message);
  }

  /** Runs a request whose idempotency key was not used before. A fault that Stripe remembers happens here. */
  function carryOut(prepared: Prepared, call: ApiRequest): Reply {
    const error = parts.faults.take("api_error", `${call.method} ${call.path}`, isStored);
    const failure = error && toErrorReply(simulatedError(error.status), call);
    if (failure && !error.carried_out) return failure;
    const reply = run(prepared, call);
    return failure ?? reply;
  }

  function run({ call: prepared, id, version }: Prepared, call: ApiRequest): Reply {
    try {
      const cause = { id: call.id, idempotency_key: call.idempotencyKey };
      const result = perform(parts.account, cause, (change) => prepared.run(change, id));
      const expanded = expand(result, prepared.expand, parts.expandables);
      const body = show(expanded, version);
      return { status: 200, body: JSON.stringify(body, null, 2) };
    } catch (error) {
      return toErrorReply(error, call);
    }
  }

  /** An event keeps the version of its time. Anything else is shown in the request's version. */
  function show(object: unknown, version: string): unknown {
    return isListOfEvents(object)
      ? { ...object, data: object.data.map((event) => renderEvent(event, event.api_version, lookup)) }
      : isEvent(object)
      ? renderEvent(object, object.api_version, lookup)
      : render(object, version, lookup);
  }

  function toErrorReply(error: unknown, call: ApiRequest): Reply {
    const known = error instanceof MissingObject && parts.account.liveObjects.find(error.id)
      ? error.inLiveMode()
      : error instanceof StripeError
      ? error
      : internalError(error);
    return { status: known.status, body: JSON.stringify(known.toBody(logUrl(known, call)), null, 2) };
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

async function readRequest(request: Request, defaultVersion: string): Promise<ApiRequest> {
  const url = new URL(request.url);
  const body = request.method === "POST" ? await request.text() : "";
  return {
    id: newId("req", 14),
    method: request.method,
    path: url.pathname,
    query: url.search.slice(1),
    body,
    idempotencyKey: request.headers.get("idempotency-key"),
    version: request.headers.get("stripe-version") ?? defaultVersion,
  };
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

function toResponse(call: ApiRequest, reply: HeadedReply, body: BodyInit = reply.body): Response {
  const headers = new Headers({
    "content-type": "application/json",
    "content-length": String(new TextEncoder().encode(reply.body).length),
    "request-id": call.id,
    "stripe-version": call.version,
    ...(call.idempotencyKey === null ? {} : { "idempotency-key": call.idempotencyKey }),
    ...(reply.request === undefined ? {} : { "original-request": reply.request }),
    ...(call.method === "POST" && isFinal(reply.status) ? { "stripe-should-retry": "false" } : {}),
    ...(reply.status === 401 ? { "www-authenticate": 'Basic realm="Stripe"' } : {}),
    ...reply.headers,
  });
  return new Response(body, { status: reply.status, headers });
}

/** The address of the request's log in the dashboard. Not told to someone without a valid key. */
function logUrl({ status }: StripeError, { id }: ApiRequest): { request_log_url?: string } {
  return status === 401 ? {} : { request_log_url: `https://dashboard.stripe.com/test/logs/${id}` };
}

/** False for a reply after which the same request can succeed. */
function isFinal(status: number): boolean {
  return status < 500 && status !== 409 && status !== 429;
}

/** A failure of Stripe itself is remembered with the idempotency key, one before Stripe is not. */
function isStored({ status, stored }: { status: number; stored?: boolean }): boolean {
  return stored ?? status >= 500;
}

function isEvent(object: unknown): object is Event {
  return typeof object === "object" && object !== null && Reflect.get(object, "object") === "event";
}

function isListOfEvents(object: unknown): object is { data: Event[] } {
  if (typeof object !== "object" || object === null || !("data" in object)) return false;
  return Array.isArray(object.data) && object.data.length > 0 && object.data.every(isEvent);
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

/** Resolves when the signal is aborted. */
function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** A body of which only the beginning comes, until the signal is aborted. */
function endless(body: string, signal: AbortSignal): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode(body.slice(0, body.length / 2)));
      await ended(signal);
      controller.error(new Error("The connection was closed."));
    },
  });
}

/** A body that is shorter than its content-length. */
function truncated(body: string): ReadableStream<Uint8Array> {
  return new Blob([body.slice(0, body.length / 2)]).stream();
}
