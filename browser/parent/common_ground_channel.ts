/**
 * The channel to Common Ground (app.cg), used in place of the Dues parent script and loaded only if configured.
 *
 * 1. `init` asks the parent page for the plugin's id in this community.
 * 2. The plugin's server signs two requests, one for the person and one for the community, and adds a ticket.
 * 3. Common Ground answers each request with a signature. Ticket and answers together are the proof of identity, which
 *    the server verifies.
 *
 * The messages are those of @common-ground-dao/cg-plugin-lib 0.9. The library itself is not used, for three reasons:
 * it accepts answers from any window and, if the browser does not name the parent, from any origin; it repeats signed
 * requests, which Common Ground refuses; and it logs the signed answers to the console.
 */

import type {
  CommonGroundProof,
  SignedAnswer,
  SignedRequests,
} from "../../billing/identity/common_ground.ts";
import type { ApiResult, callApi, failure } from "../api/client.ts";
import type { ParentChannel } from "./channel.ts";

interface ChannelOptions {
  parentOrigin: string;
  /** Common Ground's id of this iframe, from the page's address. Null if it is missing there. */
  iframeUid: string | null;
  callApi: typeof callApi;
}

/** A message from Common Ground. `type` is the id of the request that it answers. */
interface AnswerMessage {
  type: string;
  payload: { response: string; signature?: string };
}

/** `init` is repeated, because the parent page may not listen yet. */
const INIT_ATTEMPTS = 5;
const INIT_MS = 2_000;
/** Signed requests are sent once: Common Ground refuses a repeated one. */
const ANSWER_MS = 10_000;

/**
 * Opens the channel. A message is accepted only from the parent's exact origin AND the parent window, and only as the
 * answer to an open request.
 */
export function openCommonGroundChannel({ parentOrigin, iframeUid, callApi }: ChannelOptions): ParentChannel {
  const waiting = new Map<string, (payload: AnswerMessage["payload"]) => void>();

  function onMessage(event: MessageEvent): void {
    if (event.origin !== parentOrigin || event.source !== globalThis.parent) return;
    if (isAnswer(event.data)) waiting.get(event.data.type)?.(event.data.payload);
  }

  function ask(requestId: string, message: object, ms: number): Promise<AnswerMessage["payload"] | null> {
    return new Promise((resolve) => {
      const end = (payload: AnswerMessage["payload"] | null) => {
        waiting.delete(requestId);
        clearTimeout(timer);
        resolve(payload);
      };
      const timer = setTimeout(() => end(null), ms);
      waiting.set(requestId, end);
      globalThis.parent.postMessage(message, parentOrigin);
    });
  }

  function askUnsigned(data: { type: "init" } | { type: "navigate"; to: string }, ms: number) {
    const requestId = `safeRequest-${Date.now()}-${data.type}-${crypto.randomUUID()}`;
    return ask(requestId, {
      request: JSON.stringify({ type: "safeRequest", data, iframeUid, requestId }),
    }, ms);
  }

  async function findPluginId(attempts = INIT_ATTEMPTS): Promise<string | null> {
    const payload = await askUnsigned({ type: "init" }, INIT_MS);
    if (payload) return pluginIdIn(payload.response);
    return attempts > 1 ? findPluginId(attempts - 1) : null;
  }

  async function askSigned(request: SignedRequests["userInfo"]): Promise<SignedAnswer | null> {
    const payload = await ask(JSON.parse(request.request).requestId, request, ANSWER_MS);
    // Common Ground does not sign a refusal.
    return payload?.signature ? { response: payload.response, signature: payload.signature } : null;
  }

  async function proveIdentity(): Promise<ApiResult<CommonGroundProof>> {
    const pluginId = iframeUid && await findPluginId();
    if (!pluginId) return parentSilent();
    const signed = await callApi<SignedRequests>("POST", "/api/auth/common-ground", {
      body: { iframeUid, pluginId },
    });
    if (!signed.ok) return signed;
    const { ticket, ...requests } = signed.data;
    const [userInfo, communityInfo] = await Promise.all([
      askSigned(requests.userInfo),
      askSigned(requests.communityInfo),
    ]);
    if (!userInfo || !communityInfo) return parentSilent();
    return { ok: true, data: { ticket, userInfo, communityInfo } };
  }

  globalThis.addEventListener("message", onMessage);
  return {
    proveIdentity,
    send: (message) => {
      // Common Ground sizes its iframes itself.
      if (message.type === "openUrl") askUnsigned({ type: "navigate", to: message.url }, ANSWER_MS);
    },
  };
}

/** Does not use `failure()`: code shared with the page's main script would become another file to load. */
const parentSilent = (): ReturnType<typeof failure> => ({
  ok: false,
  failure: { status: 0, code: "parent_silent" },
});

function isAnswer(data: unknown): data is AnswerMessage {
  const { type, payload } = (data ?? {}) as Partial<AnswerMessage>;
  return typeof type === "string" && typeof payload?.response === "string" &&
    (payload.signature === undefined || typeof payload.signature === "string");
}

function pluginIdIn(response: string): string | null {
  try {
    const pluginId = JSON.parse(response)?.data?.pluginId;
    return typeof pluginId === "string" ? pluginId : null;
  } catch {
    return null; // not JSON
  }
}
