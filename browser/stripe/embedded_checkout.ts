/**
 * Stripe's checkout inside this page. Loaded only when a checkout is opened there: most pages never need it, and
 * Stripe.js comes from Stripe and is not to be asked for before somebody wants to pay
 * (https://docs.stripe.com/js/including). What it needs of the page is handed to it, so that it shares no file with it.
 */

import type { Stripe } from "@stripe/stripe-js";
import { loadStripe } from "@stripe/stripe-js/dist/pure.mjs";
import type { StripeJs } from "./stripe_js.ts";

interface CheckoutPage {
  stripeJs: StripeJs;
  /** BCP 47. */
  locale: string;
  /** Starts the checkout, once Stripe.js is there. Null when it was refused. */
  fetchClientSecret: () => Promise<string | null>;
  onComplete: () => void;
  /** Aborted when the person turns away: takes the checkout away again, and keeps it from being shown. */
  signal: AbortSignal;
}

/**
 * Shows Stripe's checkout in the element of class `place` (https://docs.stripe.com/js/embedded_checkout).
 *
 * Rejects when Stripe.js cannot be had or has nothing to show.
 */
export async function openEmbeddedCheckout(options: CheckoutPage): Promise<void> {
  const { fetchClientSecret, onComplete, signal } = options;
  const stripe = await loadStripeJs(options);
  const clientSecret = signal.aborted ? null : await fetchClientSecret();
  if (clientSecret === null) return;
  const page = await stripe.createEmbeddedCheckoutPage({ clientSecret, onComplete });
  if (signal.aborted) return page.destroy();
  signal.addEventListener("abort", () => page.destroy());
  page.mount(".checkout .place");
}

async function loadStripeJs(
  { stripeJs: { publishableKey, scriptUrl }, locale }: CheckoutPage,
): Promise<Stripe> {
  if (scriptUrl) await loadScript(scriptUrl);
  const stripe = await loadStripe(publishableKey, { locale: locale as "auto" });
  if (!stripe) throw new Error("Stripe.js gave nothing");
  return stripe;
}

/** The official loader takes what a script has put into `window.Stripe`. */
function loadScript(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: url });
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${url} cannot be loaded`));
    document.head.append(script);
  });
}
