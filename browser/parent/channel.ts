import type { CommonGroundProof } from "../../billing/identity/common_ground.ts";
import type { ParentMessage, PluginMessage, StripeStatus } from "../../packages/parent/types.ts";
import { type ApiResult, failure } from "../api/client.ts";
import { parseParentMessage } from "./messages.ts";

/** A proof of identity: the body of `POST /api/auth/session`. */
export type IdentityProof = { identityToken: string } | CommonGroundProof;

/** The plugin's connection to the parent page. */
export interface ParentChannel {
  /** Asks the parent for a new proof of the person's identity. Fails with `parent_silent` when it does not answer. */
  proveIdentity(): Promise<ApiResult<IdentityProof>>;
  send(message: PluginMessage): void;
}

/** Pauses before each request for an identity, in milliseconds. About 15 seconds in all, with the final wait. */
const ASK_AFTER_MS = [0, 250, 500, 1_000, 2_000, 3_000, 4_000];
const GIVE_UP_AFTER_MS = 4_000;

/**
 * Opens a channel to a parent page that uses the Dues parent script. To get a proof of identity it posts `pluginReady`
 * until the parent answers, because the parent's script may load later than this page.
 *
 * A message is accepted only if it comes from the parent's exact origin AND from the parent window AND has a known
 * shape. Messages are sent to the parent's origin only.
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
  return { proveIdentity, send };
}
