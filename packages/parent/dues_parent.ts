/**
 * The parent app's side of Dues. In this order, for every iframe marked `data-dues`:
 *
 * 1. On load, a return from Stripe is read from the page's address and the address is cleaned at once, so that a
 *    reload or a shared link does not bring the same news again.
 * 2. The plugin posts `pluginReady` until it is answered; only then is it known to listen. The news from step 1 goes
 *    to the one iframe the person left from, once: now if it listens, else as soon as it does. The other tabs of this
 *    app are told as well, since the person may have left from one of those; there it goes to an iframe that listens,
 *    or nowhere.
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
import { communityIdOf, readStripeReturn, type StripeReturn, withoutStripeReturn } from "./return_address.ts";
import { openTabs } from "./other_tabs.ts";
import type { ConnectDues, DuesConnection, DuesOptions, ParentMessage } from "./types.ts";

export type * from "./types.ts";

/** See {@link ConnectDues}. */
export const connectDues: ConnectDues = (options: DuesOptions): DuesConnection => {
  const pluginOrigin = requireOrigin(options.pluginOrigin);
  const extraOrigins = (options.extraOpenOrigins ?? []).map(requireOrigin);
  const fetchIdentityToken = options.fetchIdentityToken ?? postToTokenUrl;
  const beingAnswered = new WeakSet<HTMLIFrameElement>();
  const listening = new WeakSet<HTMLIFrameElement>();
  /** News of this tab that nobody has heard yet. */
  let waiting: StripeReturn | null = null;
  // News of no community could be of any.
  const tabs = openTabs((news) => void (news.communityId !== null && deliver(news)));

  function post(frame: HTMLIFrameElement, message: ParentMessage): void {
    frame.contentWindow?.postMessage(message, pluginOrigin);
  }

  /** Hands the news to the iframe it is meant for, if that listens. Tells whether it did. */
  function deliver(stripeReturn: StripeReturn): boolean {
    const frame = duesFrames().find((candidate) =>
      listening.has(candidate) && isAddressee(candidate, stripeReturn)
    );
    if (frame) post(frame, stripeReturn.message);
    return frame !== undefined;
  }

  function handleReturn(address = location.href): void {
    const stripeReturn = readStripeReturn(address);
    if (!stripeReturn) return;
    if (address === location.href) history.replaceState(history.state, "", withoutStripeReturn(address));
    tabs.tell(stripeReturn);
    waiting = deliver(stripeReturn) ? null : stripeReturn;
  }

  async function answerReady(frame: HTMLIFrameElement): Promise<void> {
    listening.add(frame);
    if (waiting && deliver(waiting)) waiting = null;
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
  handleReturn();
  return {
    handleReturn,
    disconnect: () => {
      globalThis.removeEventListener("message", onMessage);
      tabs.close();
    },
  };
};

function duesFrames(): HTMLIFrameElement[] {
  return [...document.querySelectorAll<HTMLIFrameElement>("iframe[data-dues]")];
}

/** A null source must not match the null window of an iframe that is not in the document. */
function isWindowOf(source: MessageEventSource | null, frame: HTMLIFrameElement): boolean {
  return source !== null && source === frame.contentWindow;
}

/**
 * The iframe of the community and with the plugin id that are in the address. A page with a single iframe may leave the
 * plugin id out, or show it at an address that names none. An iframe that does not say its community is of the one that
 * the page's address names.
 */
function isAddressee(frame: HTMLIFrameElement, { communityId, pluginId }: StripeReturn): boolean {
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
  else console.warn("Dues: refused to open an address that is not Stripe's:", url);
}
