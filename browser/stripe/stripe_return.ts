/**
 * Handles the return from Stripe:
 *
 * 1. The parent's page loads with `stripe_status` in its address and passes it on as `stripeCallback`.
 * 2. `stripeCallback` is a hint, never proof of payment. A toast says that the plan is being updated, and the page
 *    polls billing info until the webhook has changed the plan. Until then it shows nothing from before the payment.
 * 3. The toast then says that the payment arrived. If the webhook takes too long, the page says so, stops polling and
 *    offers to check again.
 *
 * The page also polls when no `stripeCallback` can arrive: the parent has no script for it, or Stripe is open in
 * another tab.
 */

import type { StripeStatus } from "../../packages/parent/types.ts";
import type { BillingInfo } from "../api/contract.ts";
import { fill } from "../language/language.ts";
import { pageLanguage } from "../language/page_language.ts";
import { loadBilling, stopWatch, watchBilling } from "../plan/billing_loader.ts";
import { billing } from "../plan/billing_store.ts";
import { hasPaidPlan } from "../plan/subscription.ts";
import { showToast } from "../toasts.ts";
import { closeEmbeddedCheckout, confirmation, stripeRedirect } from "./stripe_store.ts";

/** What toasts have said since the last redirect. The same event may arrive several times and is announced once. */
const announced = new Set<StripeStatus | "paid">();

/** For a change whose webhook is already on its way, if there is a change at all. */
const SHORT_DELAYS_MS = [0, 1_000, 2_000, 4_000, 8_000];

/** For a payment in another tab, which takes minutes. About a quarter of an hour in all. */
const OTHER_TAB_DELAYS_MS = [2_000, 4_000, 8_000, 15_000, ...Array<number>(30).fill(30_000)];

/** Called when a visit to Stripe starts: its return is announced even if an earlier one was the same. */
export function forgetNotices(): void {
  announced.clear();
}

/** Called when the parent's page, or a checkout inside this page, reports how the visit to Stripe ended. */
export function onStripeCallback(status: StripeStatus): void {
  if (announced.has(status) || (status === "success" && announced.has("paid"))) return;
  announced.add(status);
  stripeRedirect.value = null;
  showToast({ id: "stripe", tone: "info", text: pageLanguage().texts.toasts[status] });
  if (status === "success") confirmPayment();
  if (status === "portal_return") watchForChange();
}

/** Polls until the plan has changed after a payment. */
export async function confirmPayment(): Promise<void> {
  if (confirmation.value === "waiting") return;
  confirmation.value = "waiting";
  closeEmbeddedCheckout();
  const isPaid = await watchBilling(hasPaidPlan);
  confirmation.value = isPaid === false ? "late" : "none";
  if (isPaid) announcePayment();
}

/** Polls while Stripe is open in another tab, until something has changed or a quarter of an hour has passed. */
export async function watchOtherTab(): Promise<void> {
  if (await watchForChange(OTHER_TAB_DELAYS_MS) !== null) stripeRedirect.value = null;
}

/** Stops polling and shows the plan again. */
export function backToPlan(): void {
  stopWatch();
  stripeRedirect.value = null;
  loadBilling();
}

/**
 * Polls until the plan or the subscription has changed, and announces a payment. Returns whether something changed;
 * null when another watch took over.
 */
export async function watchForChange(delays = SHORT_DELAYS_MS): Promise<boolean | null> {
  let before: BillingInfo | null = billing.value.status === "ready" ? billing.value.info : null;
  const changed = await watchBilling((info) => {
    before ??= info;
    return planState(info) !== planState(before);
  }, delays);
  if (changed && before && !hasPaidPlan(before)) announcePayment();
  return changed;
}

const planState = ({ plan, subscription }: BillingInfo) => JSON.stringify([plan.code, subscription]);

function announcePayment(): void {
  const state = billing.value;
  if (state.status !== "ready" || !hasPaidPlan(state.info) || announced.has("paid")) return;
  announced.add("paid");
  const text = fill(pageLanguage().texts.toasts.paid, { plan: state.info.plan.name });
  showToast({ id: "stripe", tone: "success", text });
  watchBilling(isInvoicePaid, SHORT_DELAYS_MS);
}

/** Stripe sends the events of a subscription and of its invoice separately, so the invoice may become paid later. */
const isInvoicePaid = ({ invoices: [newest] }: BillingInfo) => newest?.status === "paid";
