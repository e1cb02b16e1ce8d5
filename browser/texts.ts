/** Every text a person reads in the plugin, and how money, dates and numbers are written. */

import type { BillingInfo, Invoice, Plan, PlanLimit } from "./contract.ts";
import { hasLiveSubscription } from "./subscription.ts";

/** One language in texts and formats; a German date in an English sentence helps nobody. */
const LOCALE = "en";

const dates = new Intl.DateTimeFormat(LOCALE, { dateStyle: "long" });
const numbers = new Intl.NumberFormat(LOCALE);

/** Stripe counts these in hundredths, though they have none (https://docs.stripe.com/currencies#special-cases). */
const STRIPE_DIGITS: Record<string, number> = { isk: 2, ugx: 2 };

/** `2900, "usd"` is `$29`; currencies without cents are not divided. */
export function formatMoney(amount: number, currency: string): string {
  const format = new Intl.NumberFormat(LOCALE, {
    style: "currency",
    currency,
    trailingZeroDisplay: "stripIfInteger",
  });
  const digits = STRIPE_DIGITS[currency] ?? format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amount / 10 ** digits);
}

/** `May 3, 2027`, in the reader's time zone. */
export function formatDate(iso: string): string {
  return dates.format(new Date(iso));
}

/** `$29 a month`, `Free`. */
export function formatPrice({ priceCents, currency, billingInterval }: Plan): string {
  if (priceCents === 0) return "Free";
  const price = formatMoney(priceCents, currency);
  return billingInterval ? `${price} a ${billingInterval}` : price;
}

/** `100 AI chat messages every 30 days`, `1 active wizard at a time`. */
export function formatLimit({ feature, windowSeconds, hardLimit }: PlanLimit): string {
  const name = featureName(feature, hardLimit);
  return `${numbers.format(hardLimit)} ${name} ${
    windowSeconds === 0 ? "at a time" : formatWindow(windowSeconds)
  }`;
}

const FEATURES: Record<string, [one: string, many: string]> = {
  ai_chat_message: ["AI chat message", "AI chat messages"],
  active_wizard: ["active wizard", "active wizards"],
};

/** A feature without a name of its own here is shown by its code, in words. */
function featureName(feature: string, count: number): string {
  const [one, many] = FEATURES[feature] ?? [];
  return (count === 1 ? one : many) ?? feature.replaceAll("_", " ");
}

const UNITS: [seconds: number, name: string][] = [[86_400, "day"], [3_600, "hour"], [60, "minute"], [
  1,
  "second",
]];

function formatWindow(seconds: number): string {
  const [size, unit] = UNITS.find(([size]) => seconds % size === 0) ?? [1, "second"];
  const count = seconds / size;
  return count === 1 ? `every ${unit}` : `every ${numbers.format(count)} ${unit}s`;
}

/** What to know about a subscription, in a sentence. */
export interface SubscriptionNote {
  tone: "calm" | "warning";
  text: string;
}

/** Puts the state of the subscription into words. Null when there is nothing to say, as on the free plan. */
export function describeSubscription(info: BillingInfo): SubscriptionNote | null {
  const { subscription, plan, isAdmin } = info;
  if (!subscription || (!hasLiveSubscription(info) && !subscription.paymentIssue)) return null;
  if (subscription.paymentIssue || subscription.status === "unpaid") {
    const cure = isAdmin ? "Update the payment method under “Manage billing”." : "An admin can fix this.";
    return { tone: "warning", text: `The last payment did not go through. ${cure}` };
  }
  if (subscription.status === "paused") return { tone: "warning", text: "The subscription is paused." };
  if (subscription.cancelAt) {
    return { tone: "warning", text: `Cancelled: ${plan.name} ends on ${formatDate(subscription.cancelAt)}.` };
  }
  if (subscription.status === "trialing" && subscription.trialEnd) {
    return {
      tone: "calm",
      text: `Free trial until ${formatDate(subscription.trialEnd)}, then ${formatPrice(plan)}.`,
    };
  }
  if (!subscription.currentPeriodEnd) return null;
  return { tone: "calm", text: `Renews on ${formatDate(subscription.currentPeriodEnd)}.` };
}

const INVOICE_STATUSES: Record<string, string> = {
  open: "Due",
  paid: "Paid",
  uncollectible: "Unpaid",
  void: "Void",
};

/** `Paid`, `Due`, … */
export function describeInvoiceStatus({ status }: Invoice): string {
  return INVOICE_STATUSES[status] ?? status;
}

const LOAD_FAILURES: Record<string, string> = {
  parent_silent: "The community page does not answer. Are you still signed in there?",
  network_error: "The connection failed. Are you online?",
};

const DEPARTURE_FAILURES: Record<string, string> = {
  not_admin: "Only admins of this community can do this.",
  already_subscribed: "This community has a subscription already. Its plan is shown below.",
  no_customer: "This community has no billing account yet.",
  plan_not_for_sale: "This plan cannot be bought at the moment.",
  stripe_unavailable: "The payment service does not answer. Nothing was charged; please try again.",
  network_error: "The connection failed. Nothing was charged; please try again.",
  parent_silent: "The community page does not answer. Nothing was charged; please try again.",
};

export const texts = {
  pageTitle: "Plan and billing",
  heading: "Plan and billing",
  loading: "Loading the plan…",
  currentPlan: "Current plan",
  includes: "Includes",
  noLimits: "No limits apply.",
  upgradeTo: (plan: Plan) => `Upgrade to ${plan.name}`,
  memberHint: "Admins of this community can upgrade.",
  manageBilling: "Manage billing",
  openingCheckout: "Opening checkout…",
  openingPortal: "Opening billing…",
  openInNewTab: "Still here? Open it in a new tab",
  invoices: "Invoices",
  invoiceLink: (invoice: Invoice) => `View invoice ${invoice.number ?? ""}`.trim(),
  view: "View",
  confirming: "Your plan is being updated. This takes a few seconds.",
  confirmationLate:
    "Your plan is not updated yet. Nothing is lost: a payment can take a few minutes to arrive here.",
  checkAgain: "Check again",
  loadFailedTitle: "The plan could not be loaded",
  loadFailed: (code: string) => LOAD_FAILURES[code] ?? "Something went wrong on our side. Please try again.",
  retry: "Try again",
  outsideTitle: "Open this page in your community",
  outside: "Plans and billing are part of your community’s page. Go there to see and change them.",
  scriptsNeeded: "This page needs JavaScript to show your community’s plan.",
  departureFailed: (code: string) =>
    DEPARTURE_FAILURES[code] ?? "Something went wrong. Nothing was charged; please try again.",
  dismiss: "Dismiss",
  toasts: {
    success: "Checkout complete. Thank you!",
    cancel: "Checkout cancelled. Nothing was charged and your plan is unchanged.",
    portal_return: "Welcome back. Changes you made are shown here as soon as they arrive.",
    paid: (planName: string) => `Payment received. Your community is on the ${planName} plan.`,
  },
  errorPage: {
    notFoundTitle: "There is nothing here",
    notFound: "The address may be mistyped, or the page is gone.",
    failedTitle: "Something went wrong",
    failed: "This is our fault, not yours. Please try again in a moment.",
    home: "To plan and billing",
  },
};
