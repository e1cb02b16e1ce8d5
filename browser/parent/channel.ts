import type { CommonGroundProof } from "../../billing/identity/common_ground.ts";
import type { ParentMessage, PluginMessage, StripeStatus } from "../../packages/parent/types.ts";
import { type ApiResult, failure } from "../api/client.ts";
import { parseParentMessage } from "./messages.ts";

/** What the server exchanges for a session: the body of `POST /api/auth/session`. */
export type IdentityProof = { identityToken: string } | CommonGroundProof;

/** The plugin's line to the page around it. */
export interface ParentChannel {
  /** Asks the parent for a new proof of who is looking. Fails with `parent_silent` when no answer comes. */
  proveIdentity(): Promise<ApiResult<IdentityProof>>;
  send(message: PluginMessage): void;
  close(): void;
}

/** When to ask, in milliseconds after the last time. About 15 seconds in all, the last of them only waiting. */
const ASK_AFTER_MS = [0, 250, 500, 1_000, 2_000, 3_000, 4_000];
const GIVE_UP_AFTER_MS = 4_000;

/**
 * Opens the line. Asking for an identity means to post `pluginReady` until it is answered, because the parent's script
 * may load after this one. A message counts only when it comes from the parent's exact origin AND from the window that frames
 * this one AND has the right shape; what is sent can be read by the parent's origin alone.
 */
export function openParentChannel(
  parentOrigin: string,
  onStripeCallback: (status: StripeStatus) => void,
): ParentChannel {
  let answer: ((identity: ApiResult<IdentityProof>) => void) | null = null;

  function onMessage(event: MessageEvent): void {
    if (event.origin !== parentOrigin || event.source !== globalThis.parent) return;
    const message: ParentMessage | null = parseParentMessage(event.data);
    if (message?.type === "pluginContext") {
      answer?.({ ok: true, data: { identityToken: message.identityToken } });
    }
    if (message?.type === "stripeCallback") onStripeCallback(message.status);
  }

  function send(message: PluginMessage): void {
    globalThis.parent.postMessage(message, parentOrigin);
  }

  function proveIdentity(): Promise<ApiResult<IdentityProof>> {
    return new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout>;
      answer = (identity) => {
        answer = null;
        clearTimeout(timer);
        resolve(identity);
      };
      const ask = ([delay, ...rest]: number[]) => {
        timer = setTimeout(() => {
          send({ type: "pluginReady", pluginType: "dues" });
          if (rest.length > 0) ask(rest);
          else timer = setTimeout(() => answer?.(failure("parent_silent")), GIVE_UP_AFTER_MS);
        }, delay);
      };
      ask(ASK_AFTER_MS);
    });
  }

  globalThis.addEventListener("message", onMessage);
  return { proveIdentity, send, close: () => globalThis.removeEventListener("message", onMessage) };
}
