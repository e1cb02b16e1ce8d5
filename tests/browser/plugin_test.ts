import assert from "node:assert/strict";
import type { Browser, BrowserContext } from "playwright-core";
import { billingInfo, free, pro, subscriptionWith } from "../../browser/testing/billing_info.ts";
import { launchBrowser } from "../support/browser.ts";
import { type OpenPage, PlayedApi, PluginRig } from "./plugin_rig.ts";

const CHECKOUT = "https://checkout.stripe.com/c/pay/cs_test_1";
const PORTAL = "https://billing.stripe.com/p/session/test_1";
const INFO_CALL = "GET /api/community/billing-info";
const CHECKOUT_CALL = `POST /api/stripe/create-checkout-session {"planCode":"pro"}`;

let browser: Browser;
let rig: PluginRig;
Deno.test.beforeAll(async () => {
  [browser, rig] = await Promise.all([launchBrowser(), PluginRig.start()]);
});
Deno.test.afterAll(async () => {
  await browser.close();
  await rig[Symbol.asyncDispose]();
});

/** The time so many days from now, as ISO 8601. */
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

/** Lets Stripe's addresses answer, and counts the pages asked for. */
async function playStripe(context: BrowserContext): Promise<string[]> {
  const visits: string[] = [];
  await context.route("https://*.stripe.com/**", async (route) => {
    visits.push(route.request().url());
    await route.fulfill({ contentType: "text/html", body: "<h1>Stripe</h1>" });
  });
  return visits;
}

async function openAssistant({ plugin }: OpenPage): Promise<void> {
  await plugin.getByRole("link", { name: "Assistant" }).click();
  await plugin.getByRole("heading", { name: "Assistant" }).waitFor();
}

async function say({ plugin }: OpenPage, text: string): Promise<void> {
  await plugin.getByRole("textbox", { name: "Your message" }).fill(text);
  await plugin.getByRole("button", { name: "Send" }).click();
}

const quotaExceeded = {
  code: "quota_exceeded",
  status: 402,
  feature: "ai_chat_message",
  quota: 100,
  used: 100,
  windowSeconds: 2_592_000,
  period: "rolling",
  upgradePlan: "pro",
};

Deno.test("an admin on the free plan sees what it includes, how much is used, and a way up", async () => {
  const api = new PlayedApi();
  api.info = billingInfo(free, {
    usage: [{ ...free.limits[0], used: 87, resetsAt: inDays(9), daily: [1, ...Array(28).fill(0), 3] }],
  });
  await using open = await rig.open(browser, api);
  const faults: string[] = [];
  open.page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  open.page.on("pageerror", (error) => faults.push(error.message));
  await open.page.reload();
  const current = open.plugin.getByRole("region", { name: "Current plan" });
  await current.getByRole("heading", { name: "Free" }).waitFor();
  assert.match(
    await current.innerText(),
    /AI chat messages every 30 days\s+87 of 100\s+13 left\s+Next reset on /,
  );
  const meter = current.getByRole("meter", { name: "AI chat messages" });
  assert.equal(await meter.getAttribute("aria-valuetext"), "87 of 100");
  await current.getByRole("img", {
    name: "AI chat messages in the last 30 days: 4 in all, at most 3 on one day",
  }).waitFor();
  const offer = open.plugin.getByRole("region", { name: "Pro" });
  assert.match(await offer.innerText(), /\$29 a month\s+10,000 AI chat messages every 30 days/);
  assert.equal(await offer.getByRole("button", { name: "Upgrade to Pro" }).isVisible(), true);
  const own = open.plugin.getByRole("region", { name: "Free" });
  assert.match(await own.innerText(), /Your plan/);
  assert.equal(await open.plugin.getByRole("button").count(), 1);
  assert.equal(await open.plugin.getByRole("heading", { name: "Invoices" }).count(), 0);
  assert.deepEqual(faults, []);
});

