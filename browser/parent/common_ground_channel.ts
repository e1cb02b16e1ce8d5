/**
 * The line to Common Ground (app.cg) in place of a Dues parent script, loaded only where it is configured.
 *
 * 1. `init` asks the page around this one for the plugin's id in this community.
 * 2. The plugin's server signs two requests, for the person and for the community, and gives a ticket along.
 * 3. Common Ground answers each, signed. Ticket and answers together prove who is looking; the server checks all of it.
 *
 * Messages are those of @common-ground-dao/cg-plugin-lib 0.9. It is not used itself: it takes answers from any window
 * and, where the browser does not name the parent, from any origin; it sends a signed request again that Common Ground
 * refuses the second time; and it writes the signed answers to the console.
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
  /** What Common Ground calls this iframe; it is in the page's address. Null when it is not. */
  iframeUid: string | null;
  callApi: typeof callApi;
}

/** What Common Ground posts: `type` is the id of the request that it answers. */
interface AnswerMessage {
  type: string;
  payload: { response: string; signature?: string };
}

/** The page around this one may take a moment to listen, so `init` is repeated; it costs nothing. */
const INIT_ATTEMPTS = 5;
const INIT_MS = 2_000;
/** Signed requests go out once: Common Ground refuses repetitions. */
const ANSWER_MS = 10_000;

/** Opens the line. A message counts only from the parent's exact origin AND window, as an answer that is waited for. */
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
    // What Common Ground refuses, it does not sign.
    return payload?.signature ? { response: payload.response, signature: payload.signature } : null;
  }

  async function proveIdentity(): Promise<ApiResult<CommonGroundProof>> {
    const pluginId = iframeUid && await findPluginId();
    if (!pluginId) return silent();
    const signed = await callApi<SignedRequests>("POST", "/api/auth/common-ground", {
      body: { iframeUid, pluginId },
    });
    if (!signed.ok) return signed;
    const { ticket, ...requests } = signed.data;
    const [userInfo, communityInfo] = await Promise.all([
      askSigned(requests.userInfo),
      askSigned(requests.communityInfo),
    ]);
    if (!userInfo || !communityInfo) return silent();
    return { ok: true, data: { ticket, userInfo, communityInfo } };
  }

  globalThis.addEventListener("message", onMessage);
  return {
    proveIdentity,
    send: (message) => {
      // Common Ground sizes its iframes itself.
      if (message.type === "openUrl") askUnsigned({ type: "navigate", to: message.url }, ANSWER_MS);
    },
    close: () => globalThis.removeEventListener("message", onMessage),
  };
}

/** Not `failure()` itself: what both this file and the page's code use would become one more file to load. */
const silent = (): ReturnType<typeof failure> => ({
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
    return null; // not JSON, so no answer
  }
}
