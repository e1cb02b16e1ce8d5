import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { createPro, openCheckout, startReceiver, startSimulator } from "../testing.ts";
import { launchBrowser } from "./helpers/browser.ts";

/** Opens a page in a real browser and checks that nothing violated its content security policy. */
async function withPage(work: (page: Page) => Promise<void>) {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    const violations: string[] = [];
    page.on("console", (message) => message.type() === "error" && violations.push(message.text()));
    await work(page);
    assert.deepEqual(violations.filter((text) => text.includes("Content Security Policy")), []);
  } finally {
    await browser.close();
  }
}

Deno.test("a person can pay after a declined card, cancel in the portal and renew", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const home = `${simulator.url}/`;
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({ name: "Gardeners" });
  const session = await openCheckout(stripe, pro.id, {
    customer: customer.id,
    success_url: `${home}?status=success&session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${home}?status=cancel`,
  });
  await withPage(async (page) => {
    await page.goto(session.url ?? "");
    await page.getByRole("heading", { name: "Pro" }).waitFor();
    await page.getByRole("radio", { name: /0002/ }).check();
    await page.getByRole("button", { name: "Pay $15.00" }).click();
    await page.getByRole("alert").getByText("Your card was declined.").waitFor();
    await page.getByRole("radio", { name: /4242/ }).check();
    await page.getByRole("button", { name: "Pay $15.00" }).click();
    await page.waitForURL(`${home}?status=success&session_id=${session.id}`);
    await page.getByRole("cell", { name: "checkout.session.completed" }).waitFor();

    const portal = await stripe.billingPortal.sessions.create({
      customer: customer.id,
      return_url: `${home}?back`,
    });
    await page.goto(portal.url);
    await page.getByText("Renews on").waitFor();
    await page.getByRole("button", { name: "Cancel subscription" }).click();
    await page.getByRole("button", { name: "Confirm cancellation" }).click();
    await page.getByText("Cancels on").waitFor();
    await page.getByRole("button", { name: "Renew subscription" }).click();
    await page.getByText("Renews on").waitFor();
    await page.getByRole("link", { name: /-0001$/ }).click();
    await page.getByRole("heading", { name: /^Invoice \w+-0001$/ }).waitFor();
    await page.goBack();
    await page.getByRole("link", { name: /^Return to/ }).click();
    await page.waitForURL(`${home}?back`);
  });
});

Deno.test("the dashboard shows objects, events and deliveries, and resends an event", async () => {
  await using rig = await startSimulator({ retryDelays: [] });
  const { stripe, simulator } = rig;
  const answers = [500, 200];
  await using receiver = startReceiver(() => new Response(null, { status: answers.shift() }));
  await stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["customer.created"] });
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: 1_790_000_000, name: "Two years" });
  await stripe.billing.meters.create({
    display_name: "Chat messages",
    event_name: "chat",
    default_aggregation: { formula: "sum" },
  });
  const customer = await stripe.customers.create({ name: "Gardeners", metadata: { community_id: "7" } });
  await simulator.idle();
  await withPage(async (page) => {
    await page.goto(simulator.url);
    for (const name of ["Gardeners", "community_id: 7", "Chat messages", clock.id]) {
      await page.getByRole("cell", { name }).waitFor();
    }
    await page.getByText("failed (500, 1 attempt)").waitFor();
    await page.getByRole("link", { name: "customer.created" }).click();
    await page.getByText(`"id": "${customer.id}"`).waitFor();
    await page.getByRole("button", { name: "Resend" }).click();
    await simulator.idle();
    await page.reload();
    await page.getByText("delivered", { exact: true }).waitFor();
  });
  assert.equal(receiver.requests.length, 2);
  const [event] = (await stripe.events.list({ type: "customer.created" })).data;
  assert.equal(event.pending_webhooks, 0);
});

Deno.test("the Back link of the checkout page leads to cancel_url and is missing without one", async () => {
  await using rig = await startSimulator();
  const pro = await createPro(rig.stripe);
  const session = await openCheckout(rig.stripe, pro.id, {
    cancel_url: "https://parent.example/c/1/?a=b&c=d",
  });
  const page = await text(session.url);
  assert.match(page, /<a class="back" href="https:\/\/parent\.example\/c\/1\/\?a=b&amp;c=d">Back<\/a>/);
  const without = await openCheckout(rig.stripe, pro.id, { cancel_url: undefined });
  assert.doesNotMatch(await text(without.url), /class="back"/);
});

