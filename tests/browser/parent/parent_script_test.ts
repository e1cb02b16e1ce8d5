import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { frameOf, messagesOf, receivedBy, say, TwoSites, typesUntilToken } from "./two_sites.ts";

const READY = { type: "pluginReady", pluginType: "dues" };
const DUES = { name: "dues", site: "plugin", attributes: "data-dues" } as const;

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await launchBrowser();
});
Deno.test.afterAll(() => browser.close());

Deno.test("the parent script answers every pluginReady with a new identity token", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/", [DUES]);
  const plugin = frameOf(page, "dues");
  await say(plugin, READY);
  await messagesOf(plugin, 1);
  await say(plugin, READY);
  assert.deepEqual(await messagesOf(plugin, 2), [
    { type: "pluginContext", identityToken: "token-1" },
    { type: "pluginContext", identityToken: "token-2" },
  ]);
  assert.deepEqual((await receivedBy(plugin)).map(({ origin }) => origin), [sites.parent, sites.parent]);
  await page.close();
});

Deno.test("pluginReady repeated while its token is fetched gets a single answer", async () => {
  await using sites = new TwoSites();
  const gate = Promise.withResolvers<void>();
  sites.tokenGate = gate.promise;
  const page = await sites.open(browser, "/c/garden/", [DUES]);
  const plugin = frameOf(page, "dues");
  await say(plugin, READY);
  await say(plugin, READY);
  gate.resolve();
  await messagesOf(plugin, 1);
  await say(plugin, READY);
  assert.deepEqual((await messagesOf(plugin, 2)).length, 2);
  assert.equal(sites.tokens, 2);
  await page.close();
});

Deno.test("a token endpoint that fails leaves pluginReady unanswered until the plugin repeats it", async () => {
  await using sites = new TwoSites();
  sites.tokenStatus = 401;
  const page = await sites.open(browser, "/c/garden/", [DUES]);
  const plugin = frameOf(page, "dues");
  const logged = page.waitForEvent(
    "console",
    (message) => message.text().startsWith("Dues: no identity token"),
  );
  await say(plugin, READY);
  await logged;
  sites.tokenStatus = 200;
  await say(plugin, READY);
  assert.deepEqual(await messagesOf(plugin, 1), [{ type: "pluginContext", identityToken: "token-2" }]);
  await page.close();
});

Deno.test("iframes of another origin and unmarked iframes of the plugin's origin get no answer", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/?stripe_status=success&session_id=cs_test_1", [
    { name: "impostor", site: "hostile", attributes: "data-dues" },
    { name: "sibling", site: "hostile" },
    { name: "unmarked", site: "plugin" },
    DUES,
  ]);
  for (const name of ["impostor", "sibling", "unmarked"]) {
    await say(frameOf(page, name), READY);
    await say(frameOf(page, name), { type: "openUrl", url: "https://checkout.stripe.com/c/pay/1" });
    await say(frameOf(page, name), { type: "pluginResize", height: 1234 });
  }
  const plugin = frameOf(page, "dues");
  await say(plugin, READY);
  await messagesOf(plugin, 1);
  assert.equal(sites.tokens, 1);
  for (const name of ["impostor", "sibling", "unmarked"]) {
    assert.deepEqual(await receivedBy(frameOf(page, name)), []);
  }
  assert.equal(await page.locator("iframe[style]").count(), 0);
  assert.equal(page.url(), `${sites.parent}/c/garden/`);
  await page.close();
});

Deno.test("an iframe inside the plugin's iframe gets no answer", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/", [DUES]);
  const inner = await frameOf(page, "dues").evaluateHandle(async (src) => {
    const frame = document.createElement("iframe");
    frame.src = src;
    document.body.append(frame);
    await new Promise((loaded) => frame.onload = loaded);
    return frame;
  }, `${sites.plugin}/`);
  const innerFrame = await inner.asElement()?.contentFrame();
  assert.ok(innerFrame);
  await innerFrame.evaluate((message) => globalThis.top?.postMessage(message, "*"), READY);
  await page.waitForFunction("seen.length === 1");
  assert.equal(sites.tokens, 0);
  await page.close();
});

Deno.test("the parent script ignores messages of an unknown shape", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/", [DUES]);
  const plugin = frameOf(page, "dues");
  for (
    const message of [
      null,
      "pluginReady",
      [READY],
      { type: "pluginReady", pluginType: "other" },
      { type: "openUrl", url: ["https://checkout.stripe.com/"] },
      { type: "pluginResize", height: "1234" },
      { type: "pluginResize", height: -5 },
    ]
  ) await say(plugin, message);
  assert.deepEqual(await receivedBy(plugin), []);
  assert.equal(sites.tokens, 0);
  assert.equal(await page.locator("iframe[style]").count(), 0);
  await page.close();
});

