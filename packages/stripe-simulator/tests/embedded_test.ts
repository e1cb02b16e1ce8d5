import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type Stripe from "stripe";
import { createPro, startSimulator, type TestSimulator } from "../testing.ts";
import { launchBrowser } from "./helpers/browser.ts";

/** The least that an embedding page must do. */
const embedder = (simulator: string, clientSecret: string) =>
  `<!doctype html>
<title>Embedder</title>
<div id="checkout"></div>
<p id="result"></p>
<script src="${simulator}/stripe-js/stripe.js"></script>
<script type="module">
  const stripe = Stripe("pk_test_suite");
  const checkout = await stripe.createEmbeddedCheckoutPage({
    fetchClientSecret: async () => "${clientSecret}",
    onComplete() {
      document.querySelector("#result").textContent = "complete";
      checkout.destroy();
    },
  });
  checkout.mount("#checkout");
</script>`;

type EmbeddedParams = Pick<Stripe.Checkout.SessionCreateParams, "redirect_on_completion" | "return_url">;

async function openEmbedded(
  { stripe }: TestSimulator,
  params: EmbeddedParams,
): Promise<Stripe.Checkout.Session> {
  const pro = await createPro(stripe);
  return await stripe.checkout.sessions.create({
    mode: "subscription",
    ui_mode: "embedded_page",
    line_items: [{ price: pro.id, quantity: 1 }],
    ...params,
  });
}

/** Opens a page of another origin that embeds the checkout. */
async function withEmbedder(
  rig: TestSimulator,
  session: Stripe.Checkout.Session,
  work: (page: Page, origin: string) => Promise<void>,
) {
  const html = embedder(rig.simulator.url, session.client_secret ?? "");
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    return new Response(html, { headers: { "content-type": "text/html" } });
  });
  const origin = `http://localhost:${server.addr.port}`;
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(origin);
    await work(page, origin);
  } finally {
    await browser.close();
    await server.shutdown();
  }
}

Deno.test("an embedded checkout with redirect_on_completion never calls onComplete and does not redirect", async () => {
  await using rig = await startSimulator();
  const session = await openEmbedded(rig, { redirect_on_completion: "never" });
  assert.equal(session.url, null);
  await withEmbedder(rig, session, async (page, origin) => {
    const frame = page.frameLocator("iframe");
    await frame.getByRole("radio", { name: /0002/ }).check();
    await frame.getByRole("button", { name: "Pay $15.00" }).click();
    await frame.getByRole("alert").getByText("Your card was declined.").waitFor();
    await frame.getByRole("radio", { name: /4242/ }).check();
    await frame.getByRole("button", { name: "Pay $15.00" }).click();
    await page.getByText("complete", { exact: true }).waitFor();
    assert.equal(await page.locator("iframe").count(), 0);
    assert.equal(page.url(), `${origin}/`);
  });
  const completed = await rig.stripe.checkout.sessions.retrieve(session.id);
  assert.deepEqual([completed.status, completed.client_secret], ["complete", null]);
});

Deno.test("the frame of an embedded checkout gets the height of its content", async () => {
  await using rig = await startSimulator();
  const session = await openEmbedded(rig, { redirect_on_completion: "never" });
  await withEmbedder(rig, session, async (page) => {
    await page.frameLocator("iframe").getByRole("button", { name: "Pay $15.00" }).waitFor();
    await page.waitForFunction(() => (document.querySelector("iframe")?.offsetHeight ?? 0) > 600);
  });
});

Deno.test("an embedded checkout redirects the top window to return_url with the session's id", async () => {
  await using rig = await startSimulator();
  const { url } = rig.simulator;
  const session = await openEmbedded(rig, { return_url: `${url}/?session_id={CHECKOUT_SESSION_ID}` });
  await withEmbedder(rig, session, async (page) => {
    await page.frameLocator("iframe").getByRole("button", { name: "Pay $15.00" }).click();
    await page.waitForURL(`${url}/?session_id=${session.id}`);
  });
});

Deno.test("a card that requires authentication shows a challenge that can fail or succeed", async () => {
  await using rig = await startSimulator();
  const session = await openEmbedded(rig, {
    redirect_on_completion: "if_required",
    return_url: rig.simulator.url,
  });
  await withEmbedder(rig, session, async (page) => {
    const frame = page.frameLocator("iframe");
    const payWithChallenge = async (answer: string) => {
      await frame.getByRole("radio", { name: /3155/ }).check();
      await frame.getByRole("button", { name: "Pay $15.00" }).click();
      await frame.getByRole("button", { name: answer }).click();
    };
    await payWithChallenge("Fail authentication");
    await frame.getByRole("alert").getByText("unable to authenticate").waitFor();
    await payWithChallenge("Complete authentication");
    await page.getByText("complete", { exact: true }).waitFor();
  });
  const types = (await rig.stripe.events.list({ limit: 100 })).data.map((event) => event.type);
  assert.ok(types.includes("payment_intent.payment_failed"));
  assert.ok(!types.includes("charge.failed"), "without authentication nothing is charged");
});

const refusals: [name: string, params: Partial<Stripe.Checkout.SessionCreateParams>, param: string][] = [
  [
    "a success_url",
    { success_url: "https://parent.example/", return_url: "https://parent.example/" },
    "success_url",
  ],
  ["no return_url", {}, "return_url"],
  [
    "a return_url that is never used",
    { redirect_on_completion: "never", return_url: "https://parent.example/" },
    "return_url",
  ],
  ["a ui_mode of former versions", { ui_mode: "embedded" as "embedded_page" }, "ui_mode"],
];

for (const [name, params, param] of refusals) {
  Deno.test(`creating an embedded checkout with ${name} is refused with 400`, async () => {
    await using rig = await startSimulator();
    const pro = await createPro(rig.stripe);
    const request = rig.stripe.checkout.sessions.create({
      mode: "subscription",
      ui_mode: "embedded_page",
      line_items: [{ price: pro.id, quantity: 1 }],
      ...params,
    });
    await assert.rejects(request, { type: "StripeInvalidRequestError", param });
  });
}

Deno.test("the frame of an expired session shows that it is not available, with 410", async () => {
  await using rig = await startSimulator();
  const session = await openEmbedded(rig, { redirect_on_completion: "never" });
  await rig.stripe.checkout.sessions.expire(session.id);
  const response = await fetch(`${rig.simulator.url}/c/embedded/${session.client_secret}`);
  assert.equal(response.status, 410);
  assert.match(await response.text(), /no longer available/);
});