Deno.test("a limit that is almost or wholly used up is said so", async () => {
  const api = new PlayedApi();
  const [limit] = free.limits;
  api.info = billingInfo(free, {
    usage: [
      { ...limit, used: 105, resetsAt: inDays(0.5), daily: [105] },
      {
        ...limit,
        feature: "active_wizard",
        windowSeconds: 0,
        used: 1,
        quota: 2,
        resetsAt: null,
        daily: [],
      },
    ],
  });
  await using open = await rig.open(browser, api);
  const current = open.plugin.getByRole("region", { name: "Current plan" });
  await current.getByText(/^105 of 100$/).waitFor();
  assert.match(await current.innerText(), /Limit reached\s+Next reset at \d+:\d\d/);
  const meter = current.getByRole("meter", { name: "AI chat messages" });
  assert.equal(await meter.getAttribute("aria-valuenow"), "100");
  assert.match(await current.innerText(), /active wizards at a time\s+1 of 2\s+1 left/i);
});

Deno.test("a member sees the plan and no buttons", async () => {
  for (const plan of [free, pro]) {
    const api = new PlayedApi();
    api.info = billingInfo(plan, { isAdmin: false });
    await using open = await rig.open(browser, api, { person: "ben" });
    await open.plugin.getByRole("heading", { name: plan.name }).first().waitFor();
    const hint = open.plugin.getByText("An admin of your community can upgrade.");
    assert.equal(await hint.count(), plan === free ? 1 : 0);
    assert.equal(await open.plugin.getByRole("button").count(), 0);
  }
});

const invoiceOf = (status: string) => ({
  number: "D-0001",
  status,
  amountDueCents: 2900,
  amountPaidCents: status === "paid" ? 2900 : 0,
  currency: "usd",
  createdAt: "2027-05-15T10:30:00Z",
  hostedInvoiceUrl: "https://invoice.stripe.com/i/1",
  invoicePdf: "https://pay.stripe.com/invoice/1/pdf",
});

Deno.test("an admin on a paid plan sees when it renews, the invoices and the way to the portal", async () => {
  const api = new PlayedApi();
  api.info = billingInfo(pro, {
    invoices: [invoiceOf("paid")],
  });
  api.portal = { portalUrl: PORTAL };
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  await open.plugin.getByText("Renews on June 15, 2027.").waitFor();
  const invoice = open.plugin.getByRole("region", { name: "Invoices" }).getByRole("listitem");
  assert.match(await invoice.innerText(), /May 15, 2027\s+\$29\s+Paid\s+View\s+PDF/);
  const page = invoice.getByRole("link", { name: "View invoice D-0001" });
  assert.equal(await page.getAttribute("href"), "https://invoice.stripe.com/i/1");
  const pdf = invoice.getByRole("link", { name: "Invoice D-0001 as PDF" });
  assert.equal(await pdf.getAttribute("href"), "https://pay.stripe.com/invoice/1/pdf");
  assert.equal(await open.plugin.getByRole("button", { name: /Upgrade/ }).count(), 0);
  await open.plugin.getByRole("button", { name: "Manage billing" }).click();
  await open.page.waitForURL(PORTAL);
});

Deno.test("a double click on upgrade opens one checkout in the whole window", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api);
  const visits = await playStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).dblclick();
  await open.page.waitForURL(CHECKOUT);
  assert.deepEqual(api.calls, [INFO_CALL, CHECKOUT_CALL]);
  assert.deepEqual(visits, [CHECKOUT]);
});

Deno.test("where the sandbox forbids the iframe to leave, the parent opens the checkout, once", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api);
  const visits = await playStripe(open.page.context());
  const reloaded = open.page.waitForEvent("framenavigated", (frame) => frame.url().endsWith("?reloaded"));
  await open.page.locator("iframe").evaluate((frame) => {
    (frame as HTMLIFrameElement).sandbox.remove("allow-top-navigation-by-user-activation");
    (frame as HTMLIFrameElement).src += "?reloaded"; // a sandbox counts from the next navigation on
    addEventListener("message", ({ data }) => data.type === "openUrl" && console.log("asked to open"));
  });
  await reloaded;
  const asked = open.page.waitForEvent("console", (message) => message.text() === "asked to open");
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await asked;
  await open.page.waitForURL(CHECKOUT);
  assert.deepEqual(visits, [CHECKOUT]);
});

