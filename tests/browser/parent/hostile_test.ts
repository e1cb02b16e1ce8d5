// A hostile page around the plugin, beside it, and behind it: nothing leaks, and nothing happens.
import assert from "node:assert/strict";
import type { Browser, Frame, Page } from "playwright-core";
import { launchBrowser } from "../../support/browser.ts";
import { heardBy, type HostileSite, serveHostileSite } from "./hostile_site.ts";
import { type OpenPage, PlayedApi, PluginRig } from "../rigs/plugin_rig.ts";

let browser: Browser;
let rig: PluginRig;
let hostile: HostileSite;
Deno.test.beforeAll(async () => {
  [browser, rig] = await Promise.all([launchBrowser(), PluginRig.start()]);
  hostile = serveHostileSite(rig.pluginUrl);
});
Deno.test.afterAll(async () => {
  await browser?.close();
  await rig?.[Symbol.asyncDispose]();
  await hostile?.[Symbol.asyncDispose]();
});

const INFO_CALL = "GET /api/community/billing-info";

/** The plugin's frame in this page, once it shows the plan. */
async function pluginFrame({ page, plugin }: Pick<OpenPage, "page" | "plugin">): Promise<Frame> {
  await plugin.getByRole("button", { name: /upgrade/i }).first().waitFor();
  const frame = page.frames().find((each) => each.url().startsWith(rig.pluginUrl));
  assert.ok(frame, "the plugin is in the page");
  return frame;
}

/** The parent's own word still counts, and it is the only one that did. */
async function onlyTheParentCounts(opened: Pick<OpenPage, "page" | "plugin">, api: PlayedApi): Promise<void> {
  await opened.page.locator("iframe[data-dues]").evaluate((iframe) =>
    (iframe as HTMLIFrameElement).contentWindow?.postMessage(
      { type: "stripeCallback", status: "cancel" },
      "*",
    )
  );
  await opened.plugin.getByRole("status").getByRole("button").first().waitFor();
  assert.equal(await opened.plugin.getByRole("status").getByRole("button").count(), 1);
  assert.equal(api.sessions, 1);
  assert.deepEqual([...new Set(api.calls)], [INFO_CALL]);
}

/** Puts a hostile frame beside the plugin's. The parent's own policy would not let it in. */
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

Deno.test("a hostile sibling of the plugin's frame hears nothing and changes nothing, in either window", async () => {
  const api = new PlayedApi();
  await using opened = await rig.open(browser, api, { bypassCSP: true });
  const plugin = await pluginFrame(opened);
  const sibling = await addSibling(opened.page);

  await sibling.evaluate("lieTo(parent); lieTo(parent.frames[0]);");
  await sibling.evaluate("sendAway(parent.frames[0])");
  await onlyTheParentCounts(opened, api);
  assert.deepEqual(await heardBy(sibling), []);
  assert.equal(plugin.url(), `${rig.pluginUrl}/`);
  assert.equal(opened.page.url(), `${rig.parentUrl}/c/garden/`);
  assert.equal(await opened.page.locator("iframe[name=sibling]").getAttribute("style"), null);
  assert.notEqual(
    await opened.page.locator("iframe[data-dues]").evaluate((iframe) => iframe.style.height),
    "7px",
  );
});

Deno.test("a hostile frame cannot take the place of the plugin: no token goes to another origin", async () => {
  const api = new PlayedApi();
  await using opened = await rig.open(browser, api, { bypassCSP: true });
  const plugin = await pluginFrame(opened);
  await plugin.goto(`${hostile.url}/sibling`);
  await plugin.evaluate("lieTo(parent)");
  await plugin.evaluate("new Promise((resolve) => setTimeout(resolve, 500))");
  assert.deepEqual(await heardBy(plugin), []);
  assert.equal(opened.page.url(), `${rig.parentUrl}/c/garden/`);
});

Deno.test("a hostile page that opens the community page in a window reaches neither it nor the plugin", async () => {
  const api = new PlayedApi();
  await using opened = await rig.open(browser, api);
  await pluginFrame(opened);
  api.sessions = 0;
  api.calls.length = 0;
  const context = opened.page.context();
  const opener = await context.newPage();
  await opener.goto(`${hostile.url}/sibling`);
  const popup = context.waitForEvent("page");
  await opener.evaluate(
    (url) => void Object.assign(globalThis, { victim: open(url) }),
    `${rig.parentUrl}/c/garden/`,
  );
  const page = await popup;
  const victim = { page, plugin: page.frameLocator("iframe[data-dues]") };
  await pluginFrame(victim);

  await opener.evaluate("lieTo(victim); lieTo(victim.frames[0]);");
  await onlyTheParentCounts(victim, api);
  assert.deepEqual(await heardBy(opener), []);
  assert.equal(page.url(), `${rig.parentUrl}/c/garden/`);
});

Deno.test("a hostile page that opens the plugin by itself in a window gets no word out of it", async () => {
  const api = new PlayedApi();
  await using opened = await rig.open(browser, api);
  await pluginFrame(opened);
  const calls = api.calls.length;
  const context = opened.page.context();
  const opener = await context.newPage();
  await opener.goto(`${hostile.url}/sibling`);
  const popup = context.waitForEvent("page");
  await opener.evaluate((url) => void Object.assign(globalThis, { victim: open(url) }), `${rig.pluginUrl}/`);
  const page = await popup;
  await page.getByRole("heading").nth(1).waitFor();
  await opener.evaluate("lieTo(victim)");
  await page.waitForTimeout(300);
  assert.equal(await page.getByRole("status").getByRole("button").count(), 0);
  assert.deepEqual(await heardBy(opener), []);
  assert.deepEqual([api.sessions, api.calls.length], [1, calls]);
});

Deno.test("a hostile parent cannot show the plugin", async () => {
  const page = await browser.newPage();
  const refusal = page.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
  await page.goto(hostile.url);
  await refusal;
  await page.evaluate("lieTo(frames[0])");
  assert.deepEqual(await heardBy(page), []);
  await page.close();
});

Deno.test("and if it could, the plugin would tell it nothing and believe nothing", async () => {
  const api = new PlayedApi();
  await using opened = await rig.open(browser, api);
  await pluginFrame(opened);
  const [sessions, calls] = [api.sessions, api.calls.length];
  const page = await opened.page.context().newPage();
  // As behind a proxy that drops the header.
  await page.route(`${rig.pluginUrl}/`, async (route) => {
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
  while (refusals.length < 2) await page.waitForTimeout(50); // the plugin is up, and asks for its real parent
  await page.evaluate("lieTo(frames[0])");
  const before = refusals.length;
  while (refusals.length === before) await page.waitForTimeout(50); // it goes on asking: what came was no answer
  assert.deepEqual(await heardBy(page), []);
  assert.deepEqual([api.sessions, api.calls.length], [sessions, calls]);
  assert.equal(await page.frameLocator("iframe").getByRole("status").getByRole("button").count(), 0);
});

Deno.test("a plugin whose parent app signs tokens ships no code for Common Ground", async () => {
  await using opened = await rig.open(browser, new PlayedApi());
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

Deno.test("a plugin whose parent app signs tokens signs nothing for Common Ground", async () => {
  const response = await fetch(`${rig.pluginUrl}/api/auth/common-ground`, {
    method: "POST",
    headers: { origin: rig.pluginUrl },
    body: JSON.stringify({ iframeUid: "a1", pluginId: "d0000000-0000-4000-8000-000000000001" }),
  });
  assert.deepEqual([response.status, (await response.json()).code], [404, "not_found"]);
});
