// A hostile page as the plugin's parent, sibling or opener learns nothing and changes nothing.
import assert from "node:assert/strict";
import type { Frame, Page } from "playwright-core";
import { BILLING_INFO_CALL, FakeApi } from "../rigs/fake_api.ts";
import { type OpenPage, usePluginSite } from "../rigs/plugin_rig.ts";
import { type HostileSite, receivedBy, serveHostileSite } from "./hostile_site.ts";

const site = usePluginSite();
let hostile: HostileSite;
Deno.test.beforeAll(() => {
  hostile = serveHostileSite(site.pluginUrl);
});
Deno.test.afterAll(async () => await hostile?.[Symbol.asyncDispose]());

/** The plugin's frame in this page, once it shows the plan. */
async function pluginFrame({ page, plugin }: Pick<OpenPage, "page" | "plugin">): Promise<Frame> {
  await plugin.getByRole("button", { name: /upgrade/i }).first().waitFor();
  const frame = page.frames().find((each) => each.url().startsWith(site.pluginUrl));
  assert.ok(frame, "the plugin is in the page");
  return frame;
}

/** Asserts that a message of the parent is accepted and that no message before it was. */
async function assertOnlyParentAccepted(
  opened: Pick<OpenPage, "page" | "plugin">,
  api: FakeApi,
): Promise<void> {
  await opened.page.locator("iframe[data-dues]").evaluate((iframe) =>
    (iframe as HTMLIFrameElement).contentWindow?.postMessage(
      { type: "stripeCallback", status: "cancel" },
      "*",
    )
  );
  await opened.plugin.getByRole("status").getByRole("button").first().waitFor();
  assert.equal(await opened.plugin.getByRole("status").getByRole("button").count(), 1);
  assert.equal(api.sessions, 1);
  assert.deepEqual([...new Set(api.calls)], [BILLING_INFO_CALL]);
}

/** Adds a hostile iframe beside the plugin's. Needs `bypassCSP`, because the parent's policy does not allow it. */
async function addSibling(page: Page): Promise<Frame> {
  const sibling = await page.evaluateHandle(async (src) => {
    const iframe = Object.assign(document.createElement("iframe"), { src, name: "sibling" });
    document.body.append(iframe);
    await new Promise((resolve) => iframe.onload = resolve);
    return iframe;
  }, `${hostile.url}/sibling`);
  const frame = await sibling.contentFrame();
  assert.ok(frame);
  return frame;
}

Deno.test("a hostile sibling iframe receives no message and changes nothing in the plugin or the parent", async () => {
  const api = new FakeApi();
  await using opened = await site.open(api, { bypassCSP: true });
  const plugin = await pluginFrame(opened);
  const sibling = await addSibling(opened.page);

  await sibling.evaluate("forgeMessagesTo(parent); forgeMessagesTo(parent.frames[0]);");
  await sibling.evaluate("navigateAway(parent.frames[0])");
  await assertOnlyParentAccepted(opened, api);
  assert.deepEqual(await receivedBy(sibling), []);
  assert.equal(plugin.url(), `${site.pluginUrl}/`);
  assert.equal(opened.page.url(), `${site.parentUrl}/c/garden/`);
  assert.equal(await opened.page.locator("iframe[name=sibling]").getAttribute("style"), null);
  assert.notEqual(
    await opened.page.locator("iframe[data-dues]").evaluate((iframe) => iframe.style.height),
    "7px",
  );
});

Deno.test("a hostile page in the plugin's iframe receives no identity token", async () => {
  const api = new FakeApi();
  await using opened = await site.open(api, { bypassCSP: true });
  const plugin = await pluginFrame(opened);
  await plugin.goto(`${hostile.url}/sibling`);
  await plugin.evaluate("forgeMessagesTo(parent)");
  await plugin.evaluate("new Promise((resolve) => setTimeout(resolve, 500))");
  assert.deepEqual(await receivedBy(plugin), []);
  assert.equal(opened.page.url(), `${site.parentUrl}/c/garden/`);
});