Deno.test("where neither window may leave, a new tab is offered, and what happens there shows by itself", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api, { clock: true });
  await open.page.route(CHECKOUT, (route) => route.fulfill({ status: 204 }));
  await open.page.context().route(CHECKOUT, (route) => route.fulfill({ body: "Stripe" }));
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  const link = open.plugin.getByRole("link", { name: "Open in a new tab" });
  while (await link.count() === 0) await open.page.clock.runFor(1_000);
  assert.match(await open.plugin.locator(":focus").innerText(), /^Stripe could not be opened here/);
  const tab = open.page.context().waitForEvent("page");
  await link.click();
  assert.equal((await tab).url(), CHECKOUT);
  await open.plugin.getByText("This page looks for what changed by itself").waitFor();
  api.info = billingInfo(pro);
  await open.page.clock.runFor(60_000);
  await open.plugin.getByRole("status").getByText("Payment received.").waitFor();
  await open.plugin.getByText("Renews on June 15, 2027.").waitFor();
  assert.equal(api.calls.filter((call) => call === CHECKOUT_CALL).length, 1);
});

Deno.test("waiting for another tab looks at once when the person comes back, ends by itself, and can be ended", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api, { clock: true });
  await open.page.context().route(CHECKOUT, (route) => route.fulfill({ status: 204 }));
  const upgrade = open.plugin.getByRole("button", { name: "Upgrade to Pro" });
  const link = open.plugin.getByRole("link", { name: "Open in a new tab" });
  const becomeAway = async () => {
    await upgrade.click();
    while (await link.count() === 0) await open.page.clock.runFor(1_000);
    await link.click();
  };

  await becomeAway();
  const calls = api.calls.length;
  const looked = open.page.waitForResponse("**/api/community/billing-info");
  await open.plugin.locator("html").evaluate(() => dispatchEvent(new Event("focus")));
  await looked;
  assert.equal(api.calls.length, calls + 1);

  while (await upgrade.count() === 0) await open.page.clock.runFor(120_000);
  const callsAtTheEnd = api.calls.length;
  await open.page.clock.runFor(3_600_000);
  assert.equal(api.calls.length, callsAtTheEnd);
  assert.ok(callsAtTheEnd < 60, `${callsAtTheEnd} calls`);

  await becomeAway();
  await open.plugin.getByRole("button", { name: "Back to the plan" }).click();
  await upgrade.waitFor();
});

Deno.test("back in the page without any news, a payment shows by itself all the same", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT);
  await open.page.goto(`${rig.parentUrl}/c/garden/`);
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  api.info = billingInfo(pro);
  await open.plugin.getByRole("status").getByText("Payment received.").waitFor();
});

Deno.test("back from Stripe by the back button, the upgrade can be started again", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT);
  await open.page.goBack();
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT);
});

Deno.test("a checkout that cannot be opened says why and can be tried again", async () => {
  const api = new PlayedApi();
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.plugin.getByRole("status").getByText("The payment service does not answer.").waitFor();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT);
});

Deno.test("a connection that is lost in the middle of a click is said so, and the click can be repeated", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api);
  const visits = await playStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  await open.page.route("**/api/stripe/**", (route) => route.abort("internetdisconnected"));
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.plugin.getByRole("status").getByText("The connection failed. Nothing was charged").waitFor();
  assert.deepEqual(visits, []);
  await open.page.unroute("**/api/stripe/**");
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT);
});

