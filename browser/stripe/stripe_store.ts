/** The state of a visit to Stripe: the redirect to it, a checkout inside this page, and the confirmation afterwards. */

import { signal } from "@preact/signals";

/** A page of Stripe's. The last two are tasks inside the billing portal. */
export type Destination = "checkout" | "portal" | "payment_method_update" | "subscription_cancel";

/** A redirect to Stripe that has started. */
export interface StripeRedirect {
  to: Destination;
  /** The button that was clicked, of several that may lead there. */
  by: symbol;
  /**
   * - `opening`: the page is about to be replaced by Stripe's.
   * - `stuck`: the page is still here, so the person is offered a new tab.
   * - `away`: the person opened the new tab.
   */
  phase: "opening" | "stuck" | "away";
  /** Stripe's address, once the server has answered with it. */
  url?: string;
}

export const stripeRedirect = signal<StripeRedirect | null>(null);

/**
 * Whether a payment is being confirmed: `waiting` while the page polls for the new plan, `late` when that took too
 * long. Until it is `none` again, `billing` may be from before the payment and must not be shown as current.
 */
export const confirmation = signal<"none" | "waiting" | "late">("none");

/** Set while a checkout is open inside this page. Aborting it removes the checkout. */
export const embeddedCheckout = signal<AbortController | null>(null);

/** Removes the checkout from this page, if one is open. */
export function closeEmbeddedCheckout(): void {
  embeddedCheckout.value?.abort();
  embeddedCheckout.value = null;
}
