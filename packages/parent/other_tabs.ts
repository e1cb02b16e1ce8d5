import { parseStripeReturn, type StripeReturn } from "./return_address.ts";

/** A channel to the other tabs of this app. */
export interface OtherTabs {
  send(stripeReturn: StripeReturn): void;
  close(): void;
}

/**
 * Opens a channel to the other tabs of this app (https://developer.mozilla.org/docs/Web/API/BroadcastChannel).
 *
 * A person who went to Stripe in a new tab returns in that tab, while the plugin waits in the first one. A page of the
 * same origin can reach the first tab; the link between a window and its opener may be cut by Stripe's pages.
 */
export function connectOtherTabs(onReturn: (stripeReturn: StripeReturn) => void): OtherTabs {
  const channel = new BroadcastChannel("dues");
  channel.onmessage = ({ data }) => {
    const stripeReturn = parseStripeReturn(data);
    if (stripeReturn) onReturn(stripeReturn);
  };
  return {
    send: (stripeReturn) => channel.postMessage(stripeReturn),
    close: () => channel.close(),
  };
}
