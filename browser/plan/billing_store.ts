import { signal } from "@preact/signals";
import type { BillingInfo } from "../api/contract.ts";

export type BillingState =
  | { status: "loading" }
  /** The page was opened by itself, not in a parent app. */
  | { status: "outside" }
  | { status: "error"; code: string }
  | { status: "ready"; info: BillingInfo };

/** What is known of the community's billing. Islands read it; `billing_loader.ts` alone writes it. */
export const billing = signal<BillingState>({ status: "loading" });

/**
 * After a checkout, until the plan has changed: `waiting` while it is asked for, `late` when that took too long. What
 * `billing` says meanwhile may be from before the payment and is not to be shown as if it were news.
 */
export const confirmation = signal<"none" | "waiting" | "late">("none");

/** Where at Stripe a person may go. The last two are places inside the billing portal. */
export type Destination = "checkout" | "portal" | "payment_method_update" | "subscription_cancel";

/**
 * On the way to Stripe: `opening` until this page is gone; `stuck` when it is still here and the person is offered a
 * new tab; `away` when they took that.
 */
export interface Departure {
  to: Destination;
  phase: "opening" | "stuck" | "away";
  /** Known once the server has given it. */
  url?: string;
}

export const departure = signal<Departure | null>(null);

/** Set while a checkout is open inside this page. Aborting it takes the checkout away. */
export const embeddedCheckout = signal<AbortController | null>(null);

/** Back to the plan. */
export function closeEmbeddedCheckout(): void {
  embeddedCheckout.value?.abort();
  embeddedCheckout.value = null;
}
