// The plugin inside the stand-in for Common Ground, in a browser. Common Ground's own client library runs inside the same
// stand-in, to show that the stand-in behaves like Common Ground.
import assert from "node:assert/strict";
import { CgPluginLibHost } from "@common-ground-dao/cg-plugin-lib-host";
import { build } from "esbuild";
import type { Browser, FrameLocator, Page } from "playwright-core";
import { pluginPage } from "../../local/common_ground/stand_in.ts";
import { communities, type Community, people } from "../../local/common_ground/communities.ts";
import { newKeyPair, startCommonGround } from "../../local/common_ground/start_common_ground.ts";
import { projectRoot } from "../../local/paths.ts";
import { launchBrowser } from "../support/browser.ts";
import { type CommonGroundStack, startCommonGroundStack } from "./rig.ts";

const [garden, chess] = communities;
const [ada] = people;

let browser: Browser;
let rig: CommonGroundStack;
Deno.test.beforeAll(async () => {
  [browser, rig] = await Promise.all([launchBrowser(), startCommonGroundStack()]);
});
Deno.test.afterAll(async () => {
  await browser?.close();
  await rig?.stop();
});

interface Visit extends AsyncDisposable {
  page: Page;
  plugin: FrameLocator;
}

/** A community's page with the plugin as somebody sees it, in a browser profile of their own. */
async function visit(person: string, community: Community, hostUrl = rig.hostUrl): Promise<Visit> {
  const context = await browser.newContext();
  await context.addCookies([{ name: "person", value: person, url: hostUrl }]);
  const page = await context.newPage();
  await page.goto(pluginPage(hostUrl, community));
  return { page, plugin: page.frameLocator("iframe"), [Symbol.asyncDispose]: () => context.close() };
}

Deno.test("an admin upgrades through Common Ground and returns to the plugin on the new plan", async () => {
  await using admin = await visit("ada", garden);
  const { page, plugin } = admin;
  await plugin.getByRole("button", { name: /upgrade/i }).first().click();

  // The sandbox lets the plugin neither navigate away nor open a window, so Common Ground asks the person.
  const leave = page.getByRole("dialog").getByRole("link", { name: "Continue" });
  await leave.waitFor();
  assert.equal(page.url(), pluginPage(rig.hostUrl, garden));
  const newTab = page.context().waitForEvent("page");
  await leave.click();
  const checkout = await newTab;
  await checkout.waitForURL(`${rig.stack.urls.stripe}/**`);
  await checkout.getByRole("button", { name: /^Pay/ }).click();

  await checkout.waitForURL(`${pluginPage(rig.hostUrl, garden)}?stripe_status=success&session_id=*`);
  const back = checkout.frameLocator("iframe");
  await back.getByRole("heading", { name: "Pro", exact: true, level: 2 }).waitFor();
  assert.equal(await back.getByRole("button", { name: /upgrade/i }).count(), 0);
  // The first tab is not notified, and shows the new plan by itself.
  await plugin.getByRole("heading", { name: "Pro", exact: true, level: 2 }).waitFor();
});

Deno.test("the holder of a custom role called Admin sees the plan and no upgrade button", async () => {
  await using member = await visit("ben", garden);
  await member.plugin.getByRole("heading", { name: /free|pro/i }).first().waitFor();
  assert.equal(await member.plugin.getByRole("button", { name: /upgrade|manage/i }).count(), 0);
  await using admin = await visit("ben", chess);
  await admin.plugin.getByRole("button", { name: /upgrade/i }).first().waitFor();
});

Deno.test("a guest gets no session and reads why", async () => {
  const context = await browser.newContext();
  await context.addCookies([{ name: "person", value: "dan", url: rig.hostUrl }]);
  const page = await context.newPage();
  const refusal = page.waitForResponse(`${rig.pluginUrl}/api/auth/session`);
  await page.goto(pluginPage(rig.hostUrl, garden));
  assert.equal((await refusal).status(), 403);
  await page.frameLocator("iframe").getByText("Only members of this community").waitFor();
  assert.equal(await page.frameLocator("iframe").getByRole("button", { name: /upgrade/i }).count(), 0);
  await context.close();
});

Deno.test("Common Ground's own client library works inside the stand-in", async () => {
  const keys = newKeyPair();
  const { outputFiles: [library] } = await build({
    stdin: {
      contents: `export { CgPluginLib } from "@common-ground-dao/cg-plugin-lib";`,
      resolveDir: projectRoot,
    },
    bundle: true,
    format: "iife",
    globalName: "cg",
    write: false,
  });
  const plugin = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (request.method !== "POST") {
      const script = `<!DOCTYPE html><script>${library.text}</script>`;
      return new Response(script, { headers: { "content-type": "text/html" } });
    }
    const signer = await CgPluginLibHost.initialize(keys.privateKey, keys.publicKey);
    return Response.json(await signer.signRequest(await request.json()));
  });
  const pluginUrl = `http://127.0.0.1:${plugin.addr.port}`;
  await using host = startCommonGround({ pluginUrl, requestKeys: keys });
  await using admin = await visit("ada", garden, host.url);
  const frame = admin.page.frames().find((each) => each.url().startsWith(pluginUrl));
  assert.ok(frame);

  const seen = await frame.evaluate(async (publicKey) => {
    const { CgPluginLib } =
      (globalThis as unknown as { cg: typeof import("@common-ground-dao/cg-plugin-lib") }).cg;
    const iframeUid = new URLSearchParams(location.search).get("iframeUid")!;
    const library = await CgPluginLib.initialize(iframeUid, "/sign", publicKey);
    const { data: user } = await library.getUserInfo();
    const { data: community } = await library.getCommunityInfo();
    await library.navigate("https://checkout.stripe.com/c/pay/1");
    return { context: library.getContextData(), user, community };
  }, keys.publicKey);
  assert.deepEqual(seen.context, { pluginId: garden.pluginId, userId: ada.id, assignableRoleIds: [] });
  assert.deepEqual([seen.user.id, seen.user.name], [ada.id, ada.name]);
  assert.deepEqual([seen.community.id, seen.community.url, seen.community.roles], [
    garden.id,
    garden.url,
    garden.roles,
  ]);
  const link = admin.page.getByRole("dialog").getByRole("link");
  assert.equal(await link.getAttribute("href"), "https://checkout.stripe.com/c/pay/1");
  await plugin.shutdown();
});