Deno.test("a payment that failed is named with what it means, and leads to the place where the card is changed", async () => {
  const api = new PlayedApi();
  api.portal = { portalUrl: PORTAL };
  api.info = billingInfo(pro, {
    subscription: subscriptionWith({
      status: "past_due",
      paymentIssue: "payment_failed",
      pastDueSince: "2027-05-15T10:30:00Z",
      graceEndsAt: "2027-05-22T10:30:00Z",
    }),
  });
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  await open.plugin.getByText("The payment of May 15, 2027 did not go through. Pro stays until May 22, 2027.")
    .waitFor();
  await open.plugin.getByRole("button", { name: "Update card" }).click();
  await open.page.waitForURL(PORTAL);
  const [, call] = api.calls;
  assert.equal(call, `POST /api/stripe/create-portal-session {"flow":"payment_method_update"}`);
});

Deno.test("a subscription can be cancelled in one step, and then no more", async () => {
  const api = new PlayedApi();
  api.portal = { portalUrl: PORTAL };
  api.info = billingInfo(pro);
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Cancel subscription" }).click();
  await open.page.waitForURL(PORTAL);
  assert.equal(api.calls[1], `POST /api/stripe/create-portal-session {"flow":"subscription_cancel"}`);
  api.info = billingInfo(pro, { subscription: subscriptionWith({ cancelAt: "2027-06-15T10:30:00Z" }) });
  await open.page.goto(`${rig.parentUrl}/c/garden/`);
  await open.plugin.getByText("Until then it can be resumed under “Manage billing”.").waitFor();
  assert.equal(await open.plugin.getByRole("button", { name: "Cancel subscription" }).count(), 0);
});

Deno.test("a larger plan beside a subscription is changed to in the portal, not bought a second time", async () => {
  const api = new PlayedApi();
  api.portal = { portalUrl: PORTAL };
  const max = { ...pro, code: "max", name: "Max", priceCents: 9900 };
  api.info = billingInfo(pro, { plans: [free, pro, max] });
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  assert.equal(await open.plugin.getByRole("button", { name: /Upgrade/ }).count(), 0);
  await open.plugin.getByRole("region", { name: "Max" }).getByRole("button", { name: "Change plan" }).click();
  await open.page.waitForURL(PORTAL);
});

Deno.test("a limit that stops a feature is named with what lifts it, and an admin can upgrade from there", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  await openAssistant(open);
  await say(open, "Hello");
  await open.plugin.getByRole("listitem").nth(1).waitFor();
  assert.deepEqual(await open.plugin.getByRole("listitem").allInnerTexts(), [
    "You:\nHello",
    "Assistant:\nHello",
  ]);
  assert.equal(await open.plugin.getByRole("textbox").inputValue(), "");

  api.assistant = { ...quotaExceeded, resetsAt: inDays(3) };
  await say(open, "Once more");
  const notice = open.plugin.getByRole("status").filter({ hasText: "The limit of your plan is reached" });
  assert.match(
    await notice.innerText(),
    /It includes 100 AI chat messages every 30 days, and 100 are used\. Pro includes 10,000 AI chat messages every 30 days\. More become available on \w+ \d+\./,
  );
  assert.equal(await open.plugin.getByRole("textbox").inputValue(), "Once more");
  await notice.getByRole("button", { name: "Not now" }).click();
  assert.equal(await notice.count(), 0);
  await say(open, "Once more");
  await notice.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT);
});

Deno.test("a member whom a limit stops is told whom to ask", async () => {
  const api = new PlayedApi();
  api.info = billingInfo(free, { isAdmin: false });
  api.assistant = { ...quotaExceeded, resetsAt: null };
  await using open = await rig.open(browser, api, { person: "ben" });
  await openAssistant(open);
  await say(open, "Hello");
  const notice = open.plugin.getByRole("status").filter({ hasText: "The limit of your plan is reached" });
  await notice.getByText("An admin of your community can upgrade.").waitFor();
  assert.doesNotMatch(await notice.innerText(), /become available/);
  assert.equal(await notice.getByRole("button", { name: /Upgrade/ }).count(), 0);
});

Deno.test("a message that cannot be sent stays in its field, with the reason", async () => {
  const api = new PlayedApi();
  api.assistant = { code: "database_unavailable", status: 503 };
  await using open = await rig.open(browser, api);
  await openAssistant(open);
  await say(open, "Hello");
  await open.plugin.getByRole("status").getByText("The message was not sent.").waitFor();
  assert.equal(await open.plugin.getByRole("textbox").inputValue(), "Hello");
});

