/**
 * A hostile site. Once a test has given its page a reference to a window, the page posts every kind of message to it,
 * tries to navigate it away, and records the messages it receives.
 */

import type { Frame, Page } from "playwright-core";

/** Messages that the plugin or the parent would accept from the right sender. */
const FORGED_MESSAGES = [
  { type: "pluginContext", identityToken: "forged" },
  { type: "stripeCallback", status: "success", sessionId: "cs_test_forged" },
  { type: "stripeCallback", status: "portal_return" },
  { type: "pluginReady", pluginType: "dues" },
  { type: "openUrl", url: "https://checkout.stripe.com/c/pay/forged" },
  { type: "openUrl", url: "https://evil.test/" },
  { type: "pluginResize", height: 7 },
  { type: "requestId-1-x", payload: { response: '{"data":{"pluginId":"forged"}}', signature: "AAAA" } },
];

export interface HostileSite extends AsyncDisposable {
  url: string;
}

/** Serves the site on its own origin. `/` frames `pluginUrl`; other pages can frame `/sibling`. */
export function serveHostileSite(pluginUrl: string): HostileSite {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const frame = pathname === "/" ? `<iframe src="${pluginUrl}/" data-dues></iframe>` : "";
    return new Response(`<!DOCTYPE html><link rel="icon" href="data:,">${SCRIPT}${frame}`, {
      headers: { "content-type": "text/html" },
    });
  });
  return {
    url: `http://hostile.localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const SCRIPT = `<script>
  received = [];
  addEventListener("message", ({ data }) => received.push(data));
  channel = new BroadcastChannel("dues");
  channel.onmessage = ({ data }) => received.push(data);

  forgeMessagesTo = (target) => {
    for (const message of ${JSON.stringify(FORGED_MESSAGES)}) target.postMessage(message, "*");
    const stripeReturn = { message: { type: "stripeCallback", status: "success" }, communityId: "garden", pluginId: null };
    channel.postMessage(stripeReturn);
  };

  /** Returns whether the browser allowed it. */
  navigateAway = (target) => {
    try {
      target.location = location.origin + "/sibling";
      return true;
    } catch {
      return false;
    }
  };
</script>`;

/** The messages that the hostile page has received so far. */
export function receivedBy(page: Page | Frame): Promise<unknown[]> {
  return page.evaluate("received");
}
