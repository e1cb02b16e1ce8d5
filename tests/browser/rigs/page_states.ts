/**
 * Every state of the plugin's pages, with the steps that reach it. Used by the accessibility checks of all states and
 * for the pictures in the docs. `docs/states.md` describes the states.
 */

import type { Browser, FrameLocator, Locator } from "playwright-core";
import type { BillingInfo, Invoice, OfferedPlan } from "../../../browser/api/contract.ts";
import { billingInfo, free, pro, subscriptionWith } from "../../../browser/testing/billing_info.ts";
import type { CheckoutRigs } from "./checkout_rigs.ts";
import { CHECKOUT_URL, FakeApi, quotaExceeded } from "./fake_api.ts";
import { inDays, openAssistant, say, upgradeUntilStuck } from "./plugin_page.ts";
import type { OpenOptions, OpenPage } from "./plugin_rig.ts";

export interface PluginState {
  /** The name of its picture and of its row in the docs. */
  name: string;
  options?: OpenOptions;
  /** Set if the checkout opens inside the page. */
  isEmbedded?: boolean;
  /** Sets the answers of the API before the page opens. */
  prepare?: (api: FakeApi) => void;
  /** The steps from the open page to the state. */
  reach?: (open: OpenPage, api: FakeApi) => Promise<void>;
  /** An element that exists only in this state. */
  sign: (plugin: FrameLocator) => Locator;
}

const wizards = { feature: "active_wizard", windowSeconds: 0, period: "rolling" } as const;
const freePlan: OfferedPlan = { ...free, limits: [...free.limits, { ...wizards, quota: 1 }] };
const proPlan: OfferedPlan = { ...pro, limits: [...pro.limits, { ...wizards, quota: 20 }] };
const plans = [freePlan, proPlan];

/** The daily usage of a month, lower at weekends, with about this total. */
function daily(total: number): number[] {
  const shape = Array.from({ length: 30 }, (_, day) => [5, 8, 7, 9, 6, 2, 1][day % 7] + (day % 4));
  const sum = shape.reduce((a, b) => a + b);
  return shape.map((value) => Math.round(value * total / sum));
}

function onFree(used: number, changes: Partial<BillingInfo> = {}): BillingInfo {
  const [messages] = freePlan.limits;
  return billingInfo(freePlan, {
    plans,
    usage: [
      { ...messages, used, resetsAt: used > 0 ? inDays(12) : null, daily: daily(used) },
      { ...wizards, quota: 1, used: 0, resetsAt: null, daily: [] },
    ],
    ...changes,
  });
}

function invoice(number: number, status: string): Invoice {
  return {
    number: `DUES-000${number}`,
    status,
    amountDueCents: 2900,
    amountPaidCents: status === "paid" ? 2900 : 0,
    currency: "usd",
    createdAt: inDays(-30 * (4 - number)),
    hostedInvoiceUrl: `https://invoice.stripe.com/i/${number}`,
    invoicePdf: `https://pay.stripe.com/invoice/${number}/pdf`,
  };
}

function onPro(changes: Partial<BillingInfo> = {}): BillingInfo {
  const [messages] = proPlan.limits;
  return billingInfo(proPlan, {
    plans,
    usage: [
      { ...messages, used: 1284, resetsAt: inDays(12), daily: daily(1284) },
      { ...wizards, quota: 20, used: 3, resetsAt: null, daily: [] },
    ],
    subscription: subscriptionWith({ currentPeriodEnd: inDays(17) }),
    invoices: [3, 2, 1].map((number) => invoice(number, "paid")),
    ...changes,
  });
}

const pastDue = () => ({
  ...subscriptionWith({ status: "past_due", paymentIssue: "payment_failed", currentPeriodEnd: inDays(29) }),
  pastDueSince: inDays(-1),
  graceEndsAt: inDays(6),
});

/** Lets the page stay open: a browser ignores a navigation that is answered 204. */
const refuseToNavigate = (open: OpenPage) =>
  open.page.context().route(CHECKOUT_URL, (route) => route.fulfill({ status: 204 }));

async function becomeStuck(open: OpenPage): Promise<void> {
  await refuseToNavigate(open);
  await upgradeUntilStuck(open);
}

const text = (words: string | RegExp) => (plugin: FrameLocator) => plugin.getByText(words).first();