Deno.test("a community that was upgraded by somebody else is shown as it is, with the reason", async () => {
  const api = new PlayedApi();
  api.checkout = { code: "already_subscribed", status: 409 };
  await using open = await rig.open(browser, api);
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  api.info = billingInfo(pro);
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.plugin.getByText("Renews on June 15, 2027.").waitFor();
  await open.plugin.getByRole("status").getByText("has a subscription already").waitFor();
});

Deno.test("after a payment nothing stale is shown, and the plan comes without a reload", async () => {
  const api = new PlayedApi();
  await using open = await rig.open(browser, api, {
    path: "/c/garden/?stripe_status=success&session_id=cs_test_1",
  });
  assert.equal(open.page.url(), `${rig.parentUrl}/c/garden/`);
  await open.plugin.getByRole("status").getByText("Checkout complete.").waitFor();
  await open.plugin.getByText("Your plan is being updated.").waitFor();
  while (api.calls.length < 3) await open.page.waitForRequest("**/api/community/billing-info");
  assert.equal(await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).count(), 0);
  assert.equal(await open.plugin.getByRole("heading", { name: "Free" }).count(), 0);
  api.info = billingInfo(pro);
  await open.plugin.getByRole("heading", { name: "Pro", exact: true, level: 2 }).waitFor();
  const status = open.plugin.getByRole("status");
  await status.getByText("Payment received. Your community is on the Pro plan.").waitFor();
  assert.equal(await status.getByRole("button", { name: "Dismiss" }).count(), 1);
  await status.getByRole("button", { name: "Dismiss" }).click();
  assert.equal(await status.innerText(), "");
});

Deno.test("the invoice that was just paid does not stay due because its event came a moment after the plan's", async () => {
  const api = new PlayedApi();
  api.info = billingInfo(pro, { invoices: [invoiceOf("open")] });
  await using open = await rig.open(browser, api, { path: "/c/garden/?stripe_status=success" });
  const invoices = open.plugin.getByRole("region", { name: "Invoices" });
  await invoices.getByText("Due", { exact: true }).waitFor();
  await open.plugin.getByRole("status").getByText("Payment received.").waitFor();
  api.info = billingInfo(pro, { invoices: [invoiceOf("paid")] });
  await invoices.getByText("Paid", { exact: true }).waitFor();
});

Deno.test("the same news is told once, however often it comes", async () => {
  const api = new PlayedApi();
  api.info = billingInfo(pro);
  await using open = await rig.open(browser, api, { path: "/c/garden/?stripe_status=success" });
  const status = open.plugin.getByRole("status");
  await status.getByText("Payment received.").waitFor();
  const tell = (news: string) =>
    open.page.locator("iframe[data-dues]").evaluate((frame, status) => {
      (frame as HTMLIFrameElement).contentWindow?.postMessage({ type: "stripeCallback", status }, "*");
    }, news);
  await tell("success");
  await status.getByRole("button", { name: "Dismiss" }).click();
  await tell("success");
  await tell("cancel"); // other news: told, and alone
  await status.getByText("Checkout cancelled.").waitFor();
  assert.equal(await status.getByRole("button", { name: "Dismiss" }).count(), 1);
  assert.doesNotMatch(await status.innerText(), /Payment received|Checkout complete/);
});

