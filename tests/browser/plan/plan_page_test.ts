import assert from "node:assert/strict";
import {
  billingInfo,
  free,
  invoiceOf,
  pro,
  subscriptionWith,
} from "../../../browser/testing/billing_info.ts";
import { CHECKOUT_URL, FakeApi, PORTAL_URL } from "../rigs/fake_api.ts";
import { fakeStripe, inDays } from "../rigs/plugin_page.ts";
import { usePluginSite } from "../rigs/plugin_rig.ts";

const site = usePluginSite();

Deno.test("the billing page shows an admin on the free plan the limits, the usage and the upgrade button", async () => {
  const api = new FakeApi();
  api.info = billingInfo(free, {
    usage: [{ ...free.limits[0], used: 87, resetsAt: inDays(9), daily: [1, ...Array(28).fill(0), 3] }],
  });
  await using open = await site.open(api);
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

Deno.test("the usage meter shows a limit that is reached and one that has units left", async () => {
  const api = new FakeApi();
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
  await using open = await site.open(api);
  const current = open.plugin.getByRole("region", { name: "Current plan" });
  await current.getByText(/^105 of 100$/).waitFor();
  assert.match(await current.innerText(), /Limit reached\s+Next reset at \d+:\d\d/);
  const meter = current.getByRole("meter", { name: "AI chat messages" });
  assert.equal(await meter.getAttribute("aria-valuenow"), "100");
  assert.match(await current.innerText(), /active wizards at a time\s+1 of 2\s+1 left/i);
});

Deno.test("the billing page shows a member the plan without buttons", async () => {
  for (const plan of [free, pro]) {
    const api = new FakeApi();
    api.info = billingInfo(plan, { isAdmin: false });
    await using open = await site.open(api, { person: "ben" });
    await open.plugin.getByRole("heading", { name: plan.name }).first().waitFor();
    const hint = open.plugin.getByText("An admin of your community can upgrade.");
    assert.equal(await hint.count(), plan === free ? 1 : 0);
    assert.equal(await open.plugin.getByRole("button").count(), 0);
  }
});

Deno.test("the billing page shows an admin on a paid plan the renewal date, the invoices and the portal button", async () => {
  const api = new FakeApi();
  api.info = billingInfo(pro, {
    invoices: [invoiceOf("paid")],
  });
  api.portal = { portalUrl: PORTAL_URL };
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  await open.plugin.getByText("Renews on June 15, 2027.").waitFor();
  const invoice = open.plugin.getByRole("region", { name: "Invoices" }).getByRole("listitem");
  assert.match(await invoice.innerText(), /May 15, 2027\s+\$29\s+Paid\s+View\s+PDF/);
  const page = invoice.getByRole("link", { name: "View invoice D-0001" });
  assert.equal(await page.getAttribute("href"), "https://invoice.stripe.com/i/1");
  const pdf = invoice.getByRole("link", { name: "Invoice D-0001 as PDF" });
  assert.equal(await pdf.getAttribute("href"), "https://pay.stripe.com/invoice/1/pdf");
  assert.equal(await open.plugin.getByRole("button", { name: /Upgrade/ }).count(), 0);
  await open.plugin.getByRole("button", { name: "Manage billing" }).click();
  await open.page.waitForURL(PORTAL_URL);
});

Deno.test("a past-due subscription shows the failed payment, and its button opens the portal at the card", async () => {
  const api = new FakeApi();
  api.portal = { portalUrl: PORTAL_URL };
  api.info = billingInfo(pro, {
    subscription: subscriptionWith({
      status: "past_due",
      paymentIssue: "payment_failed",
      pastDueSince: "2027-05-15T10:30:00Z",
      graceEndsAt: "2027-05-22T10:30:00Z",
    }),
  });
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  await open.plugin.getByText("The payment of May 15, 2027 did not go through. Pro stays until May 22, 2027.")
    .waitFor();
  await open.plugin.getByRole("button", { name: "Update card" }).click();
  await open.page.waitForURL(PORTAL_URL);
  const [, call] = api.calls;
  assert.equal(call, `POST /api/stripe/create-portal-session {"flow":"payment_method_update"}`);
});

Deno.test("the cancel button opens the portal at the cancellation, and is gone once the subscription is cancelled", async () => {
  const api = new FakeApi();
  api.portal = { portalUrl: PORTAL_URL };
  api.info = billingInfo(pro);
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  await open.plugin.getByRole("button", { name: "Cancel subscription" }).click();
  await open.page.waitForURL(PORTAL_URL);
  assert.equal(api.calls[1], `POST /api/stripe/create-portal-session {"flow":"subscription_cancel"}`);
  api.info = billingInfo(pro, { subscription: subscriptionWith({ cancelAt: "2027-06-15T10:30:00Z" }) });
  await open.page.goto(`${site.parentUrl}/c/garden/`);
  await open.plugin.getByText("You can resume it until then under “Manage billing”.").waitFor();
  assert.equal(await open.plugin.getByRole("button", { name: "Cancel subscription" }).count(), 0);
});

Deno.test("a larger plan is changed to in the portal when there is a subscription already", async () => {
  const api = new FakeApi();
  api.portal = { portalUrl: PORTAL_URL };
  const max = { ...pro, code: "max", name: "Max", priceCents: 9900 };
  api.info = billingInfo(pro, { plans: [free, pro, max] });
  await using open = await site.open(api);
  await fakeStripe(open.page.context());
  assert.equal(await open.plugin.getByRole("button", { name: /Upgrade/ }).count(), 0);
  await open.plugin.getByRole("region", { name: "Max" }).getByRole("button", { name: "Change plan" }).click();
  await open.page.waitForURL(PORTAL_URL);
});

Deno.test("the billing page shows that billing info could not be loaded, and loads it after Try again", async () => {
  const api = new FakeApi();
  api.info = { code: "database_unavailable", status: 503 };
  await using open = await site.open(api);
  await open.plugin.getByRole("heading", { name: "The plan could not be loaded" }).waitFor();
  api.info = billingInfo(free);
  await open.plugin.getByRole("button", { name: "Try again" }).click();
  await open.plugin.getByRole("heading", { name: "Free" }).first().waitFor();
});

Deno.test("the billing page shows what is paid as Stripe has it, whatever the plan costs today", async () => {
  const api = new FakeApi();
  const dearer = { ...pro, priceCents: 4900 };
  const max = { ...pro, code: "max", name: "Max", priceCents: 9900 };
  api.info = billingInfo(dearer, {
    plans: [free, dearer, max],
    subscription: subscriptionWith({
      amount: 570_000,
      unitAmount: 190_000,
      quantity: 3,
      currency: "rsd",
      intervalCount: 2,
    }),
  });
  await using open = await site.open(api);
  const current = open.plugin.getByRole("region", { name: "Current plan" });
  assert.match(await current.innerText(), /RSD\s5,700 every 2 months\s+3 × RSD\s1,900/);
  assert.match(
    await open.plugin.getByRole("region", { name: "Pro" }).innerText(),
    /RSD\s5,700 every 2 months/,
  );
  assert.match(await open.plugin.getByRole("region", { name: "Max" }).innerText(), /\$99 a month/);
  assert.equal(await open.plugin.getByText("$49").count(), 0);
});

Deno.test("the billing page shows no price of a plan that is not what is paid", async () => {
  const api = new FakeApi();
  const max = { ...pro, code: "max", name: "Max", priceCents: 9900 };
  for (
    const subscription of [
      null,
      // A change to a dearer plan whose payment failed: the plan in force is the one that was paid.
      subscriptionWith({ status: "past_due", planCode: "max", amount: 9900, paymentIssue: "payment_failed" }),
    ]
  ) {
    api.info = billingInfo(pro, { plans: [free, pro, max], subscription });
    await using open = await site.open(api);
    const current = open.plugin.getByRole("region", { name: "Current plan" });
    await current.getByRole("heading", { name: "Pro" }).waitFor();
    assert.equal(await current.getByText("$").count(), 0);
  }
});

Deno.test("a click on one of several buttons says on that one only that Stripe is being opened, and disables all", async () => {
  const max = { ...pro, code: "max", name: "Max", priceCents: 9900 };
  for (
    const [plan, clicked, opening] of [
      [free, "Upgrade to Max", "Opening checkout…"],
      [pro, "Change plan", "Opening billing…"],
      [pro, "Manage billing", "Opening billing…"],
    ] as const
  ) {
    const api = FakeApi.withCheckout();
    api.portal = { portalUrl: PORTAL_URL };
    api.info = billingInfo(plan, { plans: [free, pro, max] });
    await using open = await site.open(api);
    await open.plugin.getByRole("button", { name: clicked }).waitFor();
    const before = await open.plugin.getByRole("button").allInnerTexts();
    assert.ok(before.length > 1);
    await open.page.context().route(CHECKOUT_URL, (route) => route.fulfill({ status: 204 }));
    await open.page.context().route(PORTAL_URL, (route) => route.fulfill({ status: 204 }));
    api.gate = new Promise(() => {});
    await open.plugin.getByRole("button", { name: clicked }).click();
    await open.plugin.getByRole("button", { name: opening }).waitFor();
    assert.deepEqual(
      await open.plugin.getByRole("button").allInnerTexts(),
      before.map((label) => label === clicked ? opening : label),
    );
    assert.equal(await open.plugin.locator("button[aria-disabled=true]").count(), before.length);
    assert.equal(await open.plugin.locator("button[aria-busy=true]").count(), 1);
  }
});