export const states: PluginState[] = [
  {
    name: "loading",
    prepare: (api) => api.gate = new Promise(() => {}),
    sign: (plugin) => plugin.locator("[aria-busy=true]"),
  },
  {
    name: "free",
    prepare: (api) => api.info = onFree(37),
    sign: (plugin) => plugin.locator("[data-plan=free]"),
  },
  {
    name: "nothing-used",
    prepare: (api) => api.info = onFree(0),
    sign: text("Nothing used yet"),
  },
  {
    name: "almost-used-up",
    prepare: (api) => api.info = onFree(91),
    sign: text("9 left"),
  },
  {
    name: "used-up",
    prepare: (api) => api.info = onFree(100),
    sign: text("Limit reached"),
  },
  {
    name: "free-member",
    options: { person: "ben" },
    prepare: (api) => api.info = onFree(37, { isAdmin: false }),
    sign: text("An admin of your community can upgrade."),
  },
  {
    name: "pro",
    prepare: (api) => api.info = onPro(),
    sign: text(/^Renews on /),
  },
  {
    name: "pro-member",
    options: { person: "ben" },
    prepare: (api) => api.info = onPro({ isAdmin: false, invoices: [] }),
    sign: text(/^Renews on /),
  },
  {
    name: "trial",
    prepare: (api) =>
      api.info = onPro({
        subscription: subscriptionWith({ status: "trialing", trialEnd: inDays(9) }),
        invoices: [],
      }),
    sign: text(/^Free trial until /),
  },
  {
    name: "discount",
    prepare: (api) =>
      api.info = onPro({
        subscription: subscriptionWith({
          amount: 5700,
          unitAmount: 1900,
          quantity: 3,
          currentPeriodEnd: inDays(17),
          discounts: [{
            name: "Spring",
            percentOff: 20,
            amountOff: null,
            currency: null,
            endsAt: inDays(60),
          }],
        }),
      }),
    sign: text(/20% off until /),
  },
  {
    name: "payments-paused",
    prepare: (api) =>
      api.info = onPro({
        subscription: subscriptionWith({
          currentPeriodEnd: inDays(17),
          pausedCollection: { resumesAt: inDays(40) },
        }),
      }),
    sign: text(/Payments are paused until /),
  },
  {
    name: "change-scheduled",
    prepare: (api) =>
      api.info = onPro({
        subscription: subscriptionWith({
          currentPeriodEnd: inDays(17),
          scheduledChange: { at: inDays(17), planCode: "team", planName: "Team" },
        }),
      }),
    sign: text(/Changes to Team on /),
  },
  {
    name: "cancelled",
    prepare: (api) => api.info = onPro({ subscription: subscriptionWith({ cancelAt: inDays(17) }) }),
    sign: text(/^Cancelled\. /),
  },
  {
    name: "past-due",
    prepare: (api) =>
      api.info = onPro({
        subscription: pastDue(),
        invoices: [invoice(3, "open"), invoice(2, "paid"), invoice(1, "paid")],
      }),
    sign: (plugin) => plugin.getByRole("button", { name: "Update card" }),
  },
  {
    name: "past-due-member",
    options: { person: "ben" },
    prepare: (api) => api.info = onPro({ isAdmin: false, subscription: pastDue(), invoices: [] }),
    sign: text(/An admin can update the card\.$/),
  },
  {
    name: "unpaid",
    prepare: (api) =>
      api.info = onFree(100, {
        community: { id: "garden", title: "Riverside Garden", hasBillingAccount: true },
        subscription: subscriptionWith({ status: "unpaid", paymentIssue: "payment_failed" }),
        invoices: [invoice(3, "open"), invoice(2, "paid")],
      }),
    sign: text(/Your community is on Free until it is paid\./),
  },
  {
    name: "leaving",
    prepare: (api) => {
      api.info = onFree(37);
      api.checkout = { sessionId: "cs_test_1", url: CHECKOUT_URL };
    },
    reach: async (open) => {
      await refuseToNavigate(open);
      await open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click();
    },
    sign: (plugin) => plugin.getByRole("button", { name: "Opening checkout…" }),
  },
  {
    name: "stuck",
    options: { clock: true },
    prepare: (api) => {
      api.info = onFree(37);
      api.checkout = { sessionId: "cs_test_1", url: CHECKOUT_URL };
    },
    reach: becomeStuck,
    sign: text("Stripe could not be opened here"),
  },
  {
    name: "away",
    options: { clock: true },
    prepare: (api) => {
      api.info = onFree(37);
      api.checkout = { sessionId: "cs_test_1", url: CHECKOUT_URL };
    },
    reach: async (open) => {
      await becomeStuck(open);
      await open.plugin.getByRole("link", { name: "Open in a new tab" }).click();
    },
    sign: text("Stripe is open in another tab"),
  },
  {
    name: "checkout-failed",
    prepare: (api) => api.info = onFree(37),
    reach: (open) => open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click(),
    sign: text("The payment service is not responding."),
  },
  {
    name: "cancelled-checkout",
    options: { path: "/c/garden/?stripe_status=cancel" },
    prepare: (api) => api.info = onFree(37),
    sign: text("Checkout cancelled."),
  },
  {
    name: "confirming",
    options: { path: "/c/garden/?stripe_status=success" },
    prepare: (api) => api.info = onFree(37),
    sign: text("Your plan is being updated."),
  },
  {
    name: "late",
    options: { path: "/c/garden/?stripe_status=success", clock: true },
    prepare: (api) => api.info = onFree(37),
    reach: async ({ page, plugin }) => {
      while (await plugin.getByText("Your plan is not updated yet.").count() === 0) {
        await page.clock.runFor(5_000);
      }
    },
    sign: text("Your plan is not updated yet."),
  },
  {
    name: "paid",
    options: { path: "/c/garden/?stripe_status=success" },
    prepare: (api) => api.info = onPro({ invoices: [invoice(3, "paid")] }),
    sign: text("Payment received."),
  },
  {
    name: "back-from-portal",
    options: { path: "/c/garden/?stripe_status=portal_return" },
    prepare: (api) => api.info = onPro(),
    sign: text("Welcome back."),
  },
  {
    name: "load-failed",
    prepare: (api) => api.info = { code: "database_unavailable", status: 503 },
    sign: text("The plan could not be loaded"),
  },
  {
    name: "parent-silent",
    options: { clock: true },
    reach: async ({ page, plugin }) => {
      await page.route("**/dues-token", (route) => route.fulfill({ status: 401, body: "{}" }));
      await page.reload();
      while (await plugin.getByText("Are you still signed in there?").count() === 0) {
        await page.clock.runFor(2_000);
      }
    },
    sign: text("Are you still signed in there?"),
  },
  {
    name: "assistant",
    prepare: (api) => api.info = onFree(37),
    reach: async (open) => {
      await openAssistant(open);
      await say(open, "Which beds need water today?");
    },
    sign: (plugin) => plugin.getByRole("listitem").nth(1),
  },
  {
    name: "paywall",
    prepare: (api) => {
      api.info = onFree(100);
      api.assistant = quotaExceeded(inDays(3));
    },
    reach: async (open) => {
      await openAssistant(open);
      await say(open, "Which beds need water today?");
    },
    sign: (plugin) => plugin.getByRole("button", { name: "Upgrade to Pro" }),
  },
  {
    name: "paywall-member",
    options: { person: "ben" },
    prepare: (api) => {
      api.info = onFree(100, { isAdmin: false });
      api.assistant = quotaExceeded(inDays(3));
    },
    reach: async (open) => {
      await openAssistant(open);
      await say(open, "Which beds need water today?");
    },
    sign: text("An admin of your community can upgrade."),
  },
  {
    name: "embedded-checkout",
    isEmbedded: true,
    prepare: (api) => api.info = onFree(37),
    reach: (open) => open.plugin.getByRole("button", { name: "Upgrade to Pro" }).click(),
    sign: (plugin) => plugin.frameLocator(".place iframe").getByRole("button", { name: /^(Pay|Subscribe)/ }),
  },
];

/** Opens a page and brings it into this state. */
export async function reachState(
  rigs: CheckoutRigs,
  browser: Browser,
  state: PluginState,
  options: OpenOptions = {},
): Promise<OpenPage> {
  const rig = await rigs.of(state.isEmbedded ? "embedded" : "hosted");
  const api = new FakeApi();
  if (state.isEmbedded) api.checkout = await rigs.createEmbeddedCheckout();
  state.prepare?.(api);
  const open = await rig.open(browser, api, {
    ...state.options,
    ...options,
  });
  await state.reach?.(open, api);
  await state.sign(open.plugin).waitFor();
  return open;
}