Deno.test("a hostile opener of the community page changes nothing in the page or the plugin", async () => {
  const api = new FakeApi();
  await using opened = await site.open(api);
  await pluginFrame(opened);
  api.sessions = 0;
  api.calls.length = 0;
  const context = opened.page.context();
  const opener = await context.newPage();
  await opener.goto(`${hostile.url}/sibling`);
  const popup = context.waitForEvent("page");
  await opener.evaluate(
    (url) => void Object.assign(globalThis, { victim: open(url) }),
    `${site.parentUrl}/c/garden/`,
  );
  const page = await popup;
  const victim = { page, plugin: page.frameLocator("iframe[data-dues]") };
  await pluginFrame(victim);

  await opener.evaluate("forgeMessagesTo(victim); forgeMessagesTo(victim.frames[0]);");
  await assertOnlyParentAccepted(victim, api);
  assert.deepEqual(await receivedBy(opener), []);
  assert.equal(page.url(), `${site.parentUrl}/c/garden/`);
});

Deno.test("a hostile opener of the plugin receives no message from it", async () => {
  const api = new FakeApi();
  await using opened = await site.open(api);
  await pluginFrame(opened);
  const calls = api.calls.length;
  const context = opened.page.context();
  const opener = await context.newPage();
  await opener.goto(`${hostile.url}/sibling`);
  const popup = context.waitForEvent("page");
  await opener.evaluate((url) => void Object.assign(globalThis, { victim: open(url) }), `${site.pluginUrl}/`);
  const page = await popup;
  await page.getByRole("heading").nth(1).waitFor();
  await opener.evaluate("forgeMessagesTo(victim)");
  await page.waitForTimeout(300);
  assert.equal(await page.getByRole("status").getByRole("button").count(), 0);
  assert.deepEqual(await receivedBy(opener), []);
  assert.deepEqual([api.sessions, api.calls.length], [1, calls]);
});

Deno.test("the Content-Security-Policy stops a hostile parent from framing the plugin", async () => {
  const page = await site.browser.newPage();
  const refusal = page.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
  await page.goto(hostile.url);
  await refusal;
  await page.evaluate("forgeMessagesTo(frames[0])");
  assert.deepEqual(await receivedBy(page), []);
  await page.close();
});

Deno.test("a hostile parent that frames the plugin without its policy receives nothing, and its messages are ignored", async () => {
  const api = new FakeApi();
  await using opened = await site.open(api);
  await pluginFrame(opened);
  const [sessions, calls] = [api.sessions, api.calls.length];
  const page = await opened.page.context().newPage();
  // Like a proxy that removes the header.
  await page.route(`${site.pluginUrl}/`, async (route) => {
    const response = await route.fetch();
    const { "content-security-policy": _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  const refusals: string[] = [];
  page.on("console", (message) => {
    if (message.text().includes("Failed to execute 'postMessage'")) refusals.push(message.text());
  });
  await page.goto(hostile.url);
  await page.frameLocator("iframe").getByRole("heading").first().waitFor();
  while (refusals.length < 2) await page.waitForTimeout(50); // the plugin has started and posts to its real parent
  await page.evaluate("forgeMessagesTo(frames[0])");
  const before = refusals.length;
  while (refusals.length === before) await page.waitForTimeout(50); // it still asks, so it accepted no answer
  assert.deepEqual(await receivedBy(page), []);
  assert.deepEqual([api.sessions, api.calls.length], [sessions, calls]);
  assert.equal(await page.frameLocator("iframe").getByRole("status").getByRole("button").count(), 0);
});

Deno.test("the plugin loads no code for Common Ground when the parent app signs tokens", async () => {
  await using opened = await site.open(new FakeApi());
  const scripts: Promise<string>[] = [];
  opened.page.on("response", (response) => {
    if (response.request().resourceType() === "script") scripts.push(response.text());
  });
  await opened.page.reload();
  await pluginFrame(opened);
  const texts = await Promise.all(scripts);
  assert.ok(texts.some((text) => text.includes("pluginReady")), "the plugin's code is among them");
  assert.ok(texts.every((text) => !text.includes("safeRequest")));
});

Deno.test("POST /api/auth/common-ground answers 404 when the parent app signs tokens", async () => {
  const response = await fetch(`${site.pluginUrl}/api/auth/common-ground`, {
    method: "POST",
    headers: { origin: site.pluginUrl },
    body: JSON.stringify({ iframeUid: "a1", pluginId: "d0000000-0000-4000-8000-000000000001" }),
  });
  assert.deepEqual([response.status, (await response.json()).code], [404, "not_found"]);
});