Deno.test("a return from Stripe is sent once, and its parameters are removed from the address", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(
    browser,
    "/c/garden/?tab=a%20b&stripe_status=success&session_id=cs_test_1&x=1#plan",
    [DUES],
  );
  assert.equal(page.url(), `${sites.parent}/c/garden/?tab=a%20b&x=1#plan`);
  await say(frameOf(page, "dues"), READY);
  await messagesOf(frameOf(page, "dues"), 2);
  await say(frameOf(page, "dues"), READY);
  assert.deepEqual(await messagesOf(frameOf(page, "dues"), 3), [
    { type: "stripeCallback", status: "success", sessionId: "cs_test_1" },
    { type: "pluginContext", identityToken: "token-1" },
    { type: "pluginContext", identityToken: "token-2" },
  ]);
  await page.reload();
  await say(frameOf(page, "dues"), READY);
  assert.deepEqual(await messagesOf(frameOf(page, "dues"), 1), [{
    type: "pluginContext",
    identityToken: "token-3",
  }]);
  await page.close();
});

Deno.test("a return from Stripe goes to the plugin whose id is in the address", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/plugin/p%2F2/?stripe_status=cancel", [
    { name: "one", site: "plugin", attributes: `data-dues data-dues-plugin-id="p/1"` },
    { name: "two", site: "plugin", attributes: `data-dues data-dues-plugin-id="p/2"` },
    { name: "bare", site: "plugin", attributes: `data-dues` },
  ]);
  for (const name of ["one", "bare", "two"]) await say(frameOf(page, name), READY);
  assert.deepEqual(await typesUntilToken(frameOf(page, "one")), ["pluginContext"]);
  assert.deepEqual(await typesUntilToken(frameOf(page, "bare")), ["pluginContext"]);
  assert.deepEqual(await typesUntilToken(frameOf(page, "two")), ["stripeCallback", "pluginContext"]);
  await page.close();
});

Deno.test("a return from Stripe without plugin id goes to the iframe without plugin id", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/?stripe_status=portal_return", [
    { name: "one", site: "plugin", attributes: `data-dues data-dues-plugin-id="p1"` },
    { name: "bare", site: "plugin", attributes: `data-dues` },
  ]);
  for (const name of ["one", "bare"]) await say(frameOf(page, name), READY);
  assert.deepEqual(await typesUntilToken(frameOf(page, "one")), ["pluginContext"]);
  assert.deepEqual(await typesUntilToken(frameOf(page, "bare")), ["stripeCallback", "pluginContext"]);
  await page.close();
});

for (
  const [path, expected] of [
    ["/c/garden/", ["stripeCallback", "pluginContext"]],
    ["/c/garden/plugin/p2/", ["pluginContext"]],
  ] as const
) {
  Deno.test(`a single iframe with plugin id p1 receives ${expected.join(" and ")} at ${path}`, async () => {
    await using sites = new TwoSites();
    const page = await sites.open(browser, `${path}?stripe_status=cancel`, [
      { name: "one", site: "plugin", attributes: `data-dues data-dues-plugin-id="p1"` },
    ]);
    await say(frameOf(page, "one"), READY);
    assert.deepEqual(await typesUntilToken(frameOf(page, "one")), expected);
    await page.close();
  });
}

Deno.test("a return from Stripe goes to the iframe of the community in the address", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/plugin/p1/?stripe_status=cancel", [
    {
      name: "chess",
      site: "plugin",
      attributes: `data-dues data-dues-plugin-id="p1" data-dues-community-id="chess"`,
    },
    { name: "garden", site: "plugin", attributes: `data-dues data-dues-plugin-id="p1"` },
  ]);
  for (const name of ["chess", "garden"]) await say(frameOf(page, name), READY);
  assert.deepEqual(await typesUntilToken(frameOf(page, "chess")), ["pluginContext"]);
  assert.deepEqual(await typesUntilToken(frameOf(page, "garden")), ["stripeCallback", "pluginContext"]);
  await page.close();
});

Deno.test("a return in a new tab is sent once to the waiting tab, and to no other community's", async () => {
  await using sites = new TwoSites();
  const context = await browser.newContext();
  const waiting = await sites.open(context, "/c/garden/", [DUES]);
  const elsewhere = await sites.open(context, "/c/chess/", [DUES]);
  for (const page of [waiting, elsewhere]) {
    await say(frameOf(page, "dues"), READY);
    await messagesOf(frameOf(page, "dues"), 1);
  }
  const stripeReturn = { type: "stripeCallback", status: "success", sessionId: "cs_test_1" };
  const back = await sites.open(context, "/c/garden/?stripe_status=success&session_id=cs_test_1", []);
  assert.equal(back.url(), `${sites.parent}/c/garden/`);
  assert.deepEqual((await messagesOf(frameOf(waiting, "dues"), 2))[1], stripeReturn);

  await back.reload();
  const again = await sites.open(context, "/c/garden/?stripe_status=cancel", [DUES]);
  assert.deepEqual((await messagesOf(frameOf(waiting, "dues"), 3))[2], {
    type: "stripeCallback",
    status: "cancel",
  });
  await say(frameOf(again, "dues"), READY);
  assert.deepEqual(await typesUntilToken(frameOf(again, "dues")), ["stripeCallback", "pluginContext"]);
  assert.equal((await receivedBy(frameOf(elsewhere, "dues"))).length, 1);
  await context.close();
});

