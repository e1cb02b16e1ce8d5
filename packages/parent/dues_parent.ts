/**
 * The parent app's side of Dues. For every iframe marked `data-dues`:
 *
 * 1. On load, the script reads a return from Stripe from the page's address. It removes the parameters at once, so that
 *    a reload or a shared link does not report the same return again.
 * 2. The plugin posts `pluginReady` until it is answered. From then on it is known to listen. The return from step 1 is
 *    sent once, to the iframe it belongs to: at once if that listens, else as soon as it does. It is also sent to the
 *    app's other tabs, because the person may have started there. A tab without a listening iframe ignores it.
 * 3. `pluginReady` is answered with `pluginContext` and a new identity token, at once when the iframe was loaded and else
 *    every two seconds at most: whatever runs in the iframe, it does not flood the app's server. The plugin asks again
 *    when its session ends.
 * 4. `openUrl` opens Stripe in this window, for browsers that do not let the iframe do it. Other configured origins are
 *    opened only shortly after a click in that iframe. `pluginResize` sets the iframe's height.
 *
 * A message is accepted only if it comes from the plugin's origin AND from the window of a marked iframe AND has a known
 * shape. One that is rejected although it claims to be the plugin's is told once in the console, with its origin: mostly
 * the plugin's origin is configured wrongly. Answers have the plugin's origin as target, so no other page receives them if the iframe has navigated away.
 */

import { allowedDestination, requireOrigin } from "./destination.ts";
import { parsePluginMessage } from "./messages.ts";
import { communityIdOf, readStripeReturn, type StripeReturn, withoutStripeReturn } from "./return_address.ts";
import { connectOtherTabs } from "./other_tabs.ts";
import type { ConnectDues, DuesConnection, DuesOptions, ParentMessage } from "./types.ts";

export type * from "./types.ts";

/** Connects this page to its Dues iframes. See {@link ConnectDues}. */
export const connectDues: ConnectDues = (options: DuesOptions): DuesConnection => {
  const pluginOrigin = requireOrigin(options.pluginOrigin);
  const extraOrigins = (options.extraOpenOrigins ?? []).map(requireOrigin);
  const fetchIdentityToken = options.fetchIdentityToken ?? postToTokenUrl;
  const beingAnswered = new WeakSet<HTMLIFrameElement>();
  const listening = new WeakSet<HTMLIFrameElement>();
  /** When the next identity token may be fetched for an iframe. */
  const nextToken = new WeakMap<HTMLIFrameElement, number>();
  const toldOnce = new Set<string>();
  /** The return that was read from this page's address and that no iframe has received yet. */
  let undelivered: StripeReturn | null = null;
  // A return without a community could belong to any page, so other tabs' are ignored.
  const otherTabs = connectOtherTabs((stripeReturn) => {
    if (stripeReturn.communityId !== null) deliver(stripeReturn);
  });

  function post(frame: HTMLIFrameElement, message: ParentMessage): void {
    frame.contentWindow?.postMessage(message, pluginOrigin);
  }

  /** Sends a return to the iframe it belongs to, if that listens. Returns whether it was sent. */
  function deliver(stripeReturn: StripeReturn): boolean {
    const frame = duesFrames().find((candidate) =>
      listening.has(candidate) && isRecipient(candidate, stripeReturn)
    );
    if (frame) post(frame, stripeReturn.message);
    return frame !== undefined;
  }

  function handleReturn(address = location.href): void {
    const stripeReturn = readStripeReturn(address);
    if (!stripeReturn) return;
    if (address === location.href) history.replaceState(history.state, "", withoutStripeReturn(address));
    otherTabs.send(stripeReturn);
    undelivered = deliver(stripeReturn) ? null : stripeReturn;
  }

  async function answerReady(frame: HTMLIFrameElement): Promise<void> {
    listening.add(frame);
    if (undelivered && deliver(undelivered)) undelivered = null;
    if (beingAnswered.has(frame)) return; // the answer that is being fetched serves this one too
    beingAnswered.add(frame);
    try {
      const wait = (nextToken.get(frame) ?? 0) - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      nextToken.set(frame, performance.now() + TOKEN_PAUSE_MS);
      post(frame, { type: "pluginContext", identityToken: await fetchIdentityToken(frame) });
    } catch (error) {
      console.error("Dues: no identity token for the plugin; it will ask again.", error);
    } finally {
      beingAnswered.delete(frame);
    }
  }

  function reject(origin: string, why: string): void {
    const text = `Dues: ignored a message from ${origin}: ${why}`;
    if (toldOnce.has(text) || toldOnce.size >= MAX_TOLD) return;
    toldOnce.add(text);
    console.warn(text);
  }

  function onMessage(event: MessageEvent): void {
    const frame = duesFrames().find((candidate) => isWindowOf(event.source, candidate));
    const message = parsePluginMessage(event.data);
    if (event.origin !== pluginOrigin) {
      // Other messages on the page are not this script's business.
      if (frame || message) reject(event.origin, `the plugin's origin is ${pluginOrigin}`);
      return;
    }
    if (!frame) return reject(event.origin, "it does not come from an iframe with data-dues");
    if (!message) return reject(event.origin, "it is not one of the plugin's messages");
    switch (message.type) {
      case "pluginReady":
        void answerReady(frame);
        break;
      case "openUrl":
        open(message.url, isUsed(frame) ? extraOrigins : []);
        break;
      case "pluginResize":
        frame.style.height = `${Math.ceil(message.height)}px`;
    }
  }

  /** A page that was just loaded gets its token at once. Load events do not bubble. */
  function onLoad({ target }: Event): void {
    if (target instanceof HTMLIFrameElement) nextToken.delete(target);
  }

  globalThis.addEventListener("message", onMessage);
  document.addEventListener("load", onLoad, true);
  handleReturn();
  return {
    handleReturn,
    disconnect: () => {
      document.removeEventListener("load", onLoad, true);
      globalThis.removeEventListener("message", onMessage);
      otherTabs.close();
    },
  };
};

