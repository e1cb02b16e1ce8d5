import assert from "node:assert/strict";
import { Children } from "../../local/processes/children.ts";
import { freePorts } from "../../local/processes/ports.ts";
import { startTestStack } from "../support/stack.ts";

Deno.test("a server without DUES_EXAMPLES answers 404 for the example's page and API, and does not link to it", async () => {
  await using stack = await startTestStack();
  const [port] = freePorts(1);
  const children = new Children();
  const pluginUrl = `http://127.0.0.1:${port}`;
  const { DUES_EXAMPLES: _, ...env } = stack.env;
  await children.start({
    name: "plugin",
    module: "local/processes/serve_module.ts",
    args: ["_fresh/server.js", String(port)],
    env,
    readyWhen: { url: `${pluginUrl}/api/health` },
  });
  try {
    const page = await fetch(`${pluginUrl}/assistant`);
    assert.equal(page.status, 404);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    await page.body?.cancel();

    const api = await fetch(`${pluginUrl}/api/assistant/messages`, { method: "POST", body: "{}" });
    assert.deepEqual([api.status, (await api.json()).code], [404, "not_found"]);

    assert.doesNotMatch(await (await fetch(pluginUrl)).text(), /href="\/assistant/);
    assert.match(await (await fetch(stack.urls.plugin)).text(), /href="\/assistant/);
    const withExamples = await fetch(`${stack.urls.plugin}/assistant`);
    assert.equal(withExamples.status, 200);
    await withExamples.body?.cancel();
  } finally {
    await children.stop();
  }
});
