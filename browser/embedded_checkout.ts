import { expectNews, onStripeCallback } from "./arrival.ts";
import { embeddedCheckout } from "./billing_store.ts";
import { connection } from "./connection.ts";
import { createEmbeddedCheckout, startHostedCheckout } from "./departure.ts";
import { pageLanguage } from "./page_language.ts";

/**
 * Shows Stripe's checkout inside `element` (https://docs.stripe.com/js/embedded_checkout). Where Stripe.js cannot be
 * had, or has nothing to show, the person is taken to Stripe's own page instead. Returns what takes the checkout away.
 */
export function showCheckout(element: HTMLElement, planCode: string): () => void {
  let isWanted = true;
  let destroy = () => {};

  async function show(): Promise<void> {
    const { loadStripeJs } = await import("./stripe_js.ts");
    const stripe = await loadStripeJs(connection()!.stripeJs!, pageLanguage().texts.locale);
    if (!isWanted) return;
    const created = await createEmbeddedCheckout(planCode);
    if (!created.ok) return closeCheckout();
    const page = await stripe.createEmbeddedCheckoutPage({
      clientSecret: created.data,
      onComplete: () => onStripeCallback("success"),
    });
    destroy = () => page.destroy();
    if (isWanted) page.mount(element);
    else destroy();
  }

  expectNews();
  show().catch((error) => {
    if (!isWanted) return;
    console.warn("Dues: the checkout opens on Stripe's page, because it cannot be shown here.", error);
    closeCheckout();
    startHostedCheckout(planCode);
  });
  return () => {
    isWanted = false;
    destroy();
  };
}

/** Back to the plan. */
export function closeCheckout(): void {
  embeddedCheckout.value = null;
}