Deno.test("a return from another tab is dropped if it is malformed, has no community, or no plugin listens yet", async () => {
  await using sites = new TwoSites();
  const context = await browser.newContext();
  const page = await sites.open(context, "/billing", [
    DUES,
    { ...DUES, name: "garden", attributes: `data-dues data-dues-community-id="garden"` },
  ]);
  const other = await sites.open(context, "/c/chess/", []);
  const tell = (data: unknown) =>
    other.evaluate((data) => {
      const channel = new BroadcastChannel("dues");
      channel.postMessage(data);
      channel.close();
    }, data);
  const stripeReturn = {
    message: { type: "stripeCallback", status: "success" },
    communityId: "garden",
    pluginId: null,
  };
  await page.evaluate(
    "arrived = new Promise((resolve) => new BroadcastChannel('dues').onmessage = resolve); 0",
  );
  await tell(stripeReturn);
  await page.evaluate("arrived.then(() => {})"); // while no plugin listens yet
  const frames = ["dues", "garden"].map((name) => frameOf(page, name));
  for (const frame of frames) {
    await say(frame, READY);
    await messagesOf(frame, 1);
  }
  for (
    const dropped of [
      null,
      stripeReturn.message,
      { ...stripeReturn, message: { ...stripeReturn.message, status: "paid" } },
      { ...stripeReturn, communityId: null },
      { ...stripeReturn, communityId: "chess" },
    ]
  ) await tell(dropped);
  const last = { type: "stripeCallback", status: "cancel" };
  await tell({ ...stripeReturn, message: last });
  assert.deepEqual((await messagesOf(frameOf(page, "garden"), 2)).slice(1), [last]);
  assert.equal((await receivedBy(frameOf(page, "dues"))).length, 1);
  await context.close();
});

Deno.test("handleReturn() sends a return of a single-page app to a plugin that already listens", async () => {
  await using sites = new TwoSites();
  const script = `<script type="module">
    import { connectDues } from "/dues-parent.mjs";
    globalThis.connection = connectDues({ pluginOrigin: "${sites.plugin}" });
  </script>`;
  const page = await sites.open(browser, "/c/garden/", [DUES], script);
  const plugin = frameOf(page, "dues");
  await say(plugin, READY);
  await messagesOf(plugin, 1);
  await page.evaluate(() =>
    history.pushState({ kept: 1 }, "", "/c/garden/?tab=plan&stripe_status=portal_return")
  );
  await page.evaluate("connection.handleReturn()");
  assert.deepEqual((await messagesOf(plugin, 2))[1], { type: "stripeCallback", status: "portal_return" });
  assert.equal(page.url(), `${sites.parent}/c/garden/?tab=plan`);
  assert.deepEqual(await page.evaluate("history.state"), { kept: 1 });
  await page.evaluate("connection.handleReturn()");
  assert.equal((await receivedBy(plugin)).length, 2);
  await page.close();
});

Deno.test("an iframe that navigated to another site while its token was fetched does not receive the token", async () => {
  await using sites = new TwoSites();
  const gate = Promise.withResolvers<void>();
  sites.tokenGate = gate.promise;
  const page = await sites.open(browser, "/c/garden/", [DUES]);
  await say(frameOf(page, "dues"), READY);
  await frameOf(page, "dues").goto(sites.hostile);
  const refusal = page.waitForEvent("console", (message) => message.text().includes("postMessage"));
  gate.resolve();
  await refusal;
  assert.deepEqual(await receivedBy(frameOf(page, "dues")), []);
  await page.close();
});

Deno.test("openUrl opens addresses of Stripe, and of configured origins after a click in the iframe", async () => {
  await using sites = new TwoSites();
  for (
    const url of [
      "https://checkout.stripe.com/c/pay/1",
      "https://billing.stripe.com/p/1",
      `${sites.hostile}/pay`,
    ]
  ) {
    const page = await sites.open(browser, "/c/garden/", [DUES]);
    await page.route("https://*.stripe.com/**", (route) => route.fulfill({ body: "Stripe" }));
    if (url.startsWith(sites.hostile)) {
      const refusal = page.waitForEvent("console", (message) => message.text().startsWith("Dues: refused"));
      await say(frameOf(page, "dues"), { type: "openUrl", url });
      await refusal;
      await page.click("iframe[name=dues]");
    }
    await say(frameOf(page, "dues"), { type: "openUrl", url }).catch(() => {}); // the page navigates away
    await page.waitForURL(url);
    await page.close();
  }
});

