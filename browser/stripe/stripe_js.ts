/** What the page needs to show Stripe's checkout inside itself. */
export interface StripeJs {
  publishableKey: string;
  /** The address of a substitute for Stripe.js; null for Stripe's own script. */
  scriptUrl: string | null;
}