/** Between two identity tokens for one iframe. */
const TOKEN_PAUSE_MS = 2_000;
/** A page that receives rejected messages of ever other origins must not fill its console. */
const MAX_TOLD = 20;

/**
 * Whether a person has just clicked in the iframe: it has the focus, and a click in it activates this page, too, for some
 * seconds (https://html.spec.whatwg.org/multipage/interaction.html#user-activation-processing-model).
 */
function isUsed(frame: HTMLIFrameElement): boolean {
  return document.activeElement === frame && (navigator.userActivation?.isActive ?? true);
}

function duesFrames(): HTMLIFrameElement[] {
  return [...document.querySelectorAll<HTMLIFrameElement>("iframe[data-dues]")];
}

/** A null source must not match the null window of an iframe outside the document. */
function isWindowOf(source: MessageEventSource | null, frame: HTMLIFrameElement): boolean {
  return source !== null && source === frame.contentWindow;
}

/**
 * Whether the return belongs to this iframe: community and plugin id are the same. An iframe without a community id
 * belongs to the community in the page's address. If the page has a single iframe, the plugin id may be missing on the
 * iframe or in the return.
 */
function isRecipient(frame: HTMLIFrameElement, { communityId, pluginId }: StripeReturn): boolean {
  if ((frame.dataset.duesCommunityId ?? communityIdOf(location.pathname)) !== communityId) return false;
  const frameId = frame.dataset.duesPluginId ?? null;
  if (frameId === pluginId) return true;
  const isAmbiguous = frameId !== null && pluginId !== null;
  return !isAmbiguous && duesFrames().length === 1;
}

async function postToTokenUrl(frame: HTMLIFrameElement): Promise<string> {
  const url = frame.dataset.duesTokenUrl;
  if (!url) throw new TypeError("The Dues iframe has no data-dues-token-url");
  const response = await fetch(url, { method: "POST", credentials: "same-origin", cache: "no-store" });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const { identityToken } = await response.json();
  if (typeof identityToken !== "string") throw new TypeError(`${url} gave no identityToken`);
  return identityToken;
}

function open(url: string, extraOrigins: string[]): void {
  const destination = allowedDestination(url, extraOrigins);
  if (destination) location.assign(destination);
  else console.warn("Dues: refused to open an address that is not Stripe's, or without a click:", url);
}