Deno.test("checkout, portal and dashboard forbid framing", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const customer = await stripe.customers.create({});
  const { url: checkout } = await openCheckout(stripe, pro.id);
  const { url: portal } = await stripe.billingPortal.sessions.create({ customer: customer.id });
  for (const address of [checkout ?? "", portal, simulator.url]) {
    const { headers, body } = await fetch(address);
    await body?.cancel();
    assert.equal(headers.get("x-frame-options"), "DENY");
    assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
  }
});

Deno.test("the name of a product is escaped", async () => {
  await using rig = await startSimulator();
  const price = await rig.stripe.prices.create({
    currency: "usd",
    product_data: { name: "<script>alert(1)</script>" },
    recurring: { interval: "month" },
    unit_amount: 100,
  });
  const page = await text((await openCheckout(rig.stripe, price.id)).url);
  assert.match(page, /&lt;script>alert\(1\)&lt;\/script>/);
  assert.doesNotMatch(page, /<script/);
});

Deno.test("the page of a paid, expired or unknown checkout says so", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const address = (id: string) => `${simulator.url}/c/pay/${id}`;
  const paid = await openCheckout(stripe, pro.id);
  const form = new URLSearchParams({ card: "4242424242424242", email: "ada@example.com" });
  const paying = await fetch(address(paid.id), { method: "POST", body: form, redirect: "manual" });
  assert.deepEqual([paying.status, paying.headers.get("location")], [
    303,
    paid.success_url?.replace("{CHECKOUT_SESSION_ID}", paid.id),
  ]);
  await paying.body?.cancel();
  assert.match(await text(address(paid.id)), /already been completed/);

  const expired = await openCheckout(stripe, pro.id);
  await stripe.checkout.sessions.expire(expired.id);
  for (const id of [expired.id, "cs_test_none"]) assert.match(await text(address(id)), /no longer available/);
});

Deno.test("invoice_pdf is a PDF of the invoice", async () => {
  await using rig = await startSimulator();
  const { stripe, simulator } = rig;
  const pro = await createPro(stripe);
  const { id } = await openCheckout(stripe, pro.id);
  const paying = await fetch(`${simulator.url}/_sim/checkout/${id}/pay`, { method: "POST" });
  await paying.body?.cancel();
  const [invoice] = (await stripe.invoices.list()).data;
  const response = await fetch(invoice.invoice_pdf ?? "");
  assert.equal(response.headers.get("content-type"), "application/pdf");
  const file = new TextDecoder("latin1").decode(await response.arrayBuffer());
  assert.ok(file.startsWith("%PDF-1.4"));
  assert.ok(file.includes(`Invoice ${invoice.number}`));
  const start = Number(/startxref\n(\d+)/.exec(file)?.[1]);
  assert.ok(file.slice(start).startsWith("xref"), "the cross-reference table is where the file says");
});

Deno.test("an open invoice can be paid on its page after a declined card", async () => {
  await using rig = await startSimulator();
  const { stripe } = rig;
  const customer = await stripe.customers.create({});
  await stripe.invoiceItems.create({ customer: customer.id, amount: 2000, currency: "usd" });
  const draft = await stripe.invoices.create({
    customer: customer.id,
    pending_invoice_items_behavior: "include",
  });
  const { hosted_invoice_url: url } = await stripe.invoices.finalizeInvoice(draft.id);
  const payWith = (card: string) => {
    return fetch(url ?? "", { method: "POST", body: new URLSearchParams({ card }), redirect: "manual" });
  };
  const refused = await payWith("4000000000009995");
  assert.equal(refused.status, 402);
  assert.match(await refused.text(), /insufficient funds/);
  assert.equal((await payWith("4242424242424242")).status, 303);
  assert.equal((await stripe.invoices.retrieve(draft.id)).status, "paid");
});

async function text(address: string | null): Promise<string> {
  return await (await fetch(address ?? "")).text();
}