Deno.test("a webhook that takes too long is said so, asked for no more, and can be asked for again", async () => {
  const api = new PlayedApi();
  await using open = await rig.open(browser, api, { path: "/style.css" });
  await open.page.clock.install();
  await open.page.goto(`${rig.parentUrl}/c/garden/?stripe_status=success`);
  await open.plugin.getByText("Your plan is being updated.").waitFor();
  const late = open.plugin.getByText("Your plan is not updated yet.");
  while (await late.count() === 0) await open.page.clock.runFor(5_000);
  const callsUntilLate = api.calls.length;
  await open.page.clock.runFor(300_000);
  assert.equal(api.calls.length, callsUntilLate);
  assert.ok(callsUntilLate < 20, `${callsUntilLate} calls`);
  api.info = billingInfo(pro);
  await open.plugin.getByRole("button", { name: "Check again" }).click();
  await open.page.clock.runFor(1_000);
  await open.plugin.getByRole("heading", { name: "Pro", exact: true, level: 2 }).waitFor();
});

Deno.test("a cancelled checkout has its own notice and changes nothing", async () => {
  const api = new PlayedApi();
  await using open = await rig.open(browser, api, { path: "/c/garden/?stripe_status=cancel" });
  await open.plugin.getByRole("status").getByText("Checkout cancelled. Nothing was charged").waitFor();
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  assert.equal(open.page.url(), `${rig.parentUrl}/c/garden/`);
  assert.deepEqual(api.calls, [INFO_CALL]);
});

Deno.test("back from the portal, a change made there shows by itself", async () => {
  const api = new PlayedApi();
  api.info = billingInfo(pro);
  await using open = await rig.open(browser, api, {
    path: "/c/chess/plugin/p%2F1/?stripe_status=portal_return",
  });
  await open.plugin.getByRole("status").getByText("Welcome back.").waitFor();
  await open.plugin.getByText("Renews on June 15, 2027.").waitFor();
  api.info = billingInfo(pro, { subscription: subscriptionWith({ cancelAt: "2027-06-15T10:30:00Z" }) });
  await open.plugin.getByText("Cancelled. Pro stays until June 15, 2027.").waitFor();
});

Deno.test("billing info that cannot be loaded is said so, and can be tried again", async () => {
  const api = new PlayedApi();
  api.info = { code: "database_unavailable", status: 503 };
  await using open = await rig.open(browser, api);
  await open.plugin.getByRole("heading", { name: "The plan could not be loaded" }).waitFor();
  api.info = billingInfo(free);
  await open.plugin.getByRole("button", { name: "Try again" }).click();
  await open.plugin.getByRole("heading", { name: "Free" }).first().waitFor();
});

Deno.test("a session that ended is renewed without anybody noticing", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api);
  await playStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).waitFor();
  api.refusedTokens = ["session-1"];
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  await open.page.waitForURL(CHECKOUT);
  assert.equal(api.sessions, 2);
  assert.deepEqual(api.calls, [INFO_CALL, CHECKOUT_CALL, CHECKOUT_CALL]);
});

Deno.test("everything can be reached and done by keyboard", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api, { path: "/c/garden/?stripe_status=cancel" });
  await playStripe(open.page.context());
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
  await open.page.waitForURL(CHECKOUT);
});

Deno.test("what has the focus can be seen, and nothing moves for people who want that", async () => {
  const api = new PlayedApi();
  await using open = await rig.open(browser, api, { reducedMotion: "reduce" });
  const upgrade = open.plugin.getByRole("button", { name: "Upgrade to Pro" });
  await upgrade.waitFor();
  const focused = open.plugin.locator(":focus");
  while (await focused.count() === 0 || await focused.innerText() !== "Upgrade to Pro") {
    await open.page.keyboard.press("Tab");
  }
  const outline = await upgrade.evaluate((button) => getComputedStyle(button).outline);
  assert.match(outline, /solid 3px/);
  api.gate = new Promise(() => {});
  await open.page.goto(`${rig.parentUrl}/c/garden/?stripe_status=success`);
  const busy = open.plugin.locator(".busy, .line, .toast");
  await busy.first().waitFor();
  const animations = await busy.evaluateAll((all) => all.map((each) => getComputedStyle(each).animationName));
  assert.deepEqual([...new Set(animations)], ["none"]);
});

