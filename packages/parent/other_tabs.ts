import { parseStripeReturn, type StripeReturn } from "./return_address.ts";

/** The other tabs in which this app is open. */
export interface Tabs {
  tell(stripeReturn: StripeReturn): void;
  close(): void;
}

/**
 * Opens the line to the other tabs. Somebody who went to Stripe in a new tab comes back in that one, while the plugin
 * waits in the first; only this app's own origin can reach across, and Stripe may cut every other link between the two
 * (https://developer.mozilla.org/docs/Web/API/BroadcastChannel).
 */
export function openTabs(onReturn: (stripeReturn: StripeReturn) => void): Tabs {
  const channel = new BroadcastChannel("dues");
  channel.onmessage = ({ data }) => {
    const stripeReturn = parseStripeReturn(data);
    if (stripeReturn) onReturn(stripeReturn);
  };
  return {
    tell: (stripeReturn) => channel.postMessage(stripeReturn),
    close: () => channel.close(),
  };
}
