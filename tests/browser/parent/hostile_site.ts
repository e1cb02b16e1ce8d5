/**
 * A site that means harm. Its pages get hold of a window each in their own way, and then try everything on it: they
 * post whatever might count, send it elsewhere, and write down what they hear.
 */

import type { Frame, Page } from "playwright-core";

/** What a hostile page might want the plugin to believe, or the parent to do. */
const LIES = [
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

/** Serves the site on an origin of its own. `/` frames `pluginUrl`; `/sibling` is for other pages to frame. */
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
  heard = [];
  addEventListener("message", ({ data }) => heard.push(data));
  channel = new BroadcastChannel("dues");
  channel.onmessage = ({ data }) => heard.push(data);

  lieTo = (target) => {
    for (const lie of ${JSON.stringify(LIES)}) target.postMessage(lie, "*");
    const news = { message: { type: "stripeCallback", status: "success" }, communityId: "garden", pluginId: null };
    channel.postMessage(news);
  };

  /** Tells whether the browser let it. */
  sendAway = (target) => {
    try {
      target.location = location.origin + "/sibling";
      return true;
    } catch {
      return false;
    }
  };
</script>`;

/** Everything the hostile page has heard so far. */
export function heardBy(page: Page | Frame): Promise<unknown[]> {
  return page.evaluate("heard");
}
