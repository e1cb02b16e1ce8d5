import assert from "node:assert/strict";
import { billingInfo, pro } from "../../../browser/testing/billing_info.ts";
import { FakeApi } from "../rigs/fake_api.ts";
import { usePluginSite } from "../rigs/plugin_rig.ts";

const site = usePluginSite();

Deno.test("the page is German for Accept-Language de, from the first paint on", async () => {
  const api = new FakeApi();
  api.info = billingInfo(pro);
  await using open = await site.open(api, {
    locale: "de-AT",
    path: "/c/garden/?stripe_status=success",
  });
  await open.plugin.getByText("Verlängert sich am 15. Juni 2027.").waitFor();
  await open.plugin.getByText("29 $ im Monat").waitFor();
  await open.plugin.getByRole("status").getByText("Zahlung erhalten. Eure Community nutzt jetzt Pro.")
    .waitFor();
  assert.equal(await open.plugin.locator("html").getAttribute("lang"), "de");
  const response = await fetch(site.pluginUrl, { headers: { "accept-language": "de" } });
  const html = await response.text();
  assert.match(html, /Der Tarif wird geladen/);
  assert.doesNotMatch(html, /Loading the plan/);
  assert.match(response.headers.get("vary") ?? "", /accept-language/);
});
