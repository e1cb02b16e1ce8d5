import assert from "node:assert/strict";
import { CHECKOUT_URL, FakeApi } from "./rigs/fake_api.ts";
import { fakeStripe } from "./rigs/plugin_page.ts";
import { usePluginSite } from "./rigs/plugin_rig.ts";

const site = usePluginSite();

Deno.test("the controls of the billing page can be reached and used with the keyboard", async () => {
  const api = FakeApi.withCheckout();
  await using open = await site.open(api, { path: "/c/garden/?stripe_status=cancel" });
  await fakeStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  const focused = open.plugin.locator(":focus");
  while (await focused.count() === 0) await open.page.keyboard.press("Tab");
  const order = [];
  for (let stops = 0; stops < 4; stops++) {
    order.push(await focused.getAttribute("aria-label") ?? await focused.innerText());
    await open.page.keyboard.press("Tab");
  }
  assert.deepEqual(order, ["Plan", "Assistant", "Dismiss", "Upgrade to Pro"]);
  await open.page.keyboard.press("Shift+Tab");
  await open.page.keyboard.press("Enter");
  await open.page.waitForURL(CHECKOUT_URL);
});

Deno.test("the focus is visible, and nothing is animated with reduced motion", async () => {
  const api = new FakeApi();
  await using open = await site.open(api, { reducedMotion: "reduce" });
  const upgrade = open.plugin.getByRole("button", { name: "Upgrade to Pro" });
  await upgrade.waitFor();
  const focused = open.plugin.locator(":focus");
  while (await focused.count() === 0 || await focused.innerText() !== "Upgrade to Pro") {
    await open.page.keyboard.press("Tab");
  }
  const outline = await upgrade.evaluate((button) => getComputedStyle(button).outline);
  assert.match(outline, /solid 3px/);
  api.gate = new Promise(() => {});
  await open.page.goto(`${site.parentUrl}/c/garden/?stripe_status=success`);
  const busy = open.plugin.locator(".busy, .line, .toast");
  await busy.first().waitFor();
  const animations = await busy.evaluateAll((all) => all.map((each) => getComputedStyle(each).animationName));
  assert.deepEqual([...new Set(animations)], ["none"]);
});

Deno.test("a skeleton is shown at once, and the arriving plan causes no layout shift", async () => {
  for (const width of [320, 1200]) {
    const api = new FakeApi();
    const arrived = Promise.withResolvers<void>();
    api.gate = arrived.promise;
    await using open = await site.open(api, { viewport: { width, height: 900 } });
    await open.plugin.locator(".skeleton").first().waitFor();
    await open.plugin.locator("html").evaluate(() => {
      const page = globalThis as unknown as { shifts: PerformanceEntry[] };
      page.shifts = [];
      new PerformanceObserver((list) => page.shifts.push(...list.getEntries()))
        .observe({ type: "layout-shift", buffered: true });
    });
    arrived.resolve();
    await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
    const shifts = await open.plugin.locator("html").evaluate(async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      // Shifts before the first paint are invisible.
      const [{ startTime: painted }] = performance.getEntriesByName("first-contentful-paint");
      const { shifts } = globalThis as unknown as { shifts: (PerformanceEntry & { value: number })[] };
      return shifts.filter(({ startTime }) => startTime >= painted).reduce(
        (sum, { value }) => sum + value,
        0,
      );
    });
    assert.ok(shifts < 0.01, `${width}: ${shifts}`);
  }
});
