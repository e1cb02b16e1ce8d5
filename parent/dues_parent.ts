/**
 * The parent app's side of Dues. In this order, for every iframe marked `data-dues`:
 *
 * 1. On load, a return from Stripe is read from the page's address and the address is cleaned at once, so that a
 *    reload or a shared link does not bring the same news again.
 * 2. The plugin posts `pluginReady` until it is answered; only then is it known to listen. The news from step 1 goes
 *    to the one iframe the person left from, once.
 * 3. Every `pluginReady` is answered with `pluginContext` and a new identity token. The plugin asks again when its
 *    session ends.
 * 4. `openUrl` opens Stripe in this window, where the browser would not let the iframe do it; `pluginResize` sets the
 *    iframe's height.
 *
 * A message counts only when it comes from the plugin's origin AND from the window of a marked iframe AND has the
 * right shape. Answers name the plugin's origin as target, so they reach nobody else if the iframe has moved on.
 */

import { allowedDestination, requireOrigin } from "./destination.ts";
import { parsePluginMessage } from "./messages.ts";
import { readStripeReturn, type StripeReturn } from "./return_address.ts";
import type { ConnectDues, DuesConnection, DuesOptions, ParentMessage } from "./types.ts";

export type * from "./types.ts";

/** See {@link ConnectDues}. */
export const connectDues: ConnectDues = (options: DuesOptions): DuesConnection => {
  const pluginOrigin = requireOrigin(options.pluginOrigin);
  const extraOrigins = (options.extraOpenOrigins ?? []).map(requireOrigin);
  const fetchIdentityToken = options.fetchIdentityToken ?? postToTokenUrl;
  const beingAnswered = new WeakSet<HTMLIFrameElement>();
  let stripeReturn = takeStripeReturn();

  function post(frame: HTMLIFrameElement, message: ParentMessage): void {
    frame.contentWindow?.postMessage(message, pluginOrigin);
  }

  function deliverStripeReturn(frame: HTMLIFrameElement): void {
    if (!stripeReturn || !isAddressee(frame, stripeReturn)) return;
    post(frame, stripeReturn.message);
    stripeReturn = null;
  }

  async function answerReady(frame: HTMLIFrameElement): Promise<void> {
    deliverStripeReturn(frame);
    if (beingAnswered.has(frame)) return; // the answer on its way serves this repetition too
    beingAnswered.add(frame);
    try {
      post(frame, { type: "pluginContext", identityToken: await fetchIdentityToken(frame) });
    } catch (error) {
      console.error("Dues: no identity token for the plugin; it will ask again.", error);
    } finally {
      beingAnswered.delete(frame);
    }
  }

  function onMessage(event: MessageEvent): void {
    if (event.origin !== pluginOrigin) return;
    const frame = duesFrames().find((candidate) => isWindowOf(event.source, candidate));
    const message = parsePluginMessage(event.data);
    if (!frame || !message) return;
    switch (message.type) {
      case "pluginReady":
        void answerReady(frame);
        break;
      case "openUrl":
        open(message.url, extraOrigins);
        break;
      case "pluginResize":
        frame.style.height = `${Math.ceil(message.height)}px`;
    }
  }

  globalThis.addEventListener("message", onMessage);
  return { disconnect: () => globalThis.removeEventListener("message", onMessage) };
};

function duesFrames(): HTMLIFrameElement[] {
  return [...document.querySelectorAll<HTMLIFrameElement>("iframe[data-dues]")];
}

/** A null source must not match the null window of an iframe that is not in the document. */
function isWindowOf(source: MessageEventSource | null, frame: HTMLIFrameElement): boolean {
  return source !== null && source === frame.contentWindow;
}

function takeStripeReturn(): StripeReturn | null {
  const stripeReturn = readStripeReturn(location.href);
  if (stripeReturn) history.replaceState(history.state, "", stripeReturn.cleanAddress);
  return stripeReturn;
}

/**
 * The iframe whose plugin id is the one in the address. A page with a single iframe may leave its id out, or show it
 * at an address that names none.
 */
function isAddressee(frame: HTMLIFrameElement, { pluginId }: StripeReturn): boolean {
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
  else console.warn("Dues: refused to open an address that is not Stripe's:", url);
}
