import assert from "node:assert/strict";
import { BILLING_INFO_CALL, FakeApi } from "../rigs/fake_api.ts";
import { usePluginSite } from "../rigs/plugin_rig.ts";

const site = usePluginSite();

/** Serves a page that frames the plugin and records messages, on another port of the parent's host. */
function serveFramingPage(pluginUrl: string) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () =>
    new Response(
      `<script>received = []; addEventListener("message", ({ data }) => received.push(data));</script>
      <iframe src="${pluginUrl}/" data-dues></iframe>`,
      { headers: { "content-type": "text/html" } },
    ));
  return {
    url: `http://localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("the iframe is as tall as its content at every width", async () => {
  for (const width of [320, 1200]) {
    await using open = await site.open(new FakeApi(), { viewport: { width, height: 700 } });
    await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
    await open.page.waitForFunction("document.querySelector('iframe').style.height !== ''");
    const root = open.plugin.locator("html");
    const [scrolls, sideways] = await root.evaluate(async (html) => {
      await new Promise(requestAnimationFrame);
      return [html.scrollHeight > html.clientHeight + 1, html.scrollWidth > html.clientWidth];
    });
    assert.deepEqual([width, scrolls, sideways], [width, false, false]);
  }
});

Deno.test("the plugin accepts messages only from the parent window and of a known shape", async () => {
  const api = new FakeApi();
  await using open = await site.open(api);
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  const callback = { type: "stripeCallback", status: "success" };
  const iframe = open.page.locator("iframe[data-dues]");

  // From a frame of the parent's own origin, which is not the parent's window.
  const sibling = await open.page.evaluateHandle(() =>
    document.body.appendChild(document.createElement("iframe"))
  );
  const siblingFrame = await sibling.contentFrame();
  assert.ok(siblingFrame);
  await siblingFrame.evaluate((message) => globalThis.parent.frames[0].postMessage(message, "*"), callback);

  // From the plugin's own window, which has another origin.
  await open.plugin.locator("html").evaluate((_, message) => globalThis.postMessage(message, "*"), callback);

  // From the parent's window, of a wrong shape.
  for (const message of [{ ...callback, status: "paid" }, { type: "other" }, "stripeCallback", null]) {
    await iframe.evaluate(
      (target, message) => (target as HTMLIFrameElement).contentWindow?.postMessage(message, "*"),
      message,
    );
  }

  // The first message that counts is the last one: a single notice, and no other call before it.
  await iframe.evaluate(
    (target) =>
      (target as HTMLIFrameElement).contentWindow?.postMessage(
        { type: "stripeCallback", status: "cancel" },
        "*",
      ),
  );
  await open.plugin.getByRole("status").getByText("Checkout cancelled.").waitFor();
  assert.equal(await open.plugin.getByRole("status").getByRole("button").count(), 1);
  assert.deepEqual(api.calls, [BILLING_INFO_CALL]);
});

Deno.test("a page on another port of the parent's host cannot frame the plugin", async () => {
  await using framing = serveFramingPage(site.pluginUrl);
  const page = await site.browser.newPage();
  const refusal = page.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
  await page.goto(framing.url);
  await refusal;
  assert.deepEqual(await page.evaluate("received"), []);
  await page.close();
});

Deno.test("outside an iframe the plugin shows where to open it", async () => {
  const page = await site.browser.newPage();
  await page.goto(site.pluginUrl);
  await page.getByRole("heading", { name: "Open this page in your community" }).waitFor();
  assert.equal(await page.getByRole("button").count(), 0);
  await page.close();
});
