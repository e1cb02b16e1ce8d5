/** What it takes to show Stripe's checkout inside this page. */
export interface StripeJs {
  publishableKey: string;
  /** The address of a stand-in for Stripe.js; null for Stripe's own. */
  scriptUrl: string | null;
}