Deno.test("an iframe that floods the parent with pluginReady gets a token every two seconds, and one at once when it is loaded", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/", [DUES]);
  const flood = async () => {
    const plugin = frameOf(page, "dues");
    for (let i = 0; i < 50; i++) await say(plugin, READY);
  };
  const begun = performance.now();
  await flood();
  await messagesOf(frameOf(page, "dues"), 1);
  await flood();
  await messagesOf(frameOf(page, "dues"), 2);
  const allowed = 1 + (performance.now() - begun) / 2_000;
  assert.ok(sites.tokens <= allowed, `${sites.tokens} tokens instead of ${allowed}`);
  await page.evaluate(async () => {
    const frame = document.querySelector<HTMLIFrameElement>("iframe[name=dues]")!;
    await new Promise((resolve) => {
      frame.addEventListener("load", resolve, { once: true });
      frame.src += "";
    });
  });
  const began = performance.now();
  await say(frameOf(page, "dues"), READY);
  await messagesOf(frameOf(page, "dues"), 1);
  assert.ok(performance.now() - began < 1_500);
  await page.close();
});

Deno.test("a rejected message is told once in the console, with its origin", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/", [
    { name: "sibling", site: "hostile" },
    { name: "unmarked", site: "plugin" },
    DUES,
  ]);
  const told: string[] = [];
  page.on("console", (message) => told.push(message.text()));
  for (let i = 0; i < 3; i++) {
    await say(frameOf(page, "sibling"), READY);
    await say(frameOf(page, "sibling"), { type: "something else" });
    await say(frameOf(page, "unmarked"), READY);
    await say(frameOf(page, "dues"), { type: "unknown" });
  }
  await say(frameOf(page, "dues"), READY);
  await messagesOf(frameOf(page, "dues"), 1);
  const rejections = told.filter((text) => text.startsWith("Dues: ignored a message from"));
  assert.equal(rejections.length, 3, rejections.join("\n"));
  assert.ok(rejections[0].includes(sites.hostile));
  await page.close();
});

Deno.test("openUrl refuses every other address", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/", [DUES]);
  for (
    const url of [
      "https://evil.test/",
      "https://checkout.stripe.com.evil.test/",
      "https://checkout.stripe.com@evil.test/",
      "http://checkout.stripe.com/",
      "javascript:document.title='owned'",
      "/c/chess/",
    ]
  ) {
    const refusal = page.waitForEvent("console", (message) => message.text().startsWith("Dues: refused"));
    await say(frameOf(page, "dues"), { type: "openUrl", url });
    await refusal;
  }
  assert.equal(page.url(), `${sites.parent}/c/garden/`);
  assert.equal(await page.title(), "");
  await page.close();
});

Deno.test("pluginResize sets the height of the iframe that sent it", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/c/garden/", [DUES, { ...DUES, name: "other" }]);
  await say(frameOf(page, "dues"), { type: "pluginResize", height: 431.2 });
  assert.equal(await page.locator("iframe[name=dues]").evaluate((frame) => frame.style.height), "432px");
  assert.equal(await page.locator("iframe[name=other]").evaluate((frame) => frame.style.height), "");
  await page.close();
});

Deno.test("connectDues() as a module uses fetchIdentityToken, and disconnect() stops it", async () => {
  await using sites = new TwoSites();
  const script = `<script type="module">
    import { connectDues } from "/dues-parent.mjs";
    globalThis.connection = connectDues({
      pluginOrigin: "${sites.plugin}",
      fetchIdentityToken: (frame) => Promise.resolve("own token for " + frame.name),
    });
  </script>`;
  const page = await sites.open(browser, "/c/garden/", [DUES], script);
  const plugin = frameOf(page, "dues");
  await say(plugin, READY);
  assert.deepEqual(await messagesOf(plugin, 1), [{
    type: "pluginContext",
    identityToken: "own token for dues",
  }]);
  await page.evaluate("connection.disconnect()");
  await say(plugin, READY);
  assert.equal((await receivedBy(plugin)).length, 1);
  await page.close();
});

Deno.test("the parent script throws for a plugin origin with a path", async () => {
  await using sites = new TwoSites();
  const page = await sites.open(browser, "/", [], "");
  const fault = page.waitForEvent("pageerror");
  await page.addScriptTag({
    content: `
    const script = Object.assign(document.createElement("script"), { src: "/dues-parent.js" });
    script.dataset.pluginOrigin = "${sites.plugin}/";
    document.body.append(script);`,
  });
  assert.match((await fault).message, /Dues needs an origin such as https:\/\/dues\.example/);
  await page.close();
});
