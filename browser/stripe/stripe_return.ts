/**
 * Coming back from Stripe.
 *
 * 1. The parent's page loads with the news in its address and hands it over as `stripeCallback`.
 * 2. The news is a hint, never proof: a toast tells that the plan is being updated, and billing info is read again,
 *    with growing pauses, until the webhook has changed the plan. Nothing from before is shown as if it still held.
 * 3. The same toast then tells that the payment arrived. If the webhook takes too long, the page says so, offers to
 *    look again, and asks no more by itself.
 *
 * Where no news comes, because the parent has no script for it or Stripe is open in another tab, the page looks for
 * what changed all the same.
 */

import type { StripeStatus } from "../../packages/parent/types.ts";
import { loadBilling, stopWatching, watchBilling } from "../plan/billing_loader.ts";
import { billing, closeEmbeddedCheckout, confirmation, departure } from "../plan/billing_store.ts";
import type { BillingInfo } from "../api/contract.ts";
import { fill } from "../language/language.ts";
import { pageLanguage } from "../language/page_language.ts";
import { hasPaidPlan } from "../plan/subscription.ts";
import { showToast } from "../toasts.ts";

/** What was told since the last departure: the same event is told once, however often and by whichever way it comes. */
const told = new Set<StripeStatus | "paid">();

/** For news that is under way already, or that there may be none of: after the portal most people changed nothing. */
const SHORT_DELAYS_MS = [0, 1_000, 2_000, 4_000, 8_000];

/** Somebody who pays in another tab takes minutes. About a quarter of an hour in all. */
const AWAY_DELAYS_MS = [2_000, 4_000, 8_000, 15_000, ...Array<number>(30).fill(30_000)];

/** Called when a person leaves for Stripe: from now on the same news is new again. */
export function expectNews(): void {
  told.clear();
}

/** The parent's page says how the person came back. */
export function onStripeCallback(status: StripeStatus): void {
  if (told.has(status) || (status === "success" && told.has("paid"))) return;
  told.add(status);
  departure.value = null;
  showToast({ id: "stripe", tone: "info", text: pageLanguage().texts.toasts[status] });
  if (status === "success") confirmPayment();
  if (status === "portal_return") watchForChange();
}

/** Waits for the plan to change after a payment. */
export async function confirmPayment(): Promise<void> {
  if (confirmation.value === "waiting") return;
  confirmation.value = "waiting";
  closeEmbeddedCheckout();
  const settled = await watchBilling(hasPaidPlan);
  confirmation.value = settled === false ? "late" : "none";
  if (settled) tellPaid();
}

/** While Stripe is open in another tab: ends when something has changed, or when nobody can be waiting any more. */
export async function awaitReturn(): Promise<void> {
  if (await watchForChange(AWAY_DELAYS_MS) !== null) departure.value = null;
}

/** Ends the waiting for what happens at Stripe. */
export function stopWaiting(): void {
  stopWatching();
  departure.value = null;
  loadBilling();
}

/** Watches until plan or subscription are not what they were. A plan that was paid for is told. */
export async function watchForChange(delays = SHORT_DELAYS_MS): Promise<boolean | null> {
  let before: BillingInfo | null = billing.value.status === "ready" ? billing.value.info : null;
  const changed = await watchBilling((info) => {
    before ??= info;
    return outcomeOf(info) !== outcomeOf(before);
  }, delays);
  if (changed && before && !hasPaidPlan(before)) tellPaid();
  return changed;
}

const outcomeOf = ({ plan, subscription }: BillingInfo) => JSON.stringify([plan.code, subscription]);

function tellPaid(): void {
  const state = billing.value;
  if (state.status !== "ready" || !hasPaidPlan(state.info) || told.has("paid")) return;
  told.add("paid");
  const text = fill(pageLanguage().texts.toasts.paid, { plan: state.info.plan.name });
  showToast({ id: "stripe", tone: "success", text });
  watchBilling(isInvoicePaid, SHORT_DELAYS_MS);
}

/** Stripe tells of the subscription and of its invoice separately, the one a moment before the other. */
const isInvoicePaid = ({ invoices: [newest] }: BillingInfo) => newest?.status === "paid";