Deno.test("readers of German read German, from the first paint on", async () => {
  const api = new PlayedApi();
  api.info = billingInfo(pro);
  await using open = await rig.open(browser, api, {
    locale: "de-AT",
    path: "/c/garden/?stripe_status=success",
  });
  await open.plugin.getByText("Verlängert sich am 15. Juni 2027.").waitFor();
  await open.plugin.getByText("29 $ im Monat").waitFor();
  await open.plugin.getByRole("status").getByText("Zahlung erhalten. Eure Community nutzt jetzt Pro.")
    .waitFor();
  assert.equal(await open.plugin.locator("html").getAttribute("lang"), "de");
  const response = await fetch(rig.pluginUrl, { headers: { "accept-language": "de" } });
  const html = await response.text();
  assert.match(html, /Der Tarif wird geladen/);
  assert.doesNotMatch(html, /Loading the plan/);
  assert.match(response.headers.get("vary") ?? "", /accept-language/);
});

Deno.test("on a slow connection there is something to see at once, and nothing jumps when the plan arrives", async () => {
  for (const width of [320, 1200]) {
    const api = new PlayedApi();
    const arrived = Promise.withResolvers<void>();
    api.gate = arrived.promise;
    await using open = await rig.open(browser, api, { viewport: { width, height: 900 } });
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
      // What moves before there is anything on the screen, such as when the style sheet arrives, nobody sees.
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

Deno.test("the iframe is as tall as its content, at every width", async () => {
  for (const width of [320, 1200]) {
    await using open = await rig.open(browser, new PlayedApi(), { viewport: { width, height: 700 } });
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

Deno.test("messages to the plugin count only from the parent's window and of the right shape", async () => {
  const api = new PlayedApi();
  await using open = await rig.open(browser, api);
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
  assert.deepEqual(api.calls, [INFO_CALL]);
});

Deno.test("a hostile page cannot frame the plugin", async () => {
  await using hostile = serveHostilePage(rig.pluginUrl);
  const page = await browser.newPage();
  const refusal = page.waitForEvent("console", (message) => message.text().includes("frame-ancestors"));
  await page.goto(hostile.url);
  await refusal;
  assert.deepEqual(await page.evaluate("heard"), []);
  await page.close();
});

Deno.test("opened by itself, the plugin says where it belongs", async () => {
  const page = await browser.newPage();
  await page.goto(rig.pluginUrl);
  await page.getByRole("heading", { name: "Open this page in your community" }).waitFor();
  assert.equal(await page.getByRole("button").count(), 0);
  await page.close();
});

/** A page of another origin that frames the plugin and listens. */
function serveHostilePage(pluginUrl: string) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () =>
    new Response(
      `<script>heard = []; addEventListener("message", ({ data }) => heard.push(data));</script>
      <iframe src="${pluginUrl}/" data-dues></iframe>`,
      { headers: { "content-type": "text/html" } },
    ));
  return {
    url: `http://localhost:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("the page that another tab returns to tells the tab left behind, which tells it once", async () => {
  const api = new PlayedApi();
  api.checkout = { sessionId: "cs_test_1", url: CHECKOUT };
  await using open = await rig.open(browser, api, { clock: true });
  const back = `${rig.parentUrl}/c/garden/?stripe_status=success&session_id=cs_test_1`;
  await open.page.context().route(
    CHECKOUT,
    (route) => route.fulfill({ status: 302, headers: { location: back } }),
  );
  await open.page.route(CHECKOUT, (route) => route.fulfill({ status: 204 }));
  await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
  const link = open.plugin.getByRole("link", { name: "Open in a new tab" });
  while (await link.count() === 0) await open.page.clock.runFor(1_000);
  await open.page.evaluate("globalThis.stayed = true");
  api.info = billingInfo(pro);
  const tab = open.page.context().waitForEvent("page");
  await link.click();
  await (await tab).waitForURL(`${rig.parentUrl}/c/garden/`);
  const status = open.plugin.getByRole("status");
  await status.getByText("Payment received.").waitFor();
  assert.equal(await status.getByRole("button", { name: "Dismiss" }).count(), 1);
  assert.equal(await open.page.evaluate("globalThis.stayed"), true);
});
